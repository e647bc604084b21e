// Encoding: makes the ladder: chunks and rungs as jobs, then one encrypted CMAF package.
import { availableParallelism } from "node:os";
import { Catalog, type CatalogAvailabilityChanged } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest, type IngestCompleted } from "#contracts/ingest";
import { Keys } from "#contracts/keys";
import { Metadata } from "#contracts/metadata";
import { Tenant } from "#contracts/tenant";
import {
  type Context,
  defineService,
  on,
  type Platform,
  problem,
  type Received,
  systemContext,
  type Tx,
} from "#kernel";
import type { Worker } from "#kernel/ports/jobs";
import type { SourceInfo } from "#kernel/ports/transcoder";
import { packageFolder } from "#media/presentation";
import { type Counters, openCounters } from "./counters.ts";
import { planOf, progressOf, type Preset, type Sidecar, stageOf, tasksOf } from "./domain.ts";
import { takeSubtitles } from "./found-text.ts";
import { announceStart } from "./ladder.ts";
import { openProgressBook, type ProgressBook } from "./progress.ts";
import { openScratch, type Scratch } from "./scratch.ts";
import { jobOf, QUEUE } from "./queue.ts";
import * as store from "./store.ts";
import { removeAll, work } from "./work.ts";

export { Encoding } from "#contracts/encoding";

const IDS_MAX = 200;
const LIMIT_MAX = 200;
/** Players of the old package have long finished or asked again by then. */
const KEEP_REPLACED_MS = 12 * 3_600_000;
/** Caches may keep what lies below a package's address for a year. */
const KEEP_RETIRED_MS = 400 * 24 * 3_600_000;

const uses = { keys: Keys, tenant: Tenant };
export type EncodingPlatform = Platform<typeof Encoding, typeof uses>;
export interface Parts
  extends Pick<EncodingPlatform, "db" | "call" | "objects" | "jobs" | "transcoder" | "clock" | "logger" | "config"> {
  readonly counters: Counters;
  readonly progress: ProgressBook;
  readonly scratch: Scratch;
  worker: Worker | null;
}

