/** The product as a process of its own, configured by the environment: what `npm start` runs once everything is installed. */
import { start } from "../../apps/start.ts";
import { readConfig } from "../../kernel/config.ts";

await start(readConfig(process.env));
