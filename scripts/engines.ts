/**
 * `npm run engines [-- start|stop|install|status|env NAME…]`: the real engines of production on this machine, without containers. They
 * outlive this command, keep their data under .marquee/engines, and listen on the loopback only. Without names it is about all of them.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { commandOf, isGoneWithin, signalProcess } from "#adapters/postgres/processes";
import { problem, Problem } from "#kernel/errors";
import { answerOf, type Engine, type EnginePlace, launchEngine } from "../engines/engine.ts";
import { engines, FIRST_PORT_DEFAULT, portOf } from "../engines/index.ts";
import { REPOSITORY } from "./files.ts";

const FOLDER = path.join(REPOSITORY, ".marquee/engines");
/** Moves the ports of all engines. */
const FIRST_PORT = z.coerce
  .number()
  .int()
  .min(1024)
  .max(65_000)
  .default(FIRST_PORT_DEFAULT)
  .parse(process.env["MARQUEE_ENGINES_PORT"]);
const STOP_TIMEOUT_MS = 15_000;

/** What is known of an engine that was started; its command line tells whether the process number is still its own. */
const Started = z.object({
  pid: z.number().int().min(2),
  port: z.number().int(),
  version: z.string(),
  command: z.string(),
});
type Started = z.infer<typeof Started>;

const say = (line: string): void => void process.stderr.write(`engines: ${line}\n`);
const stateFile = (engine: Engine): string => path.join(FOLDER, engine.name, "engine.json");

function placeOf(engine: Engine, port = portOf(engine, FIRST_PORT)): EnginePlace {
  return {
    programs: path.join(REPOSITORY, ".cache/engines", engine.name),
    data: path.join(FOLDER, engine.name),
    port,
    say: (line) => say(`${engine.name}: ${line}`),
  };
}

/** The engine's process, if it is still there. */
async function runningOf(engine: Engine): Promise<Started | undefined> {
  const text = await readFile(stateFile(engine), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const started = Started.safeParse(JSON.parse(text));
  if (!started.success) return undefined;
  return (await commandOf(started.data.pid)) === started.data.command ? started.data : undefined;
}

async function start(engine: Engine): Promise<void> {
  if (await runningOf(engine)) return say(`${engine.name} runs already`);
  const place = placeOf(engine);
  say(`starting ${engine.name} on port ${place.port}`);
  const { pid, version } = await launchEngine(engine, place);
  const started: Started = { pid, version, port: place.port, command: (await commandOf(pid)) ?? "" };
  await mkdir(path.dirname(stateFile(engine)), { recursive: true });
  await writeFile(`${stateFile(engine)}.tmp`, JSON.stringify(started));
  await rename(`${stateFile(engine)}.tmp`, stateFile(engine));
}

async function stop(engine: Engine): Promise<void> {
  const started = await runningOf(engine);
  if (started) {
    say(`stopping ${engine.name}`);
    signalProcess(started.pid, "SIGTERM");
    if (!(await isGoneWithin(started.pid, STOP_TIMEOUT_MS))) signalProcess(started.pid, "SIGKILL");
  }
  await rm(stateFile(engine), { force: true });
}

async function status(chosen: readonly Engine[]): Promise<void> {
  const rows = await Promise.all(
    chosen.map(async (engine) => {
      const started = await runningOf(engine);
      if (!started) return [engine.name, "-", String(placeOf(engine).port), "stopped", engine.what];
      const answer = await answerOf(engine, placeOf(engine, started.port)).then(
        () => "running",
        () => "does not answer",
      );
      return [engine.name, started.version, String(started.port), answer, engine.what];
    }),
  );
  const lines = [["engine", "version", "port", "state", "serves"], ...rows];
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(Math.max(...lines.map((other) => other[column]?.length ?? 0))))
        .join("  ")
        .trimEnd(),
    );
}

/** Lines for `eval "$(npm run --silent engines -- env)"`. */
async function printEnvironment(chosen: readonly Engine[]): Promise<void> {
  for (const engine of chosen) {
    const started = await runningOf(engine);
    if (!started) {
      say(`${engine.name} does not run: npm run engines -- start ${engine.name}`);
      continue;
    }
    for (const [name, value] of Object.entries(engine.environment(placeOf(engine, started.port))))
      console.log(`export ${name}='${value.replaceAll("'", "'\\''")}'`);
  }
}

function chosenOf(names: readonly string[]): readonly Engine[] {
  if (names.length === 0) return engines;
  return names.map((name) => {
    const engine = engines.find((candidate) => candidate.name === name);
    if (!engine)
      throw problem.invalid(
        `there is no engine '${name}': it is one of ${engines.map((each) => each.name).join(", ")}`,
      );
    return engine;
  });
}

/** Fetches and builds what is missing, and starts nothing. */
async function install(chosen: readonly Engine[]): Promise<void> {
  for (const engine of chosen) {
    const place = placeOf(engine);
    await Promise.all([place.programs, place.data].map((folder) => mkdir(folder, { recursive: true })));
    await engine.install(place);
    say(`${engine.name} is installed`);
  }
}

async function main(verb = "start", ...names: readonly string[]): Promise<void> {
  const chosen = chosenOf(names);
  if (verb === "start") for (const engine of chosen) await start(engine);
  else if (verb === "stop") for (const engine of chosen) await stop(engine);
  else if (verb === "env") return printEnvironment(chosen);
  else if (verb === "install") return install(chosen);
  else if (verb !== "status")
    throw problem.invalid(`'${verb}' is not known: use start, stop, install, status or env, and names of engines`);
  await status(chosen);
}

try {
  await main(...process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  say(error.message);
  process.exitCode = 1;
}
