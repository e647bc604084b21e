import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { problem } from "#kernel";
import type { RenderResult, Site } from "../bffs/web/site.ts";
import type { FromRenderer, ToRenderer } from "./ssr-worker.ts";

const RENDER_TIMEOUT_MS = 10_000;
const WAITING_MAX = 200;

export interface Renderer extends Site {
  stop(): Promise<void>;
}

interface RefusalBundle {
  openRefusals(): Promise<Site["refusal"]>;
}

/**
 * Starts the renderer when the first page is asked for, and again when it died. What is shown where no page can be made needs
 * no renderer: it must be there when that one is busy or gone.
 */
export async function openRenderer(build: { readonly client: string; readonly server: string }): Promise<Renderer> {
  const refusals = (await import(serverFile(build.server, "entry-refusal.js"))) as RefusalBundle;
  const refusal = await refusals.openRefusals();
  const waiting = new Map<
    number,
    { resolve(result: RenderResult): void; reject(error: unknown): void; timer: NodeJS.Timeout }
  >();
  let worker: Worker | undefined;
  let id = 0;

  function settle(of: number): ReturnType<typeof waiting.get> {
    const waiter = waiting.get(of);
    clearTimeout(waiter?.timer);
    waiting.delete(of);
    return waiter;
  }

  function start(): Worker {
    const started = new Worker(new URL("./ssr-worker.ts", import.meta.url), {
      workerData: {
        serverEntry: serverFile(build.server, "entry-server.js"),
        manifestFile: join(build.client, ".vite/manifest.json"),
      },
      env: { NODE_ENV: "production" },
    });
    started.on("message", ({ id: of, result, message }: FromRenderer) => {
      const waiter = settle(of);
      if (result) waiter?.resolve(result);
      else waiter?.reject(problem.internal("the page could not be rendered", { cause: new Error(message) }));
    });
    const fail = (error: unknown): void => {
      if (worker === started) worker = undefined;
      for (const of of waiting.keys())
        settle(of)?.reject(problem.unavailable("the page could not be rendered: try again", { cause: error }));
    };
    started.on("error", fail).on("exit", () => fail(new Error("the renderer ended")));
    return started;
  }

  return {
    clientFolder: build.client,
    refusal,
    render(request) {
      if (waiting.size >= WAITING_MAX)
        return Promise.reject(problem.unavailable("too many pages at once: try again", { retryAfterS: 1 }));
      worker ??= start();
      const of = ++id;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => settle(of)?.reject(problem.deadline("the page took too long to render")),
          RENDER_TIMEOUT_MS,
        );
        waiting.set(of, { resolve, reject, timer });
        worker?.postMessage({ id: of, request } satisfies ToRenderer);
      });
    },
    async stop() {
      await worker?.terminate();
    },
  };
}

const serverFile = (folder: string, name: string): string => pathToFileURL(join(folder, name)).href;
