import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PRODUCT_FLAGS } from "../../scripts/bootstrap/flags.mjs";
import { EdgeConfig, type EdgeOptions } from "./config.ts";

/** What an edge's process says to its parent. */
export type EdgeMessage =
  | { readonly type: "ready"; readonly port: number }
  | { readonly type: "failed"; readonly message: string };

export interface RunningEdge {
  readonly pid: number;
  readonly port: number;
  /** Resolves when the process is gone, with true if `stop` was not what ended it. */
  readonly exited: Promise<boolean>;
  stop(): Promise<void>;
}

/** Requests that wait for what a channel makes next outlive several collections of young objects, each of which would move them. */
const EDGE_FLAGS = ["--max-semi-space-size=32"];
const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 4_000;

/** Starts an edge in a process of its own; rejects when it does not come up, with what it said. */
export async function startEdge(options: EdgeOptions): Promise<RunningEdge> {
  const config = EdgeConfig.parse(options);
  // The environment may hold the product's secrets: an edge gets none of it but what Node itself needs.
  const env = { PATH: process.env["PATH"], NODE_EXTRA_CA_CERTS: process.env["NODE_EXTRA_CA_CERTS"] };
  const child = spawn(
    process.execPath,
    [...PRODUCT_FLAGS, ...EDGE_FLAGS, fileURLToPath(new URL("./main.ts", import.meta.url)), JSON.stringify(config)],
    {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env,
    },
  );
  let isStopping = false;
  const exited = new Promise<boolean>((resolve) => {
    child.once("exit", () => resolve(!isStopping));
    child.once("error", () => resolve(!isStopping));
  });

  async function stop(): Promise<void> {
    isStopping = true;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }

  const message = await new Promise<EdgeMessage>((resolve) => {
    const timer = setTimeout(
      () => resolve({ type: "failed", message: `it is not ready after ${READY_TIMEOUT_MS} ms` }),
      READY_TIMEOUT_MS,
    );
    const settle = (said: EdgeMessage): void => {
      clearTimeout(timer);
      resolve(said);
    };
    child.once("message", (said) => settle(said as EdgeMessage));
    child.once("error", (error) => settle({ type: "failed", message: error.message }));
    child.once("exit", (code, signal) => settle({ type: "failed", message: `it ended with ${signal ?? code}` }));
  });
  if (message.type === "failed") {
    await stop();
    throw new Error(`edge '${config.id}' did not start on ${config.host}:${config.port}: ${message.message}`);
  }
  return { pid: child.pid ?? 0, port: message.port, exited, stop };
}
