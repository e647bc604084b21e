import type { Config } from "#kernel";
import { backupProduct } from "../backup/product.ts";
import { isDemoAllowed, type Product } from "../compose.ts";
import { services } from "../services.ts";
import { type Admin, startAdmin } from "./server.ts";
import { adminSocketPath } from "./socket.ts";

/** The operator's doors to a product, or to the part of one that runs here. `about` is what commands may show of it, besides its address. */
export function startProductAdmin(
  product: Product,
  config: Config,
  bind: string,
  about: Readonly<Record<string, string>> = {},
): Promise<Admin> {
  const { host, adapters, states, places, metrics, tracing, audit, pseudonyms, logger } = product;
  return startAdmin({
    host,
    contracts: services.map((service) => service.contract),
    socketPath: adminSocketPath(config.MARQUEE_DATA),
    port: places.adminPort,
    bind,
    flags: adapters.flags,
    metrics,
    traces: tracing.traces,
    hasTracePages: config.MARQUEE_MODE === "development",
    audit,
    logger: logger("admin"),
    pseudonyms,
    states,
    backup: (options) => backupProduct(product, config, options),
    about: {
      ...{ url: places.addresses.publicUrl, tenant: config.MARQUEE_TENANT, mode: config.MARQUEE_MODE },
      ...{ demo: isDemoAllowed(config) ? 1 : 0, ...about },
    },
  });
}