export default defineService({
  contract: Encoding,
  uses,
  slo: { p99Ms: 500, availability: 0.999 },
  ai: {
    feeds: "per-title encoding: sizes and qualities of every rung",
    uses: "a model of complexity, which picks the sizes and qualities of a film's ladder",
    fallback: "the fixed ladders; the title's encoding says why",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start: ({ db, call, objects, jobs, transcoder, clock, logger, config, metrics }: EncodingPlatform): Parts => ({
    ...{ db, call, objects, jobs, transcoder, clock, logger, config },
    counters: openCounters(metrics),
    progress: openProgressBook(),
    scratch: openScratch(config.MARQUEE_DATA),
    worker: null,
  }),

  on: [
    on(Ingest.events.completed)(begin),
    on(Catalog.events.availabilityChanged)(forget),
    on(Metadata.events.subtitlesPublished)(takeSubtitles),
  ],

  rpc: (parts) => ({
    async get({ contentId }, context) {
      const [found] = await describe(parts, [contentId], context);
      if (!found) throw problem.notFound(`'${contentId}' is not being encoded and never was`);
      return { encoding: found };
    },
    async getMany({ contentIds }, context) {
      if (contentIds.length > IDS_MAX)
        throw problem.invalid(`${contentIds.length} ids are more than ${IDS_MAX}: ask in parts`);
      return { encodings: await describe(parts, contentIds, context) };
    },
    async list({ limit, activeOnly }, context) {
      const rows = await parts.db.tx(context, (tx) =>
        store.recent(tx, Math.min(limit || LIMIT_MAX, LIMIT_MAX), activeOnly),
      );
      const [encodings, counts] = await Promise.all([
        describe(
          parts,
          rows.map((row) => row.contentId),
          context,
        ),
        parts.jobs.counts(QUEUE),
      ]);
      return { encodings, ...counts };
    },
    repackage: ({ contentId }, context) => repackage(parts, contentId, context),
    retry: ({ contentId }, context) => retry(parts, contentId, context),
  }),

  periodic: (parts) => [{ name: "delete replaced packages", everyMs: 3_600_000, run: () => deleteReplaced(parts) }],

  async run(parts) {
    await parts.scratch.clear();
    await parts.jobs.createQueue(QUEUE, { retriesMax: 5, retryDelayS: 2, heartbeatS: 10, expireS: 4 * 3_600 });
    const concurrency = parts.config.MARQUEE_ENCODE_CONCURRENCY ?? availableParallelism();
    parts.worker = await parts.jobs.work(QUEUE, { concurrency }, (job) => work(parts, job));
  },

  ready: ({ db }) => db.ping(),

  async stop({ worker }) {
    await worker?.stop();
  },
});

/** An accepted file becomes a plan, its tasks and their jobs, all in the consumer's transaction. */
async function begin(
  parts: Parts,
  tx: Tx<typeof Encoding>,
  events: readonly Received<IngestCompleted>[],
): Promise<void> {
  const { hevc } = await parts.transcoder.capabilities();
  for (const { data, tenant } of events) {
    const source = JSON.parse(data.sourceJson) as SourceInfo;
    const ladder = parts.config.MARQUEE_ENCODING_LADDER;
    const plan = planOf(source, data.preset as Preset, JSON.parse(data.textJson) as Sidecar[], { hevc, ladder });
    const tasks = tasksOf(plan);
    const row = { contentId: data.contentId, sourceKey: data.sourceKey, source, plan, nowMs: parts.clock.nowMs() };
    if (!(await store.insertTitle(tx, row, tasks))) continue;
    const of = { tenant, contentId: data.contentId, attempt: 1 };
    await parts.jobs.send(
      tx,
      QUEUE,
      tasks.map((task) => jobOf({ ...of, task: task.name }, task.stage)),
    );
    // A film that is measured first has no rungs yet that could be named.
    if (plan.ladder?.kind !== "measuring") announceStart(tx, data.contentId, plan);
  }
}

/** A deleted title leaves nothing behind: segments, intermediates, source and pictures go. */
async function forget(
  parts: Parts,
  tx: Tx<typeof Encoding>,
  events: readonly Received<CatalogAvailabilityChanged>[],
): Promise<void> {
  for (const { data, tenant } of events) {
    if (data.reason !== "deleted") continue;
    await store.forgetTitle(tx, data.contentId, parts.clock.nowMs());
    await removeAll(parts, tenant, data.contentId);
  }
}

async function describe(parts: Parts, contentIds: readonly string[], context: Context) {
  return parts.db.tx(context, async (tx) => {
    const rows = await store.titles(tx, contentIds);
    return Promise.all(
      rows.map(async (row) => {
        const tasks = await store.tasks(tx, row.contentId);
        const partial = parts.progress.of(`${tx.tenant}/${row.contentId}`);
        const progress = row.state === "complete" ? 1 : progressOf(tasks, partial);
        const elapsedS = (parts.clock.nowMs() - row.startedAtMs) / 1_000;
        return {
          contentId: row.contentId,
          state: row.state,
          progress,
          progressPlayable:
            row.packageRevision > 0
              ? 1
              : progressOf(
                  tasks.filter((task) => task.stage === "playable"),
                  partial,
                ) * 0.99,
          ladder: row.plan.ladder?.kind ?? "fixed",
          ladderReason: row.plan.ladder?.why ?? "",
          rungs: (row.plan.ladder?.kind === "measuring" ? [] : row.plan.video).map((rung) => ({
            ...{ profile: rung.profile, width: rung.width, height: rung.height },
            ...{ bitrateKbps: rung.bitrateKbps, expectedKbps: rung.expectedKbps ?? 0, vmaf: rung.vmaf ?? 0 },
            chunksDone: tasks.filter((task) => task.profile === rung.profile && task.done).length,
            chunksTotal: rung.chunks.length,
            packaged: row.state === "complete" || (row.state === "playable" && stageOf(row.plan, rung) === "playable"),
          })),
          failure: row.failure,
          leftS: progress > 0.02 && progress < 1 ? (elapsedS * (1 - progress)) / progress : 0,
          preset: row.plan.preset,
          packageRevision: row.packageRevision,
          indexVersion: row.indexVersion,
          startedAtMs: BigInt(row.startedAtMs),
        };
      }),
    );
  });
}

async function repackage(parts: Parts, contentId: string, context: Context) {
  return parts.db.tx(context, async (tx) => {
    const title = await store.title(tx, contentId, { lock: true });
    if (!title || title.packageRevision === 0)
      throw problem.precondition(`'${contentId}' has no package yet: wait until it plays`);
    if (title.state === "failed")
      throw problem.precondition(`the last work on '${contentId}' failed: try it again first`);
    const revision = (await store.unfinishedRevision(tx, contentId)) ?? (await store.newRevision(tx, contentId));
    // The revision is part of the key, so that a second request during the first is the same work.
    const job = jobOf({ tenant: tx.tenant, contentId, attempt: title.attempt, task: "package/again" }, "package");
    await parts.jobs.send(tx, QUEUE, [{ ...job, key: `${job.key}/${revision}` }]);
    return { packageRevision: revision };
  });
}

/** Goes on where a failed title stopped: finished chunks stay. */
async function retry(parts: Parts, contentId: string, context: Context) {
  await parts.db.tx(context, async (tx) => {
    const title = await store.title(tx, contentId, { lock: true });
    if (!title) throw problem.notFound(`'${contentId}' is not being encoded and never was`);
    if (title.state !== "failed")
      throw problem.precondition(`'${contentId}' is ${title.state}: only a failed title can be tried again`);
    const attempt = title.attempt + 1;
    await store.updateTitle(tx, contentId, {
      state: title.packageRevision > 0 ? "playable" : "encoding",
      failure: "",
      failure_reason: "",
      attempt,
      finished_at_ms: null,
    });
    const of = { tenant: tx.tenant, contentId, attempt };
    const open = (await store.tasks(tx, contentId)).filter((task) => !task.done);
    await parts.jobs.send(
      tx,
      QUEUE,
      open.map((task) => jobOf({ ...of, task: task.name }, task.stage)),
    );
    for (const stage of ["playable", "complete"] as const) {
      if (await store.isStageDone(tx, contentId, stage))
        await parts.jobs.send(tx, QUEUE, [jobOf({ ...of, task: `package/${stage}` }, "package")]);
    }
  });
  return {};
}

async function deleteReplaced(parts: Parts): Promise<void> {
  const { tenants } = await parts.call.tenant.list({}, systemContext("system", "encoding", { clock: parts.clock }));
  for (const { id } of tenants) {
    await parts.db.tx({ tenant: id }, (tx) => store.forgetRetired(tx, parts.clock.nowMs() - KEEP_RETIRED_MS));
    const old = await parts.db.tx({ tenant: id }, (tx) =>
      store.replacedBefore(tx, parts.clock.nowMs() - KEEP_REPLACED_MS, 100),
    );
    for (const { contentId, revision } of old) {
      await parts.objects.deletePrefix(`${packageFolder(contentId, revision)}/`);
      await parts.db.tx({ tenant: id }, (tx) => store.forgetRevision(tx, contentId, revision));
    }
  }
}
