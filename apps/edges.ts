import type { Logger } from "#kernel";
import type { EdgeOptions } from "./edge/config.ts";
import { type RunningEdge, startEdge } from "./edge/start.ts";

const RESTART_MS = 3_000;

/** Starts the edges and starts one again that died, as an operator of a delivery network would. */
export async function superviseEdges({
  edges,
  logger,
}: {
  readonly edges: readonly EdgeOptions[];
  readonly logger: Logger;
}): Promise<{ readonly pids: () => readonly number[]; stop(): Promise<void> }> {
  const running = new Map<string, RunningEdge>();
  let isStopping = false;

  async function keep(options: EdgeOptions, first: RunningEdge): Promise<void> {
    let edge = first;
    while (!isStopping) {
      running.set(options.id, edge);
      await edge.exited;
      if (isStopping) return;
      logger.warn("an edge ended and is started again", { edge: options.id });
      await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
      if (isStopping) return;
      const next = await startEdge(options).catch((error: unknown) => {
        logger.error("an edge does not start", { edge: options.id, error });
        return null;
      });
      if (next) edge = next;
    }
  }

  const started = await Promise.allSettled(edges.map((options) => startEdge(options)));
  const keeping: Promise<void>[] = [];
  for (const [i, result] of started.entries()) {
    const options = edges[i];
    if (result.status === "fulfilled" && options) keeping.push(keep(options, result.value));
  }
  const stop = async (): Promise<void> => {
    isStopping = true;
    await Promise.all([...running.values()].map((edge) => edge.stop()));
  };
  const failed = started.find((result) => result.status === "rejected");
  if (failed?.status === "rejected") {
    await stop();
    throw failed.reason;
  }
  return { pids: () => [...running.values()].map(({ pid }) => pid), stop };
}
