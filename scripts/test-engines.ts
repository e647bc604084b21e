/**
 * `npm run test:engines [-- FILTER…]`: starts the engines that the chosen tests need, in a temporary folder on free ports, runs the
 * tests through scripts/test.ts, and stops the engines. Tests of engines are tests/engines/*.test.ts and *.engine.test.ts beside an
 * adapter or a script; one that names MARQUEE_TEST_KAFKA needs the engine `kafka`, and so on, and one that looks for promtool gets it.
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

async function main(filters: readonly string[]): Promise<number> {
  const files = chosenFiles(filters);
  if (files.length === 0) {
    say(`no test of an engine has '${filters.join("' or '")}' in its path`);
    return 1;
  }
  const texts = files.map((file) => readFileSync(path.join(REPOSITORY, file), "utf8"));
  const needed = engines.filter((engine) => texts.some((text) => text.includes(variableOf(engine))));
  const folder = await mkdtemp(path.join(tmpdir(), "marquee-engines-"));
  const running: RunningEngine[] = [];
  const env: Record<string, string> = {};
  try {
    if (texts.some((text) => text.includes("findPromtool("))) await ensurePromtool(PROMTOOL_FOLDER, say);
    for (const engine of needed) {
      const started = await startEngine(engine, {
        programs: path.join(REPOSITORY, ".cache/engines", engine.name),
        data: path.join(folder, engine.name),
        port: await freePorts(),
        say: (line) => say(`${engine.name}: ${line}`),
      });
      running.push(started);
      say(`${started.version} runs`);
      Object.assign(env, started.environment, { [variableOf(engine)]: "1" });
    }
    return await runTests(files, env);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(error.message);
    return 1;
  } finally {
    await Promise.all(running.map((engine) => engine.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
