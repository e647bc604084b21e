/**
 * How fast the product is there on data that exist, and how much memory it takes when nobody asks for anything: every service, both
 * edges and PostgreSQL together.
 * Bars: ready within 5 s (from the process' beginning to the line that says so), under 700 MB.
 *
 *   node bench/start.ts
 */
import { setTimeout as pause } from "node:timers/promises";
import { makeAccount } from "../tests/chaos/accounts.ts";
import type { ProcessId } from "../tests/chaos/processes.ts";
import { openStage, type Product } from "../tests/chaos/product.ts";
import { type Measure, median, memoryOf, table, writeResults } from "./harness.ts";

const STARTS = 5;
/** What a start leaves to be done has been done by then, and the collector had its turn. */
const IDLE_MS = 15_000;
const READY_S_BAR = 5;
const MEMORY_MB_BAR = 700;

/** Which of our programs a process is. */
function roleOf({ command }: ProcessId): string {
  if (command.includes("apps/edge/main.ts")) return "edges";
  if (command.includes("apps/marquee.ts")) return "main";
  return /postgres/.test(command) ? "postgres" : "guardian";
}

async function readyS(product: Product): Promise<number> {
  const startedMs = performance.now();
  await product.ready();
  return (performance.now() - startedMs) / 1_000;
}

export async function run(): Promise<void> {
  const stage = await openStage();
  try {
    const first = stage.start();
    const coldS = await readyS(first);
    await makeAccount(stage.admin, "bench@bench.test");
    await first.stop();
    const warmS: number[] = [];
    const pss: number[] = [];
    const rss: number[] = [];
    const parts = new Map<string, number[]>();
    for (let n = 0; n < STARTS; n += 1) {
      const product = stage.start();
      warmS.push(await readyS(product));
      if (n < STARTS - 2) {
        await product.stop();
        continue;
      }
      await pause(IDLE_MS);
      const processes = await product.processes();
      const all = await memoryOf(processes);
      pss.push(all.pssMb);
      rss.push(all.rssMb);
      for (const [role, group] of Map.groupBy(processes, roleOf))
        parts.set(role, [...(parts.get(role) ?? []), (await memoryOf(group)).pssMb]);
      await product.stop();
    }
    const shown = (name: string, samples: readonly number[], unit: string, bar: number | null): Measure => ({
      ...{ name, value: median(samples), unit, bar, better: "lower", samples },
    });
    const measures: Measure[] = [
      shown("start.first", [coldS], "s", null),
      shown("start.warm", warmS, "s", READY_S_BAR),
      shown("memory.idle.pss", pss, "MB", MEMORY_MB_BAR),
      shown("memory.idle.rss", rss, "MB", null),
      ...[...parts].map(([role, samples]) => shown(`memory.idle.${role}`, samples, "MB", null)),
    ];
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("start", measures);
  } finally {
    await stage.close();
  }
}

if (import.meta.main) await run();
