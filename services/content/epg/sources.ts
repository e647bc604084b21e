import type { MatchRequest, PushRequest, PutSourceRequest } from "#contracts/epg";
import { type Context, newId, problem } from "#kernel";
import { isZone } from "#media/xmltv";
import { placeOf, pushedFolder, pushedKey } from "./bytes.ts";
import { announceTouched, settleChannels } from "./channels.ts";
import { jobOf, QUEUE } from "./importer.ts";
import { toMatch, toSource } from "./message.ts";
import type { EpgTx, Parts } from "./service.ts";
import * as store from "./store.ts";

// What operators do with sources: make them, take them in, say which of their channels is which.

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$/;
const PRIORITY_MAX = 1_000_000;
const REFRESH_S_MIN = 300;
const REFRESH_S_MAX = 30 * 86_400;
const PIECE_BYTES_MAX = 4 * 1024 * 1024;
const PIECES_MAX = 1_024;
const MATCHES_MAX = 500;
const IMPORT_MS_MAX = 2 * 3_600_000;
const PUSH_MS_MAX = 24 * 3_600_000;

const NEW_SOURCE = {
  ...{ kind: "pushed", location: "", zone: "UTC", priority: 0, language: "", adds_channels: false },
  ...{ refresh_s: 0, asked_at_ms: 0 },
};

/** The members of a message that a caller writes. */
type Written<T> = Omit<T, "$typeName" | "$unknown">;

export async function putSource({ db, clock }: Parts, request: Written<PutSourceRequest>, context: Context) {
  const { name } = request;
  if (!NAME.test(name))
    throw problem.invalid(`'${name.slice(0, 80)}' is no name for a source: small letters, digits, dots and hyphens`);
  return db.tx(context, async (tx) => {
    const before = await store.findSource(tx, name);
    const base = before ?? { ...NEW_SOURCE, name };
    const source: store.Source = {
      ...{ name, asked_at_ms: before?.asked_at_ms ?? clock.nowMs() },
      ...placeOf(request.kind ?? base.kind, request.location ?? base.location),
      ...{ zone: request.zone ?? base.zone, priority: request.priority ?? base.priority },
      ...{ language: request.language ?? base.language, adds_channels: request.addsChannels ?? base.adds_channels },
      refresh_s: request.refreshS ?? base.refresh_s,
    };
    assertSource(source);
    await store.putSource(tx, source);
    if (before) await followSource(tx, before, source);
    return { source: toSource(source, (await store.sourceCounts(tx)).get(name)) };
  });
}

function assertSource({ zone, language, priority, refresh_s: refreshS }: store.Source): void {
  if (!isZone(zone))
    throw problem.invalid(
      `'${zone.slice(0, 80)}' is no zone: write one of the IANA names, such as Europe/Berlin or UTC`,
    );
  if (language !== "" && !LANGUAGE.test(language))
    throw problem.invalid(`'${language.slice(0, 80)}' is no language: write for example en, de or pt-BR`);
  if (Math.abs(priority) > PRIORITY_MAX) throw problem.invalid(`priority ${priority} is not within ±${PRIORITY_MAX}`);
  if (refreshS !== 0 && (refreshS < REFRESH_S_MIN || refreshS > REFRESH_S_MAX))
    throw problem.invalid(`every ${refreshS} s is not between ${REFRESH_S_MIN} s and 30 days`);
}

/** What a changed source means for what it has brought already. Zone and language count from the next import on. */
async function followSource(tx: EpgTx, before: store.Source, after: store.Source): Promise<void> {
  const touched = new Set<string>();
  if (before.adds_channels !== after.adds_channels)
    for (const id of (await settleChannels(tx, after, [])).touched) touched.add(id);
  if (before.priority !== after.priority)
    for (const { channel_id: id } of await store.sourceChannels(tx, after.name)) touched.add(id);
  announceTouched(tx, after.name, touched);
}

export async function listSources({ db }: Parts, context: Context) {
  return db.read(context, async (tx) => {
    const [sources, counts] = [await store.listSources(tx, 1_000), await store.sourceCounts(tx)];
    return { sources: sources.map((source) => toSource(source, counts.get(source.name))) };
  });
}

export async function removeSource({ db }: Parts, name: string, context: Context) {
  await db.tx(context, async (tx) => {
    await requireSource(tx, name);
    const touched = (await store.sourceChannels(tx, name)).map(({ channel_id: id }) => id);
    await store.removeSource(tx, name);
    announceTouched(tx, name, touched);
  });
  return {};
}

export async function requireSource(tx: EpgTx, name: string): Promise<store.Source> {
  const source = await store.findSource(tx, name);
  if (!source) throw problem.notFound(`there is no source '${name.slice(0, 80)}'`, { reason: "source_unknown" });
  return source;
}

/** Begins an import of what a source holds now. */
export async function beginImport({ db, jobs, clock }: Parts, name: string, context: Context) {
  const importId = newId("imp", clock.nowMs());
  await db.tx(context, async (tx) => {
    const source = await requireSource(tx, name);
    if (source.kind === "pushed")
      throw problem.precondition(`'${name}' is a source that is pushed: there is nothing to fetch`);
    // One that was lost with its process must not shut the source for ever.
    if (await store.isBusy(tx, name, clock.nowMs() - IMPORT_MS_MAX))
      throw problem.precondition(`'${name}' is being taken in already: wait for it`, { reason: "import_busy" });
    await store.insertImport(tx, { importId, source: name, state: "waiting", nowMs: clock.nowMs() });
    await store.markAsked(tx, name, clock.nowMs());
    await jobs.send(tx, QUEUE, [jobOf({ tenant: tx.tenant, importId })]);
  });
  return { importId };
}

