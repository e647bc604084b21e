/**
 * The process of one delivery edge. Its parent hands the configuration over as JSON in the first argument and hears `ready`, or
 * what went wrong, over IPC. When the parent dies, however it dies, the channel closes and the edge ends with it.
 */
import { EdgeConfig } from "./config.ts";
import { startEdgeServer } from "./server.ts";
import type { EdgeMessage } from "./start.ts";

const say = (message: EdgeMessage): Promise<void> =>
  new Promise((resolve) => (process.send === undefined ? resolve() : process.send(message, () => resolve())));

process.once("disconnect", () => process.exit(0));
// The parent is told by the terminal itself, and stops its edges in its own order.
process.on("SIGINT", () => {});

try {
  const config = EdgeConfig.parse(JSON.parse(process.argv[2] ?? "null"));
  const server = await startEdgeServer(config);
  process.once("SIGTERM", () => {
    setTimeout(() => process.exit(0), 2_000).unref();
    void server.close().then(() => process.exit(0));
  });
  await say({ type: "ready", port: server.port });
} catch (error) {
  await say({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
