/**
 * `npm run test:engines [-- FILTER…]`: starts the engines that the chosen tests need, in a temporary folder on free ports, runs the
 * tests through scripts/test.ts, and stops the engines. Tests of engines are tests/engines/*.test.ts and *.engine.test.ts beside an
 * adapter or a script; one that names MARQUEE_TEST_KAFKA needs the engine `kafka`, and so on, and one that looks for promtool gets it. With
 * --table the contract suites of all ports run on all their adapters, and the table of what they said is printed.
 */
import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Problem } from "#kernel/errors";
import { type Engine, freePorts, type RunningEngine, startEngine } from "../engines/engine.ts";
import { engines } from "../engines/index.ts";
import { ensurePromtool } from "../engines/promtool.ts";
import { PROMTOOL_FOLDER, REPOSITORY } from "./files.ts";
import { hasFailures, portFiles, portRows, portsTable } from "./ports-table.ts";

const say = (line: string): void => void process.stderr.write(`engines: ${line}\n`);
const variableOf = (engine: Engine): string => `MARQUEE_TEST_${engine.name.toUpperCase().replaceAll("-", "_")}`;

function chosenFiles(filters: readonly string[]): readonly string[] {
  return globSync(["tests/engines/**/*.test.ts", "{adapters,scripts}/**/*.engine.test.ts"], { cwd: REPOSITORY })
    .map((file) => file.replaceAll(path.sep, "/"))
    .filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)))
    .sort();
}

function runTests(files: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "test.ts"), ...files], {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

async function printTable(files: readonly string[], engineOf: (text: string) => string | undefined): Promise<number> {
  const rows = await portRows(files, engineOf, say);
  console.log(`# Ports and their adapters

Printed by \`npm run --silent test:engines -- --table\`, which runs the contract suite of every port on each of its adapters, against real
engines. Figures are tests that passed, failed and were skipped. [engines.md](engines.md) says where the engines come from, and that ClickHouse
is its engine as a library.

${portsTable(rows)}`);
  return hasFailures(rows) ? 1 : 0;
}

async function main(words: readonly string[]): Promise<number> {
  const isTable = words.includes("--table");
  const filters = words.filter((word) => word !== "--table");
  const files = isTable
    ? portFiles().filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)))
    : chosenFiles(filters);
  if (files.length === 0) {
    say(`no test of an engine has '${filters.join("' or '")}' in its path`);
    return 1;
  }
  const texts = files.map((file) => readFileSync(path.join(REPOSITORY, file), "utf8"));
  const needed = engines.filter((engine) => texts.some((text) => text.includes(variableOf(engine))));
  const folder = await mkdtemp(path.join(tmpdir(), "marquee-engines-"));
  const running = new Map<Engine, RunningEngine>();
  // Tests that look at what an engine wrote find its folder there, by its name.
  const env: Record<string, string> = { MARQUEE_TEST_ENGINES: folder };
  try {
    if (texts.some((text) => text.includes("findPromtool("))) await ensurePromtool(PROMTOOL_FOLDER, say);
    for (const engine of needed) {
      const started = await startEngine(engine, {
        programs: path.join(REPOSITORY, ".cache/engines", engine.name),
        data: path.join(folder, engine.name),
        port: await freePorts(),
        say: (line) => say(`${engine.name}: ${line}`),
      });
      running.set(engine, started);
      say(`${started.version} runs`);
      Object.assign(env, started.environment, { [variableOf(engine)]: "1" });
    }
    if (!isTable) return await runTests(files, env);
    Object.assign(process.env, env);
    return await printTable(files, (text) => {
      const [, started] = [...running].find(([engine]) => text.includes(variableOf(engine))) ?? [];
      // Where it listened in this run tells nobody anything.
      return started?.version.replace(/ at \S+:\d+,.*?(version \S+|$)/, " $1").trim();
    });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(error.message);
    return 1;
  } finally {
    await Promise.all([...running.values()].map((engine) => engine.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
