/**
 * Preloaded into the program that the bootstrap starts. The two are joined by an IPC channel; when it breaks, the
 * bootstrap is gone (kill -9, a closed container), and this program stops as if asked to by SIGTERM. What has not
 * stopped by then is killed with everything in its group, so that no process stays behind.
 */
import { isMainThread } from "node:worker_threads";

const GRACE_MS = 20_000;
const [holder, scope] = (process.env.MARQUEE_LEASH ?? "").split(":");

// Workers and forked children inherit the preload but not the leash: they end with the program that made them.
if (isMainThread && process.connected && Number(holder) === process.ppid) {
  delete process.env.MARQUEE_LEASH;
  process.once("disconnect", () => {
    setTimeout(() => process.kill(scope === "group" ? -process.pid : process.pid, "SIGKILL"), GRACE_MS).unref();
    process.kill(process.pid, "SIGTERM");
  });
  // Listening must not keep a program alive that has nothing else to do.
  process.channel?.unref();
}
