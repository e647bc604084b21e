/** Renders pages in a thread of its own, so that a slow page never delays a heartbeat. */
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { RenderRequest, RenderResult } from "../bffs/web/site.ts";

interface Bundle {
  render(request: RenderRequest & { readonly assets: unknown }): Promise<RenderResult>;
}
export type ToRenderer = { readonly id: number; readonly request: RenderRequest };
export type FromRenderer = { readonly id: number; readonly result?: RenderResult; readonly message?: string };

const { serverEntry, manifestFile } = workerData as { serverEntry: string; manifestFile: string };
const bundle = (await import(serverEntry)) as Bundle;
const assets: unknown = JSON.parse(readFileSync(manifestFile, "utf8"));

parentPort?.on("message", ({ id, request }: ToRenderer) => {
  bundle.render({ ...request, assets }).then(
    (result) => parentPort?.postMessage({ id, result } satisfies FromRenderer),
    (error: unknown) =>
      parentPort?.postMessage({
        id,
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      } satisfies FromRenderer),
  );
});
