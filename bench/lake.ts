/**
 * Events into the lake, beside reading the same events from the log and nothing more. Bar: 5,000 events a second. The longest pause of the
 * thread, which serves players meanwhile, is shown beside it.
 *
 * A round appends events of two types and a thousand people, not measured, and then collects them in batches as the product does:
 * PostgreSQL, SQLite log and synced files on this disk.
 *
 *   node bench/lake.ts
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { openTestLake } from "../services/insight/analytics/testing/lake.ts";
import { type Measure, median, table, writeResults } from "./harness.ts";

const ROUNDS = 5;
const EVENTS = 50_000;
const APPENDED_AT_ONCE = 5_000;
const PEOPLE = 1_000;
const TENANT = "bench";

const lake = await openTestLake();
const rates: number[] = [];
const reading: number[] = [];
const busy: number[] = [];
const pauses: number[] = [];
const sizes: number[] = [];

async function readAll(from: ReadonlyMap<string, ReadonlyMap<number, number>>): Promise<number> {
  let count = 0;
  for (const [topic, positions] of from) {
    const at = new Map(positions);
    for (;;) {
      const found = await lake.log.read(topic, at, 2_000);
      if (found.length === 0) break;
      for (const { partition, offset } of found) at.set(partition, offset + 1);
      count += found.length;
    }
  }
  return count;
}

try {
  for (let round = 0; round < ROUNDS; round += 1) {
    const topics = ["content.ingest.events", "user.events"];
    const from = new Map(await Promise.all(topics.map(async (name) => [name, await lake.log.offsets(name)] as const)));
    for (let at = 0; at < EVENTS; at += APPENDED_AT_ONCE)
      await lake.append(
        Array.from({ length: APPENDED_AT_ONCE }, (_, index) => {
          const userId = `usr_01k${String((at + index) % PEOPLE).padStart(23, "0")}`;
          return index % 4 === 0
            ? ([TENANT, "failed", { contentId: userId, reason: "test", message: "x".repeat(120) }] as const)
            : ([TENANT, "logout", { userId, deviceId: `device-${index}`, reason: "user" }] as const);
        }),
      );
    const readBegan = performance.now();
    const count = await readAll(from);
    reading.push((count / (performance.now() - readBegan)) * 1_000);

    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const cpu = process.cpuUsage();
    const began = performance.now();
    await lake.collect(lake.program(), { recordsMax: EVENTS });
    const tookMs = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    delay.disable();
    rates.push((EVENTS / tookMs) * 1_000);
    busy.push((user + system) / EVENTS);
    pauses.push(delay.max / 1e6);
    const objects = await lake.objects.list(`lake/${TENANT}/bronze/events/data/`, { keysMax: 1_000 });
    sizes.push(objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / ((round + 1) * EVENTS));
  }
} finally {
  await lake.stop();
}

const measures: readonly Measure[] = [
  { name: "lake.collect", value: median(rates), unit: "events/s", bar: 5_000, samples: rates },
  { name: "lake.read_log_alone", value: median(reading), unit: "events/s", bar: null, samples: reading },
  { name: "lake.cpu", value: median(busy), unit: "µs/event", bar: null, better: "lower", samples: busy },
  { name: "lake.longest_pause", value: median(pauses), unit: "ms", bar: null, better: "lower", samples: pauses },
  { name: "lake.stored", value: median(sizes), unit: "bytes/event", bar: null, better: "lower", samples: sizes },
];
console.log(table(measures));
await writeResults("lake", measures);
