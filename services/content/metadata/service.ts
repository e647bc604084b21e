// Metadata: what is found in titles by looking and listening, and what people say of it.
import { Catalog, type CatalogAvailabilityChanged } from "#contracts/catalog";
import { Encoding, type EncodingCompleted } from "#contracts/encoding";
import { Ingest, type IngestCompleted } from "#contracts/ingest";
import { Metadata } from "#contracts/metadata";
import { defineService, on, problem, type Received } from "#kernel";
import type { SourceInfo } from "#kernel/ports/transcoder";
import { correct, decide, enrich } from "./ask.ts";
import { CORRECTIONS, STEPS } from "./domain.ts";
import { describeTitles, toFindingMessage } from "./message.ts";
import { type MetadataPlatform, type MetadataTx, type Parts, removeObjects } from "./parts.ts";
import { pictureAt } from "./picture.ts";
import { similar } from "./similar.ts";
import * as store from "./store.ts";
import { publishSubtitles } from "./subtitles-shown.ts";
import * as findings from "./store-findings.ts";
import { listWeights, takeWeights } from "./weights.ts";
import { openTurns } from "./turns.ts";
import { ASKED, clearScratch, QUEUE, send, work } from "./work.ts";

const LIMIT_MAX = 200;
/** What is shown as unsure where nobody names a limit. */
const UNSURE_BELOW = 0.6;
const STATES: readonly string[] = ["waiting", "accepted", "rejected"];
/** A film of two hours is listened to in an hour where nobody else wants the machine. */
const EXPIRE_S = 6 * 3_600;

export default defineService({
  contract: Metadata,
  uses: { catalog: Catalog, encoding: Encoding },
  slo: { p99Ms: 150, availability: 0.9995 },
  ai: {
    feeds: "catalogue and search: chapters, subtitles, tags, pictures, what a person should look at",
    uses: "Whisper and Silero for speech, nsfwjs for nudity and for what titles look like, BlazeFace, measures of pictures; the language model and the moderation server where there are some",
    fallback:
      "each step by itself: without its weights it is skipped and says so; what people say wins over all of them",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start(platform: MetadataPlatform): Parts {
    const { db, call, objects, jobs, transcoder, models, asr, llm, moderation } = platform;
    const { flags, clock, logger, config, metrics } = platform;
    const steps = metrics.counter("enrichment_steps_total", "Steps of enrichment that ended", ["part", "outcome"]);
    return {
      ...{ db, call, objects, jobs, transcoder, models, asr, llm, moderation, flags, clock, logger, config },
      ended: (step, state) => steps.inc({ part: step, outcome: state }),
      progress: new Map(),
      cutters: openTurns(),
      steps: openTurns(),
      workers: [],
    };
  },

  on: [
    on(Ingest.events.completed)(remember),
    on(Encoding.events.completed)(begin),
    on(Catalog.events.availabilityChanged)(forget),
  ],

  rpc: (parts) => ({
    enrich: (request, context) => enrich(parts, request, context),
    async get({ contentId }, context) {
      const found = await parts.db.read(context, (tx) => store.title(tx, contentId));
      if (!found)
        throw problem.notFound(`'${contentId.slice(0, 80)}' was not taken in, so there is nothing to look at`);
      const [title] = await describeTitles(parts, [found], context, { withValues: true });
      return title ? { title } : {};
    },
    async list({ limit }, context) {
      const found = await parts.db.read(context, (tx) => store.newest(tx, Math.min(limit || LIMIT_MAX, LIMIT_MAX)));
      return { titles: await describeTitles(parts, found, context, { withValues: false }) };
    },
    correct: (request, context) => correct(parts, request, context),
    publishSubtitles: (request, context) => publishSubtitles(parts, request, context),
    async findings({ contentId, state, limit }, context) {
      const wanted = state || "waiting";
      if (!STATES.includes(wanted)) throw problem.invalid(`state '${wanted.slice(0, 40)}' is not ${STATES.join(", ")}`);
      const found = await parts.db.read(context, (tx) =>
        findings.list(tx, {
          ...{ contentId, state: wanted as findings.Finding["state"] },
          limit: Math.min(limit || LIMIT_MAX, LIMIT_MAX),
        }),
      );
      return { findings: found.map(toFindingMessage) };
    },
    decide: (request, context) => decide(parts, request, context),
    async unsure({ confidenceBelow, limit }, context) {
      const below = confidenceBelow || UNSURE_BELOW;
      if (!(below > 0 && below <= 1)) throw problem.invalid(`confidence_below ${below} is not above 0 and at most 1`);
      const of = { below, limit: Math.min(limit || LIMIT_MAX, LIMIT_MAX), what: CORRECTIONS };
      const found = await parts.db.read(context, (tx) => store.unsure(tx, of));
      return { results: found.map(({ atMs, ...result }) => ({ ...result, atMs: BigInt(atMs) })) };
    },
    similar: (request, context) => similar(parts, request, context),
    picture: (request, context) => pictureAt(parts, request, context),
    takeWeights: (request, context) => takeWeights(parts, request, context),
    async weights() {
      return { weights: await listWeights(parts) };
    },
  }),

  async run(parts) {
    await clearScratch(parts);
    for (const queue of [QUEUE, ASKED])
      await parts.jobs.createQueue(queue, { retriesMax: 3, retryDelayS: 5, heartbeatS: 15, expireS: EXPIRE_S });
    // One at a time: whoever imports a hundred films wants to watch them first.
    const take = (queue: string) => parts.jobs.work(queue, { concurrency: 1 }, (job) => work(parts, job));
    parts.workers = [await take(QUEUE), await take(ASKED)];
  },

  ready: ({ db }) => db.ping(),

  async stop({ workers }) {
    await Promise.all(workers.map((worker) => worker.stop()));
  },
});

/** The file is known from the moment that it was accepted; it is looked at when its encoder is done. */
async function remember(parts: Parts, tx: MetadataTx, events: readonly Received<IngestCompleted>[]): Promise<void> {
  for (const { data } of events) {
    await store.saveTitle(tx, {
      ...{ contentId: data.contentId, sourceKey: data.sourceKey, durationS: data.durationS },
      source: JSON.parse(data.sourceJson) as SourceInfo,
      sidecars: JSON.parse(data.textJson) as store.Sidecar[],
      begunAtMs: parts.clock.nowMs(),
    });
    await store.insertSteps(tx, data.contentId, STEPS);
  }
}

async function begin(parts: Parts, tx: MetadataTx, events: readonly Received<EncodingCompleted>[]): Promise<void> {
  if (!parts.config.MARQUEE_ENRICH) return;
  for (const { data, tenant } of events) {
    if (data.stage !== "complete") continue;
    const { contentId } = data;
    const waiting = (await store.steps(tx, [contentId])).filter(({ state }) => state === "waiting");
    await send(
      parts,
      tx,
      waiting.map(({ name, attempt }) => ({ tenant, contentId, step: name, attempt })),
    );
  }
}

/** A deleted title leaves nothing behind; its fingerprint must not call a later film its twin. */
async function forget(
  parts: Parts,
  tx: MetadataTx,
  events: readonly Received<CatalogAvailabilityChanged>[],
): Promise<void> {
  for (const { data, tenant } of events) {
    if (data.reason !== "deleted") continue;
    await store.forget(tx, data.contentId);
    await removeObjects(parts, tenant, data.contentId);
  }
}