/** Takes a piece of a document; nothing of it is read before the last one is there. */
export async function push({ db, jobs, clock, objects }: Parts, request: Written<PushRequest>, context: Context) {
  const { sourceName, piece, last } = request;
  if (piece.byteLength > PIECE_BYTES_MAX)
    throw problem.invalid(`a piece of ${piece.byteLength} bytes is larger than ${PIECE_BYTES_MAX}: divide it`);
  const importId = request.importId || newId("imp", clock.nowMs());
  const number = await db.tx(context, async (tx) => {
    await requireSource(tx, sourceName);
    if (request.importId === "") {
      await store.insertImport(tx, { importId, source: sourceName, state: "receiving", nowMs: clock.nowMs() });
      return 0;
    }
    const found = await store.findImport(tx, importId);
    if (!found || found.source !== sourceName || found.state !== "receiving")
      throw problem.precondition(`'${importId.slice(0, 80)}' takes no more pieces`);
    if (found.pieces >= PIECES_MAX) throw problem.invalid(`more than ${PIECES_MAX} pieces: begin with larger ones`);
    return found.pieces;
  });
  await objects.put(pushedKey(context.tenant, importId, number), piece);
  await db.tx(context, async (tx) => {
    await store.updateImport(tx, importId, { pieces: number + 1, ...(last ? { state: "waiting" } : {}) });
    if (last) await jobs.send(tx, QUEUE, [jobOf({ tenant: tx.tenant, importId })]);
  });
  return { importId };
}

export async function listMatches(
  { db }: Parts,
  of: { sourceName: string; unmatchedOnly: boolean; afterExternalId: string; limit: number },
  context: Context,
) {
  const limit = Math.min(of.limit || MATCHES_MAX, MATCHES_MAX);
  return db.read(context, async (tx) => {
    await requireSource(tx, of.sourceName);
    const rows = await store.pageMatches(tx, {
      ...{ source: of.sourceName, unmatchedOnly: of.unmatchedOnly, after: of.afterExternalId, limit },
    });
    const channels = await store.findChannels(
      tx,
      rows.map(({ channel_id: id }) => id),
    );
    const names = new Map(channels.map(({ id, name }) => [id, name]));
    return { matches: rows.map((row) => toMatch(row, names.get(row.channel_id) ?? "")) };
  });
}

/** A person's word on one channel; the schedules that it touches are merged anew. */
export async function match({ db }: Parts, request: MatchRequest, context: Context) {
  const { sourceName, externalId, channelId, automatic } = request;
  return db.tx(context, async (tx) => {
    const source = await requireSource(tx, sourceName);
    const rows = await store.sourceChannels(tx, sourceName);
    const row = rows.find((one) => one.external_id === externalId);
    if (!row)
      throw problem.notFound(
        `'${sourceName}' has no channel '${externalId.slice(0, 80)}': ./marquee epg match lists them`,
      );
    const [channel] = channelId === "" ? [] : await store.findChannels(tx, [channelId]);
    if (channelId !== "" && !channel)
      throw problem.notFound(`there is no channel '${channelId.slice(0, 80)}'`, { reason: "channel_unknown" });
    const said = { channel_id: channelId, found_by: "manual" as const, explanation: "somebody said so" };
    const left = { channel_id: row.channel_id, found_by: "none" as const, explanation: "" };
    await store.putSourceChannels(tx, [{ ...row, ...(automatic ? left : said) }]);
    const { touched } = await settleChannels(tx, source, []);
    announceTouched(tx, sourceName, [...touched, row.channel_id, channelId]);
    const now = (await store.sourceChannels(tx, sourceName)).find((one) => one.external_id === externalId) ?? row;
    const [found] = await store.findChannels(tx, [now.channel_id]);
    return { match: toMatch(now, found?.name ?? "") };
  });
}

/** Ends pushes that nobody went on with, and forgets their pieces. */
export async function endUnfinishedPushes({ db, clock, objects }: Parts, tenants: readonly string[]): Promise<void> {
  for (const tenant of tenants) {
    const left = await db.tx({ tenant }, (tx) => store.unfinishedPushes(tx, clock.nowMs() - PUSH_MS_MAX));
    for (const importId of left) {
      await objects.deletePrefix(pushedFolder(tenant, importId));
      const failed = { failure: "its last piece never came", failure_reason: "push_unfinished" };
      await db.tx({ tenant }, (tx) =>
        store.updateImport(tx, importId, { state: "failed", ...failed, finished_at_ms: clock.nowMs() }),
      );
    }
  }
}

/** Takes in the sources whose time has come. */
export async function refreshDue(
  parts: Parts,
  tenants: readonly string[],
  context: (tenant: string) => Context,
): Promise<void> {
  for (const tenant of tenants) {
    const due = await parts.db.tx({ tenant }, (tx) => store.dueSources(tx, parts.clock.nowMs(), 20));
    for (const { name } of due)
      await beginImport(parts, name, context(tenant)).catch((error: unknown) =>
        parts.logger.warn("a source could not be taken in when its time came", { source: name, error }),
      );
  }
}
