import { type Context, type Problem, problem, systemContext, toProblem } from "#kernel";
import type { Job } from "#kernel/ports/jobs";
import { openBytes, pushedFolder } from "./bytes.ts";
import { settleChannels } from "./channels.ts";
import { KEPT_AFTER_MS, KEPT_BEFORE_MS } from "./domain.ts";
import type { ReadSummary } from "./import-worker.ts";
import { openReader, type Read } from "./reader.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";
import * as guide from "./store-guide.ts";

export const QUEUE = "epg";
const PROGRAMMES_MAX = 2_000_000;

interface Work {
  readonly tenant: string;
  readonly importId: string;
}
export const jobOf = (work: Work) => ({ key: `${work.tenant}/${work.importId}`, payload: { ...work } });

/**
 * Reads one document into listings that do not count yet, and makes them count when the document was whole: a guide is taken as a whole or
 * not at all. Every step can be repeated after a crash.
 */
export async function take(parts: Parts, job: Job): Promise<void> {
  const of = job.payload as unknown as Work;
  const context = systemContext(of.tenant, "epg", { deadlineMs: 3_600_000, signal: job.signal, clock: parts.clock });
  const found = await parts.db.tx(context, async (tx) => {
    const row = await store.findImport(tx, of.importId);
    if (!row || row.state === "accepted" || row.state === "failed") return undefined;
    const source = await store.findSource(tx, row.source);
    if (!source) return undefined;
    // What an attempt that died has left.
    await guide.dropListings(tx, of.importId);
    await store.updateImport(tx, of.importId, { state: "reading", bytes_read: 0 });
    return { row, source };
  });
  if (!found) return;
  try {
    const summary = await read(parts, context, found.row, found.source, job.signal);
    await accept(parts, context, found.row, summary);
    parts.taken("accepted", "");
  } catch (error) {
    if (job.signal.aborted) throw error;
    const fault = toProblem(error);
    if ((fault.retryable || fault.code === "internal") && !job.isLastAttempt) throw error;
    parts.logger.warn("a guide was refused", { source: found.source.name, error });
    await refuse(parts, context, found.row, fault);
    parts.taken("refused", fault.reason);
  }
  await parts.objects.deletePrefix(pushedFolder(of.tenant, of.importId));
}

async function read(
  { db, objects, clock }: Parts,
  context: Context,
  { import_id: importId, pieces }: store.Import,
  source: store.Source,
  signal: AbortSignal,
): Promise<ReadSummary> {
  const nowMs = clock.nowMs();
  const settings = {
    ...{ zone: source.zone, language: source.language, programmesMax: PROGRAMMES_MAX },
    ...{ fromMs: nowMs - KEPT_BEFORE_MS, toMs: nowMs + KEPT_AFTER_MS },
  };
  const bytes = await openBytes(source, { objects, tenant: context.tenant, importId, pushedPieces: pieces, signal });
  const reader = openReader(settings, signal);
  /** Rows of one piece go to the database while the next one is read. */
  const keep = async ({ rows, json }: Read): Promise<void> => {
    const progress = { bytes_read: bytes.readBytes(), bytes_total: bytes.totalBytes };
    // What a crash of the database loses here is read again: the import has not been accepted.
    await db.tx(
      context,
      async (tx) => {
        if (rows > 0) await guide.insertListings(tx, importId, source.name, json);
        await store.updateImport(tx, importId, progress);
      },
      { isRelaxed: true },
    );
  };
  try {
    let keeping: Promise<void> = Promise.resolve();
    for await (const piece of bytes.pieces) {
      signal.throwIfAborted();
      const answer = await reader.ask({ bytes: piece });
      await keeping;
      keeping = keep(answer);
      // A rejection is heard at the next piece, or behind the last one.
      keeping.catch(() => {});
    }
    await keeping;
    const last = await reader.ask({ isEnd: true });
    await keep(last);
    if (!last.summary) throw problem.internal("the reader ended without a summary");
    return last.summary;
  } finally {
    await reader.close();
  }
}

/** Makes the listings of an import count, in one transaction: matches, what is replaced, and the word that channels are to be merged. */
async function accept(parts: Parts, context: Context, row: store.Import, summary: ReadSummary): Promise<void> {
  const { db, clock } = parts;
  await db.tx(context, async (tx) => {
    const source = await store.findSource(tx, row.source);
    const current = await store.findImport(tx, row.import_id);
    // Taken out while it was read: nothing of it may come back.
    if (!source || !current) return guide.dropListings(tx, row.import_id);
    const { matched, touched } = await settleChannels(tx, source, summary.channels);
    await guide.dropReplaced(
      tx,
      row.import_id,
      source.name,
      summary.channels.filter(({ programmes }) => programmes > 0),
    );
    await store.updateImport(tx, row.import_id, {
      ...{ state: "accepted", finished_at_ms: clock.nowMs(), findings: JSON.stringify(summary.findings) },
      ...{ channels: summary.channels.length, channels_matched: new Set(matched.values()).size },
      ...{ programmes: summary.programmes, programmes_kept: summary.kept },
    });
    const byChannel = new Map(summary.channels.map((channel) => [matched.get(channel.externalId), channel]));
    for (const channelId of new Set([...matched.values(), ...touched])) {
      const { programmes = 0, fromMs = 0, toMs = 0 } = byChannel.get(channelId) ?? {};
      const isOfImport = byChannel.has(channelId);
      const about = { channelId, sourceName: source.name, importId: isOfImport ? row.import_id : "" };
      tx.emit("ingestCompleted", { ...about, programmes, fromMs, toMs });
    }
  });
}

async function refuse({ db, clock }: Parts, context: Context, row: store.Import, fault: Problem): Promise<void> {
  const { import_id: importId, source: sourceName } = row;
  await db.tx(context, async (tx) => {
    await guide.dropListings(tx, importId);
    const current = await store.findImport(tx, importId);
    if (!current) return;
    const failed = { failure: fault.message, failure_reason: fault.reason, finished_at_ms: clock.nowMs() };
    await store.updateImport(tx, importId, { state: "failed", ...failed });
    tx.emit("ingestFailed", { sourceName, importId, reason: fault.reason, message: fault.message });
  });
}
