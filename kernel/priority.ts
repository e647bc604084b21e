/**
 * Who waits for whom when cores are few. Threads that answer people keep the priority they have; what can come a moment later gives way. Only
 * Linux has priorities by thread; elsewhere these would be the whole program's, so nothing happens there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";

const THREADS = "/proc/self/task";
const ENGINE_THREAD = "V8Worker";
const ENGINE_NICENESS = 10;

/** Lowers the priority of the calling thread: 1 gives way a little, 19 whenever anybody else wants the core. */
export function yieldThread(niceness: number): void {
  if (process.platform === "linux") setPriority(niceness);
}

/**
 * Lowers the priority of V8's own threads, which collect garbage and compile for every thread of this process. At the priority of the main thread
 * each holds a core for a whole time slice while a request waits. Returns how many there are.
 */
export function yieldEngineThreads(): number {
  if (process.platform !== "linux") return 0;
  let count = 0;
  for (const id of readdirSync(THREADS)) {
    try {
      if (readFileSync(`${THREADS}/${id}/comm`, "latin1").trim() !== ENGINE_THREAD) continue;
      setPriority(Number(id), ENGINE_NICENESS);
      count += 1;
    } catch {
      // A thread that ended in the meantime, or a system that forbids it: the work goes on as it is.
    }
  }
  return count;
}
