/**
 * The product as a process of its own, configured by the environment: what `npm start` runs once everything is installed.
 * It ends with whoever started it, also when that one was killed: its standard input is closed then.
 */
import { start } from "../../apps/start.ts";
import { readConfig } from "../../kernel/config.ts";

if (process.env["MARQUEE_E2E_CHILD"] === "1") {
  process.stdin.once("close", () => process.kill(process.pid, "SIGINT"));
  process.stdin.resume();
}
await start(readConfig(process.env));
