import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Config, problem } from "#kernel";
import { openLogger } from "#kernel/telemetry";
import { buildClients } from "../scripts/build-clients.ts";
import { startProductAdmin } from "./admin/start.ts";
import { placesOf } from "./addresses.ts";
import { type Cell, cellOf, missingFor } from "./cell.ts";
import { composeProduct, type Product, startEdges } from "./compose.ts";
import { claim } from "./start.ts";

const STOP_MS_MAX = 15_000;

/** `marquee serve session token …`: runs a part of the product until it is told to stop; the rest of it is reached by address. */
export async function serve(config: Config, words: readonly string[], note: (line: string) => void): Promise<void> {
  const cell = cellOf(words);
  const missing = missingFor(cell, config);
  if (missing.length > 0) {
    for (const line of missing) note(`  ${line}`);
    throw problem.precondition(
      "a part of the product needs what its other parts share: set what is named above. npm start runs all of it in one process and needs none of that",
    );
  }
  const folder = resolve(config.MARQUEE_DATA);
  const release = await claim(folder);
  const stops: (() => Promise<unknown> | void)[] = [release];
  let isStopping = false;
  const stop = async (code: number): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(code || 1), STOP_MS_MAX).unref();
    for (const step of stops.toReversed()) await Promise.resolve(step()).catch(() => {});
    console.log("stopped");
    process.exit(code);
  };
  process.on("SIGINT", () => void stop(0));
  process.on("SIGTERM", () => void stop(0));
  const say = (line: string): void => console.log(line);
  try {
    await (isEdgesOnly(cell) ? runEdges(config, folder, stops) : runCell(cell, config, say, stops));
    console.log(`ready ${cell.names.join(" ")}`);
  } catch (error) {
    console.error(`\nMarquee could not start: ${error instanceof Error ? error.message : String(error)}`);
    if (config.MARQUEE_LOG_LEVEL === "debug") console.error(error);
    await stop(1);
  }
}

type Stops = (() => Promise<unknown> | void)[];

const isEdgesOnly = (cell: Cell): boolean => cell.names.every((name) => name === "edges");

/** Edges know the origin and its public keys; they need none of the engines. */
async function runEdges(config: Config, folder: string, stops: Stops): Promise<void> {
  await mkdir(folder, { recursive: true });
  const places = await placesOf(config);
  const edges = await startEdges(
    folder,
    places,
    openLogger({ level: config.MARQUEE_LOG_LEVEL, file: config.MARQUEE_LOG_FILE }),
  );
  stops.push(() => edges.stop());
  for (const { id, baseUrl } of places.addresses.edges) console.log(`${id.padEnd(9)} ${baseUrl}`);
}

async function runCell(cell: Cell, config: Config, say: (line: string) => void, stops: Stops): Promise<void> {
  const build = cell.names.includes("web") ? await buildClients({ say }) : undefined;
  const product = await composeProduct(config, { say, build, cell });
  stops.push(() => product.stop());
  const admin = await startProductAdmin(product, config, config.MARQUEE_ADMIN_HOST, { serves: cell.names.join(" ") });
  stops.push(() => admin.stop());
  announce(cell, product, config);
}

function announce(cell: Cell, { places, host }: Product, config: Config): void {
  if (cell.services.length > 0) console.log(`calls     port ${places.rpcPort}`);
  if (cell.names.includes("web") || host.http.length > 0) console.log(`public    ${places.addresses.publicUrl}`);
  if (cell.names.includes("edges"))
    for (const { id, baseUrl } of places.addresses.edges) console.log(`${id.padEnd(9)} ${baseUrl}`);
  console.log(`metrics   http://${config.MARQUEE_ADMIN_HOST}:${places.adminPort}/metrics`);
  console.log(`data      ${join(resolve(config.MARQUEE_DATA), "logs")}`);
}
