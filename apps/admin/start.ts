import { type Config, systemClock } from "#kernel";
import { backupProduct } from "../backup/product.ts";
import { isDemoAllowed, type Product } from "../compose.ts";
import type { Console } from "../console/server.ts";
import { services } from "../services.ts";
import { type Admin, startAdmin } from "./server.ts";
import { adminSocketPath } from "./socket.ts";

/** The operator's doors to a product, or to the part of one that runs here. `about` is what commands may show of it, besides its address. */
export async function startProductAdmin(
  product: Product,
  config: Config,
  bind: string,
  about: Readonly<Record<string, string>> = {},
): Promise<Admin> {
  const { host, adapters, states, places, metrics, tracing, audit, pseudonyms, logger } = product;
  const pages = consoleOf(product);
  const admin = await startAdmin({
    consoleLink: async (tenant) => (await pages()).link(tenant),
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
  return {
    ...admin,
    async stop() {
      await Promise.all([admin.stop(), pages.stop()]);
    },
  };
}

/** The operators' pages, whose code is loaded when somebody asks for them. */
function consoleOf({ host, places, metrics, audit, logger }: Product) {
  let opened: Promise<Console> | undefined;
  const open = async (): Promise<Console> => {
    const [{ openConsole }, { buildConsole }] = await Promise.all([
      import("../console/server.ts"),
      import("../../scripts/build-clients.ts"),
    ]);
    return openConsole({
      ...{ host, metrics, clock: systemClock, audit: audit.of("console"), logger: logger("console") },
      ...{ port: places.consolePort, publicUrl: places.addresses.publicUrl },
      build: async () => (await buildConsole({ say: (line) => logger("console").info(line) })).client,
    });
  };
  const pages = (): Promise<Console> => (opened ??= open());
  return Object.assign(pages, { stop: async () => (await opened)?.stop() });
}
