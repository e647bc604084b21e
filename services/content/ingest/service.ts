// Ingest: takes files in: copies, checks, probes, fingerprints, and says why not.
import { stat } from "node:fs/promises";
import { basename, isAbsolute } from "node:path";
import { Catalog, type CatalogAvailabilityChanged, isSimulatedId } from "#contracts/catalog";
import { type ImportRequest, Ingest } from "#contracts/ingest";
import { type Context, defineService, newId, on, type Platform, problem, type Received, type Tx } from "#kernel";
import type { Worker } from "#kernel/ports/jobs";
import { isLanguage, presetOf, sourceFolder, titleFromFile, type Wishes } from "./domain.ts";
import * as store from "./store.ts";
import { jobOf, QUEUE, take } from "./work.ts";

const LIMIT_MAX = 500;
const CONTENT_ID = /^[A-Za-z0-9_-]{1,64}$/;
const SUBTITLES_MAX = 60;
const METADATA_CHARACTERS_MAX = 100_000;

export type IngestPlatform = Platform<typeof Ingest, Record<never, never>>;
export interface Parts extends Pick<IngestPlatform, "db" | "objects" | "jobs" | "transcoder" | "clock" | "logger"> {
  /** Counts an import that was accepted, or refused for a reason. */
  readonly taken: (outcome: "accepted" | "refused", reason: string) => void;
  worker: Worker | null;
}

export default defineService({
  contract: Ingest,
  uses: {},
  slo: { p99Ms: 500, availability: 0.999 },
  ai: {
    feeds: "fingerprints for duplicates",
    uses: "none yet; enrichment follows ingest.completed",
    fallback: "none needed",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, objects, jobs, transcoder, clock, logger, metrics }: IngestPlatform): Parts {
    const ingests = metrics.counter("ingests_total", "Files that were accepted or refused", ["outcome", "reason"]);
    const taken: Parts["taken"] = (outcome, reason) => ingests.inc({ outcome, reason });
    return { db, objects, jobs, transcoder, clock, logger, taken, worker: null };
  },

  on: [on(Catalog.events.availabilityChanged)(forget)],

  rpc: (parts) => ({
    import: (request, context) => takeIn(parts, request, context),
    async get({ contentId }, context) {
      const found = await parts.db.tx(context, (tx) => store.find(tx, contentId));
      if (!found) throw problem.notFound(`nothing was imported as '${contentId}'`);
      return { ingest: toMessage(found) };
    },
    async list({ limit }, context) {
      const found = await parts.db.tx(context, (tx) => store.list(tx, Math.min(limit || LIMIT_MAX, LIMIT_MAX)));
      return { ingests: found.map(toMessage) };
    },
    async retry({ contentId }, context) {
      await parts.db.tx(context, async (tx) => {
        const found = await store.find(tx, contentId);
        if (!found) throw problem.notFound(`nothing was imported as '${contentId}'`);
        if (found.state !== "failed")
          throw problem.precondition(
            `the import of '${contentId}' is ${found.state}: only a failed one can be tried again`,
          );
        const attempt = found.attempt + 1;
        await store.update(tx, contentId, {
          state: "waiting",
          failure: "",
          failure_reason: "",
          duplicate_of: "",
          attempt,
        });
        announceStart(tx, found);
        await parts.jobs.send(tx, QUEUE, [jobOf({ tenant: tx.tenant, contentId, attempt })]);
      });
      return {};
    },
  }),

  async run(parts) {
    await parts.jobs.createQueue(QUEUE, { retriesMax: 4, retryDelayS: 2, heartbeatS: 10, expireS: 3_600 });
    parts.worker = await parts.jobs.work(QUEUE, { concurrency: 2 }, (job) => take(parts, job));
  },

  ready: ({ db }) => db.ping(),

  async stop({ worker }) {
    await worker?.stop();
  },
});

