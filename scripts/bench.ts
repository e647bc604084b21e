/** `npm run bench -- NAME [arguments]` runs bench/NAME.ts; without a name it lists what there is. */
import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { PRODUCT_FLAGS } from "./bootstrap/flags.mjs";
import { REPOSITORY as ROOT } from "./files.ts";

const benches = new Map(
  globSync("bench/*.ts", { cwd: ROOT })
    .filter((file) => !file.endsWith(".test.ts"))
    .sort()
    .map((file) => [path.basename(file, ".ts"), path.join(ROOT, file)]),
);

/** The first sentence of the file's opening comment says what it measures. */
function claim(file: string): string {
  const comment = /^\/\*\*?\s*([\s\S]*?)\*\/|^\/\/ (.*)/m.exec(readFileSync(file, "utf8"));
  const text = (comment?.[1] ?? comment?.[2] ?? "").replaceAll(/\n\s*\* ?/g, " ").trim();
  return /^.*?[.:](?=\s|$)/.exec(text)?.[0] ?? text;
}

function list(): void {
  console.log("npm run bench -- NAME, where NAME is one of:");
  for (const [name, file] of benches) console.log(`  ${name.padEnd(20)} ${claim(file)}`);
}

/** Each bench is a process of its own, so that one does not warm up, or fill up, another, and runs as the product does. */
function runBench(file: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...PRODUCT_FLAGS, "--expose-gc", file, ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

const [name, ...args] = process.argv.slice(2);
const file = benches.get(name ?? "");
if (file) process.exitCode = await runBench(file, args);
else {
  if (name !== undefined) console.error(`there is no bench '${name}'`);
  list();
  process.exitCode = name === undefined ? 0 : 1;
}
