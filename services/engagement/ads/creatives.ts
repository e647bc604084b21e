import { createWriteStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { AddCreativeRequest } from "#contracts/ads";
import type { EncodingCompleted, EncodingFailed } from "#contracts/encoding";
import type { IngestFailed } from "#contracts/ingest";
import type { Ads } from "#contracts/ads";
import { type Context, newId, problem, type Received, systemContext, toProblem, type Tx } from "#kernel";
import type { Job } from "#kernel/ports/jobs";
import { isCreativeId } from "./domain.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

export const QUEUE = "ads";
/** A film of a minute in the best quality that ad servers hand out is smaller. */
const FILM_BYTES_MAX = 100 * 1_024 * 1_024;
const FETCH_MS_MAX = 120_000;

export const jobOf = (tenant: string, creativeId: string) => ({
  key: `${tenant}/${creativeId}`,
  payload: { tenant, creativeId },
});

/** Takes a film in as a creative: it goes the way of all films, and its content id says that it is none. */
export async function addCreative(
  parts: Parts,
  request: AddCreativeRequest,
  context: Context,
): Promise<store.CreativeRow> {
  const { db, clock } = parts;
  const { campaignId, title, clickThrough } = request;
  if (title.trim() === "" || title.length > 200) throw problem.invalid("title must have 1 to 200 characters");
  if (clickThrough !== "" && !(URL.canParse(clickThrough) && /^https?:$/.test(new URL(clickThrough).protocol)))
    throw problem.invalid(`'${clickThrough.slice(0, 80)}' is no http or https address`);
  const known = await db.read(context, (tx) => store.campaigns(tx));
  if (campaignId !== "" && !known.some(({ id }) => id === campaignId))
    throw problem.notFound(
      `campaign '${campaignId.slice(0, 80)}' does not exist: ./marquee ad campaign list shows those that do`,
    );
  const id = newId("ad", clock.nowMs()).replace("_", "-");
  const row = {
    ...{ id, campaign_id: campaignId, title: title.trim(), click_through: clickThrough, state: "processing" as const },
    ...{ failure: "", duration_s: 0, package_revision: 0, index_version: 0, external_key: null, source_url: null },
    created_at_ms: clock.nowMs(),
  };
  // The row is there before anybody can say that its film is ready.
  await db.tx(context, (tx) => store.insertCreative(tx, row));
  try {
    await importFilm(parts, row, request.path, request.preset, context);
  } catch (error) {
    await db.tx(context, (tx) => store.removeCreative(tx, id));
    throw error;
  }
  return { ...row, tenant: context.tenant };
}

async function importFilm(
  { call }: Parts,
  { id, title }: Pick<store.CreativeRow, "id" | "title">,
  path: string,
  preset: string,
  context: Context,
): Promise<void> {
  const metadataJson = JSON.stringify({ kind: "ad", title });
  // The same film may be bought by two advertisers, and viewers never find it in the catalogue.
  await call.ingest.import(
    { path, preset, title, subtitles: [], contentId: id, metadataJson, allowDuplicate: true, publish: false },
    context,
  );
}

/** Where films of other servers wait until they were taken in. */
const incomingFolder = ({ config }: Parts): string => resolve(config.MARQUEE_DATA, "ads");
const incomingFile = (parts: Parts, creativeId: string): string => join(incomingFolder(parts), `${creativeId}.film`);

/** Fetches a film that another server named. What cannot be had is a creative that failed, and that ad is not shown. */
export async function fetchCreative(parts: Parts, job: Job): Promise<void> {
  const { tenant, creativeId } = job.payload as { readonly tenant: string; readonly creativeId: string };
  const signal = AbortSignal.any([job.signal, AbortSignal.timeout(FETCH_MS_MAX)]);
  const context = systemContext(tenant, "ads", { deadlineMs: FETCH_MS_MAX + 30_000, signal, clock: parts.clock });
  const row = await parts.db.tx(context, (tx) => store.creative(tx, creativeId));
  if (!row || row.state !== "fetching" || row.source_url === null) return;
  const file = incomingFile(parts, creativeId);
  try {
    await mkdir(incomingFolder(parts), { recursive: true, mode: 0o700 });
    await parts.outside.read(row.source_url, { signal, bytesMax: FILM_BYTES_MAX }, (chunks) =>
      pipeline(chunks, createWriteStream(file, { mode: 0o600 })),
    );
    if ((await stat(file)).size === 0) throw problem.unsupportedMedia("the ad server answered with an empty file");
    await importFilm(parts, row, file, "full", context);
    await parts.db.tx(context, (tx) => store.beginProcessing(tx, creativeId));
  } catch (error) {
    if (job.signal.aborted) throw error;
    const fault = toProblem(error);
    if (fault.retryable && !job.isLastAttempt) throw error;
    await rm(file, { force: true });
    await failed(parts, tenant, creativeId, fault.message);
  }
}

async function failed({ db }: Parts, tenant: string, creativeId: string, failure: string): Promise<void> {
  await db.tx({ tenant }, (tx) =>
    store.updateCreative(tx, creativeId, { state: "failed", failure: failure.slice(0, 500) }),
  );
}

type AdsTx = Tx<typeof Ads>;

/** A creative that plays can be shown. Rungs that join later are used by the decisions that come after them. */
export async function becomeReady(
  parts: Parts,
  tx: AdsTx,
  events: readonly Received<EncodingCompleted>[],
): Promise<void> {
  for (const { data } of events) {
    if (!isCreativeId(data.contentId)) continue;
    await store.updateCreative(tx, data.contentId, {
      ...{ state: "ready", failure: "", duration_s: data.durationS },
      ...{ package_revision: data.packageRevision, index_version: data.indexVersion },
    });
    await rm(incomingFile(parts, data.contentId), { force: true });
  }
}

export async function becomeFailed(
  parts: Parts,
  tx: AdsTx,
  events: readonly Received<EncodingFailed | IngestFailed>[],
): Promise<void> {
  for (const { data } of events) {
    if (!isCreativeId(data.contentId)) continue;
    const row = await store.creative(tx, data.contentId);
    // One that plays goes on playing what it has.
    const state = row?.state === "ready" ? "ready" : "failed";
    await store.updateCreative(tx, data.contentId, { state, failure: data.message.slice(0, 500) });
    await rm(incomingFile(parts, data.contentId), { force: true });
  }
}
