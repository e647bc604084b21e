import { join, resolve } from "node:path";
import { topics } from "#contracts/topics";
import { type Config, systemClock } from "#kernel";
import type { Product } from "../compose.ts";
import { services } from "../services.ts";
import { backup } from "./backup.ts";

/** A backup of a running product, whichever of its services run in this process. */
export const backupProduct = (
  { adapters }: Pick<Product, "adapters">,
  { MARQUEE_DATA }: Config,
  options: { readonly withMedia: boolean },
): AsyncIterable<Uint8Array> =>
  backup(
    { adapters, services, topics, scratchFolder: join(resolve(MARQUEE_DATA), "run"), clock: systemClock },
    options,
  );
