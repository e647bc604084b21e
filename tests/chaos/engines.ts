/** Real engines under a test's own hand: each can be killed and started again where it was, with its data. */
import { join } from "node:path";
import { rm } from "node:fs/promises";
import { type Engine, freePorts, type RunningEngine, startEngine } from "../../engines/engine.ts";
import { engines as known } from "../../engines/index.ts";
import { REPOSITORY } from "../../scripts/files.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

export interface Engines {
  /** Marquee's variables that point at them. */
  readonly environment: Readonly<Record<string, string>>;
  /** As `kill -9`; resolves when it is gone. */
  kill(name: string): Promise<void>;
  /** Resolves when it answers. */
  start(name: string): Promise<void>;
  close(): Promise<void>;
}

export async function openEngines(names: readonly string[]): Promise<Engines> {
  const folder = await makeTestFolder("engines");
  const ports = new Map<string, number>();
  const running = new Map<string, RunningEngine>();
  const environment: Record<string, string> = {};

  async function start(name: string): Promise<void> {
    const engine: Engine | undefined = known.find((one) => one.name === name);
    if (!engine) throw new Error(`there is no engine '${name}'`);
    const port = ports.get(name) ?? (await freePorts());
    ports.set(name, port);
    const place = {
      programs: join(REPOSITORY, ".cache/engines", name),
      data: join(folder, name),
      port,
      say: (line: string) => void process.stderr.write(`${name}: ${line}\n`),
    };
    const started = await startEngine(engine, place);
    running.set(name, started);
    Object.assign(environment, started.environment);
  }

  async function close(): Promise<void> {
    await Promise.all([...running.values()].map((engine) => engine.stop()));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    for (const name of names) await start(name);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    environment,
    start,
    close,
    async kill(name) {
      await running.get(name)?.kill();
      running.delete(name);
    },
  };
}
