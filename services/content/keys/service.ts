// Keys: a content key set per title and package revision in the secrets port, described in CPIX, registered with DRM back ends.
import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { Catalog, type CatalogAvailabilityChanged } from "#contracts/catalog";
import { Keys } from "#contracts/keys";
import { audited, type Context, defineService, on, type Platform, problem, type Received, type Tx } from "#kernel";
import { cpixOf } from "./cpix.ts";
import { type ContentKey, KEY_CLASSES, secretName, secretPrefix, signallingOf } from "./domain.ts";

const CONTENT_ID = /^[A-Za-z0-9_-]{1,64}$/;
const REVISIONS_MAX = 10_000;
const REGISTRATION_TIMEOUT_MS = 10_000;
/** ARCH-001 section 8: CPIX documents of films are made on demand and cached for 24 hours. In memory only: they hold keys. */
const CPIX_CACHE = { max: 200, ttl: 86_400_000 };

type KeysPlatform = Platform<typeof Keys, Record<never, never>>;
interface Parts extends Pick<KeysPlatform, "secrets" | "config" | "logger" | "audit"> {
  readonly documents: LRUCache<string, string>;
}

export default defineService({
  contract: Keys,
  uses: {},
  slo: { p99Ms: 100, availability: 0.9999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },

  start: ({ secrets, config, logger, audit }: KeysPlatform): Parts => ({
    audit,
    secrets,
    config,
    logger,
    documents: new LRUCache(CPIX_CACHE),
  }),

  on: [on(Catalog.events.availabilityChanged)(forget)],

  rpc: (parts) => ({
    async createSet({ contentId, packageRevision }, context) {
      const keys =
        (await readSet(parts, context, contentId, packageRevision)) ??
        (await audited(parts.audit, attemptOf(context, "content_keys.make", contentId), () =>
          makeSet(parts, context, contentId, packageRevision),
        ));
      return signallingOf(keys, contentId);
    },
    async getSet({ contentId, packageRevision }, context) {
      return { keys: (await requireSet(parts, context, contentId, packageRevision)).map((key) => ({ ...key })) };
    },
    async signalling({ contentId, packageRevision }, context) {
      return signallingOf(await requireSet(parts, context, contentId, packageRevision), contentId);
    },
    async exportCpix({ contentId }, context) {
      // They leave the house in the clear, whoever asks.
      const name = await audited(parts.audit, attemptOf(context, "content_keys.export", contentId), () =>
        latest(parts, context, contentId),
      );
      const known = parts.documents.get(name);
      if (known) return { document: known };
      const document = cpixOf(contentId, parse((await parts.secrets.get(name))?.value));
      parts.documents.set(name, document);
      return { document };
    },
    async deleteContent({ contentId }, context) {
      await deleteSets(parts, context.tenant, contentId);
      return {};
    },
  }),

  ready: async () => {},
});

const attemptOf = ({ tenant, caller }: Context, what: string, contentId: string) => ({
  ...{ tenant, who: caller, what, on: contentId, from: "" },
});

async function readSet(
  { secrets }: Parts,
  context: Context,
  contentId: string,
  packageRevision: number,
): Promise<ContentKey[] | undefined> {
  if (!CONTENT_ID.test(contentId))
    throw problem.invalid(`content id '${contentId.slice(0, 80)}' is not of the form ${CONTENT_ID.source}`);
  const secret = await secrets.get(secretName(context.tenant, contentId, packageRevision));
  return secret && parse(secret.value);
}

async function requireSet(
  parts: Parts,
  context: Context,
  contentId: string,
  packageRevision: number,
): Promise<ContentKey[]> {
  const keys = await readSet(parts, context, contentId, packageRevision);
  if (!keys) throw problem.notFound(`'${contentId}' has no keys of revision ${packageRevision}`);
  return keys;
}

/** Makes a key for every class, registers them with the DRM back end, and only then keeps them: nobody encrypts with keys that no licence server knows. */
async function makeSet(
  parts: Parts,
  context: Context,
  contentId: string,
  packageRevision: number,
): Promise<ContentKey[]> {
  const keys = KEY_CLASSES.map(
    (keyClass): ContentKey => ({
      kid: randomBytes(16).toString("hex"),
      keyClass,
      key: randomBytes(16),
      iv: randomBytes(16),
    }),
  );
  await register(parts, contentId, keys);
  const stored = keys.map((key) => ({
    ...key,
    key: Buffer.from(key.key).toString("base64"),
    iv: Buffer.from(key.iv).toString("hex"),
  }));
  try {
    await parts.secrets.put(
      secretName(context.tenant, contentId, packageRevision),
      { keys: stored },
      { expectedVersion: 0 },
    );
    return keys;
  } catch (error) {
    // Somebody made the set meanwhile: theirs is the set.
    const theirs = await readSet(parts, context, contentId, packageRevision);
    if (theirs) return theirs;
    throw error;
  }
}

async function register({ config, logger }: Parts, contentId: string, keys: readonly ContentKey[]): Promise<void> {
  const url = config.MARQUEE_DRM_REGISTRATION_URL;
  if (!url) return;
  const answered = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/xml" },
    body: cpixOf(contentId, keys),
    signal: AbortSignal.timeout(REGISTRATION_TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw problem.unavailable("the DRM back end does not answer, so no keys were made", { cause: error });
  });
  if (!answered.ok) throw problem.unavailable(`the DRM back end answered ${answered.status}, so no keys were made`);
  logger.info("content keys were registered", { content_id: contentId, keys: keys.length });
}

async function latest({ secrets }: Parts, context: Context, contentId: string): Promise<string> {
  if (!CONTENT_ID.test(contentId))
    throw problem.invalid(`content id '${contentId.slice(0, 80)}' is not of the form ${CONTENT_ID.source}`);
  // Revisions are padded, so the last name is the newest set.
  const name = (await secrets.list(secretPrefix(context.tenant, contentId), REVISIONS_MAX)).toSorted().at(-1);
  if (!name) throw problem.notFound(`'${contentId}' has no keys yet`);
  return name;
}

function parse(value: Readonly<Record<string, unknown>> | undefined): ContentKey[] {
  const stored = (value?.["keys"] ?? []) as {
    kid: string;
    keyClass: ContentKey["keyClass"];
    key: string;
    iv: string;
  }[];
  return stored.map(({ kid, keyClass, key, iv }) => ({
    kid,
    keyClass,
    key: Buffer.from(key, "base64"),
    iv: Buffer.from(iv, "hex"),
  }));
}

async function deleteSets({ secrets, documents }: Parts, tenant: string, contentId: string): Promise<void> {
  for (const name of await secrets.list(secretPrefix(tenant, contentId), REVISIONS_MAX)) {
    await secrets.delete(name);
    documents.delete(name);
  }
}

async function forget(
  parts: Parts,
  _: Tx<typeof Keys>,
  events: readonly Received<CatalogAvailabilityChanged>[],
): Promise<void> {
  for (const { data, tenant } of events) if (data.reason === "deleted") await deleteSets(parts, tenant, data.contentId);
}