async function takeIn(parts: Parts, request: ImportRequest, context: Context) {
  const preset = presetOf(request.preset);
  if (!preset) throw problem.invalid(`preset '${request.preset}' is not known: quick or full`);
  if (request.contentId !== "" && !CONTENT_ID.test(request.contentId))
    throw problem.invalid(`content id '${request.contentId.slice(0, 80)}' is not of the form ${CONTENT_ID.source}`);
  if (isSimulatedId(request.contentId))
    throw problem.invalid(
      `content id '${request.contentId}' is of those that simulated titles have: choose another one`,
    );
  await requireFile(request.path);
  if (request.subtitles.length > SUBTITLES_MAX)
    throw problem.invalid(`${request.subtitles.length} subtitle files are more than ${SUBTITLES_MAX}`);
  for (const { path, language } of request.subtitles) {
    if (!isLanguage(language))
      throw problem.invalid(`'${language}' is not a language tag: write for example en, de or pt-BR after the colon`);
    await requireFile(path);
  }
  const contentId = request.contentId || newId("vod", parts.clock.nowMs());
  const metadata = parseMetadata(request.metadataJson);
  const wishes: Wishes = {
    title: request.title || titleIn(metadata) || titleFromFile(request.path),
    subtitles: request.subtitles.map(({ path, language }) => ({ path, language })),
    metadata,
    allowDuplicate: request.allowDuplicate,
    publish: request.publish,
  };
  await parts.db.tx(context, async (tx) => {
    const row = {
      contentId,
      fileName: basename(request.path),
      sourcePath: request.path,
      preset,
      wishes,
      nowMs: parts.clock.nowMs(),
    };
    if (!(await store.insert(tx, row))) return;
    announceStart(tx, row);
    await parts.jobs.send(tx, QUEUE, [jobOf({ tenant: tx.tenant, contentId, attempt: 1 })]);
  });
  return { contentId };
}

function announceStart(
  tx: Tx<typeof Ingest>,
  of: { readonly contentId: string; readonly fileName: string; readonly wishes: Wishes },
): void {
  const metadataJson = JSON.stringify({ ...of.wishes.metadata, title: of.wishes.title });
  tx.emit("started", { contentId: of.contentId, fileName: of.fileName, metadataJson, publish: of.wishes.publish });
}

async function requireFile(path: string): Promise<void> {
  if (!isAbsolute(path)) throw problem.invalid(`'${path}' is not an absolute path`);
  const info = await stat(path).catch((error: unknown) => {
    throw problem.notFound(`'${path}' cannot be read: check the name and its permissions`, { cause: error });
  });
  if (!info.isFile()) throw problem.invalid(`'${path}' is not a file; to take in a folder use: marquee watch`);
  if (info.size === 0)
    throw problem.unsupportedMedia(`'${basename(path)}' is empty (0 bytes): copy it again`, { reason: "empty_file" });
}

const titleIn = ({ title }: Readonly<Record<string, unknown>>): string =>
  typeof title === "string" ? title.trim() : "";

function parseMetadata(json: string): Readonly<Record<string, unknown>> {
  if (json === "") return {};
  if (json.length > METADATA_CHARACTERS_MAX) throw problem.invalid("the metadata is longer than 100,000 characters");
  try {
    const parsed: unknown = JSON.parse(json);
    if (parsed !== null && typeof parsed === "object" && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {
    // Falls through to the one error below.
  }
  throw problem.invalid("the metadata is not a JSON object");
}

/** The source goes with the title; its fingerprint must not call a later import a duplicate. */
async function forget(
  parts: Parts,
  tx: Tx<typeof Ingest>,
  events: readonly Received<CatalogAvailabilityChanged>[],
): Promise<void> {
  for (const { data, tenant } of events) {
    if (data.reason !== "deleted") continue;
    await store.remove(tx, data.contentId);
    await parts.objects.deletePrefix(sourceFolder(tenant, data.contentId));
  }
}

const toMessage = (ingest: store.Ingest) => ({
  contentId: ingest.contentId,
  fileName: ingest.fileName,
  state: ingest.state,
  failure: ingest.failure,
  failureReason: ingest.failureReason,
  duplicateOf: ingest.duplicateOf,
  createdAtMs: BigInt(ingest.createdAtMs),
  durationS: ingest.durationS,
  width: ingest.width,
  height: ingest.height,
});
