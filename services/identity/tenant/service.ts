// Tenant: who operates this service. Tenants are known by the host name that people type.
import { Tenant } from "#contracts/tenant";
import { assertTenant, type Db, defineService, isUniqueViolation, problem, systemContext } from "#kernel";
import type { Cache } from "#kernel/ports/cache";
import { ACCENT_DEFAULT, checkTenant, normalizeHost, type Tenant as TenantRow } from "./domain.ts";
import * as store from "./store.ts";

const TENANTS_MAX = 1_000;
/** Another process may have changed a tenant: its answer is believed for so long. */
const CACHE_MS = 10_000;

interface Parts {
  readonly db: Db<typeof Tenant>;
  readonly cache: Cache;
  readonly fallback: string;
}

export default defineService({
  contract: Tenant,
  uses: {},
  slo: { p99Ms: 20, availability: 0.9999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),
  // Tenants are what everything else is divided by, so their own list cannot be divided.
  tenantless: ["tenants", "hosts"],

  async start({ db, cache, config }): Promise<Parts> {
    const fallback = assertTenant(config.MARQUEE_TENANT);
    await db.tx(systemContext(fallback, "tenant"), (tx) =>
      store.seed(tx, { id: fallback, name: "Marquee", hosts: [], accent: ACCENT_DEFAULT }),
    );
    return { db, cache, fallback };
  },

  rpc: (parts) => ({
    async resolve({ host }) {
      return { tenant: await resolve(parts, normalizeHost(host)) };
    },
    async get({ id }) {
      return { tenant: await byId(parts, id) };
    },
    async list() {
      return {
        tenants: (await parts.db.read({ tenant: parts.fallback }, (tx) => store.list(tx, TENANTS_MAX))).map(toMessage),
      };
    },
    async put({ tenant }) {
      if (!tenant) throw problem.invalid("tenant is missing");
      const next = checkTenant({ ...tenant, id: assertTenant(tenant.id) });
      const before = await parts.db
        .tx({ tenant: parts.fallback }, async (tx) => {
          const known = await store.find(tx, next.id);
          await store.put(tx, next);
          return known;
        })
        .catch((error: unknown) => {
          if (!isUniqueViolation(error)) throw error;
          throw problem.alreadyExists(`one of the hosts ${next.hosts.join(", ")} belongs to another tenant`, {
            reason: "host_taken",
          });
        });
      await parts.cache.delete([...(before?.hosts ?? []), ...next.hosts].map(cacheKey));
      return { tenant: toMessage(next) };
    },
  }),

  ready: ({ db }) => db.ping(),
});

const cacheKey = (host: string): string => `host/${host}`;
const toMessage = (tenant: TenantRow) => ({ ...tenant, hosts: [...tenant.hosts] });

async function byId({ db, fallback }: Parts, id: string) {
  const found = await db.read({ tenant: fallback }, (tx) => store.find(tx, id));
  if (!found) throw problem.notFound(`tenant '${id.slice(0, 80)}' does not exist`);
  return toMessage(found);
}

/** Every page and every token asks this, so the host's tenant is remembered for a short while; the tenant itself is read. */
async function resolve(parts: Parts, host: string) {
  if (host.length === 0 || host.length > 253) return byId(parts, parts.fallback);
  const known = await parts.cache.get(cacheKey(host));
  if (known !== undefined) return byId(parts, known);
  const found = await parts.db.read({ tenant: parts.fallback }, (tx) => store.findByHost(tx, host));
  // Only hosts of tenants are remembered: made-up Host headers must not fill the cache.
  if (found) await parts.cache.set(cacheKey(host), found.id, CACHE_MS);
  return found ? toMessage(found) : byId(parts, parts.fallback);
}
