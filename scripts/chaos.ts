/**
 * `npm run chaos [-- --short] [FILTER…]`: breaks the product and counts what it kept: everything killed at once, one process of many killed a
 * hundred times, each engine taken away, networks that fail, tokens and keys that change. --short is a few minutes of it, for CI.
 */
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import path from "node:path";
import { REPOSITORY as ROOT } from "./files.ts";

const SHORT = {
  files: ["tests/chaos/outages.test.ts", "tests/chaos/processes.test.ts"],
  env: { MARQUEE_CHAOS_KILLS: "10", MARQUEE_CHAOS_OUTAGES: "redis,kafka,postgres" },
};

const words = process.argv.slice(2);
const isShort = words.includes("--short");
const filters = words.filter((word) => word !== "--short");
const nameOf = (file: string): string => path.basename(file, ".test.ts");
const all = isShort ? SHORT.files : globSync("tests/chaos/*.test.ts", { cwd: ROOT }).sort();
/** A whole name means that test alone, although others have it in theirs. */
const matches = (part: string) => (file: string) =>
  all.some((other) => nameOf(other) === part) ? nameOf(file) === part : nameOf(file).includes(part);
const files = all.filter((file) => filters.length === 0 || filters.some((part) => matches(part)(file)));
if (files.length === 0) {
  console.error(`no test of chaos has '${filters.join("' or '")}' in its name`);
  process.exit(1);
}
const child = spawn(process.execPath, [path.join(import.meta.dirname, "test.ts"), ...files], {
  stdio: "inherit",
  env: { ...process.env, ...(isShort ? SHORT.env : {}) },
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
child.once("exit", (code) => {
  process.exitCode = code ?? 1;
});
