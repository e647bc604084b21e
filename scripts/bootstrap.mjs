/**
 * The first step of every command. It needs nothing but Node 20 or later and npm: it installs what is missing, then
 * hands over to the pinned Node of node_modules, which runs our TypeScript as it is.
 *
 *   node scripts/bootstrap.mjs start | test | check | bench | chaos | engines | test:engines | generate | new-service | marquee  [arguments]
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { PRODUCT_FLAGS } from "./bootstrap/flags.mjs";
import { ensureInstalled } from "./bootstrap/install.mjs";
import { Stop, say } from "./bootstrap/progress.mjs";
import { runUntilDone } from "./bootstrap/run.mjs";
import { ensureTool } from "./bootstrap/tools.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** What each command runs. `ownGroup`: it reads no keyboard, so it gets a process group that we can stop as a whole. */
const COMMANDS = {
  start: { script: "apps/marquee.ts", before: ["start"], ownGroup: true },
  test: { script: "scripts/test.ts", before: [], ownGroup: true },
  check: { script: "scripts/check.ts", before: [], ownGroup: true },
  bench: { script: "scripts/bench.ts", before: [], ownGroup: true },
  chaos: { script: "scripts/chaos.ts", before: [], ownGroup: true },
  engines: { script: "scripts/engines.ts", before: [], ownGroup: true },
  "test:engines": { script: "scripts/test-engines.ts", before: [], ownGroup: true },
  generate: { script: "scripts/generate.ts", before: [], ownGroup: true },
  "new-service": { script: "scripts/new-service.ts", before: [], ownGroup: false },
  marquee: { script: "apps/marquee.ts", before: [], ownGroup: false },
};

/** Commands of the CLI that run the product for long, and so are treated as `npm start` is. */
const LONG_RUNNING = new Set(["start", "serve"]);

async function main() {
  const [name, ...args] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, name ?? "") ? COMMANDS[name] : undefined;
  if (!command) throw new Stop(`'${name ?? ""}' is not a command`, `Use one of: ${Object.keys(COMMANDS).join(", ")}.`);
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) throw new Stop(`this is Node ${process.versions.node}`, "Marquee needs Node 20 or later.");

  await ensureInstalled(root);

  const runsProduct = name === "start" || (name === "marquee" && LONG_RUNNING.has(args[0] ?? ""));
  // The product itself runs without ffmpeg (what is already encoded still plays), the tests do not.
  if (runsProduct) await ensureTool("ffmpeg", { required: false });
  if (name === "chaos") for (const tool of ["ffmpeg", "chromium"]) await ensureTool(tool, { required: true });
  if (name === "test") {
    await ensureTool("ffmpeg", { required: true });
    const isUnnamed = args.every((arg) => arg === "--whole");
    const mayDriveBrowser = isUnnamed || args.some((arg) => "tests/e2e".includes(arg) || arg.includes("e2e"));
    if (mayDriveBrowser) await ensureTool("chromium", { required: true });
    // Only the tests on real material have a schema to validate against.
    if (process.env.MARQUEE_TESTDATA) await ensureTool("xmllint", { required: false });
  }

  const script = path.join(root, command.script);
  if (!existsSync(script))
    throw new Stop(`${command.script} is missing`, "This clone is not whole: check it out again.");
  return await runUntilDone({
    root,
    script,
    args: [...command.before, ...args],
    nodeFlags: runsProduct ? PRODUCT_FLAGS : [],
    ownGroup: process.platform !== "win32" && (command.ownGroup || runsProduct),
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  say(`cannot go on: ${error.message}`);
  if (error.remedy) say(error.remedy);
  process.exitCode = 1;
}
