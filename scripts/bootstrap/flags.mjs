import os from "node:os";

/**
 * How Node runs the product. The heartbeats benchmark shows each of these: whoever waits for an answer would wait behind them.
 * - V8's threads, which collect garbage and compile, get no more than half of the cores, instead of four on two cores.
 * - They give way to everybody else (kernel/priority.ts), so the thread that answers people does its part of a collection alone instead of waiting
 *   for them; what goes on beside it (marking, sweeping) stays theirs.
 * - A collection of everything comes when the heap has grown to two and a half times what was alive, not with each 8 MB of a hundred: it takes a
 *   quarter of a second, in which answers are slow.
 * - Young objects get enough room for what a hundred requests at once have made: with 4 MB most of it was still in use when the room was full, was
 *   moved twice and became old, and a third of the thread's time went there.
 */
export const PRODUCT_FLAGS = [
  `--v8-pool-size=${Math.max(1, Math.min(4, Math.floor(os.availableParallelism() / 2)))}`,
  "--no-parallel-scavenge",
  "--no-parallel-marking",
  "--no-parallel-compaction",
  "--no-parallel-pointer-update",
  "--no-parallel-weak-ref-clearing",
  "--max-semi-space-size=32",
  "--heap-growing-percent=150",
];
