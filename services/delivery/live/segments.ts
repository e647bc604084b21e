import type { ListSegmentsRequest } from "#contracts/live";
import { type Context, type Db, problem } from "#kernel";
import { LIVE_SEGMENT_S } from "#media/presentation";
import { SEGMENT_MS } from "./domain.ts";
import * as store from "./store.ts";

const LIMIT_MAX = 2_000;

/** The segments of a span with its holes, a page at a time. */
export async function listSegments({ db }: { readonly db: Db }, request: ListSegmentsRequest, context: Context) {
  const { channelId, limit } = request;
  const [fromMs, toMs] = [Number(request.fromMs), Number(request.toMs)];
  if (!Number.isSafeInteger(fromMs) || !Number.isSafeInteger(toMs) || fromMs < 0)
    throw problem.invalid(
      `a span from ${request.fromMs} to ${request.toMs} is none: write milliseconds since the epoch`,
    );
  const fromNumber = Math.max(Math.floor(fromMs / SEGMENT_MS), Number(request.afterNumber) + 1);
  const toNumber = Math.ceil(toMs / SEGMENT_MS) - 1;
  const pageMax = Math.min(limit || LIMIT_MAX, LIMIT_MAX);
  const [found, stored] = await db.read(context, async (tx) => [
    await store.segmentsOf(tx, channelId, { fromNumber, toNumber, limit: pageMax }),
    await store.find(tx, channelId),
  ]);
  const lead = stored?.tracks[0];
  return {
    segments: withHoles(found, fromNumber, pageMax).map(({ number, segment, before }) => ({
      number: BigInt(number),
      startMs: BigInt(number * SEGMENT_MS),
      durationMs: durationMs(segment, lead),
      dayIndex: segment?.dayIndex ?? 0,
      isGap: segment === null,
      isDiscontinuity: segment !== null && before !== null && before.run !== segment.run,
      tracks: Object.entries(segment?.tracks ?? {}).map(([track, { sizeBytes, durationTicks, init }]) => ({
        ...{ track, sizeBytes, durationTicks, init },
      })),
    })),
    tracks: (stored?.tracks ?? []).map((track) => ({ ...track })),
  };
}

interface Listed {
  readonly number: number;
  readonly segment: store.StoredSegment | null;
  readonly before: store.StoredSegment | null;
}

/** Numbers without a segment are gaps, up to the last one that is there: what comes later is not known yet. */
function withHoles(found: readonly store.StoredSegment[], fromNumber: number, limit: number): Listed[] {
  const listed: Listed[] = [];
  let before: store.StoredSegment | null = null;
  let number = fromNumber;
  for (const segment of found) {
    for (; number < segment.number && listed.length < limit; number++) listed.push({ number, segment: null, before });
    if (listed.length >= limit) break;
    listed.push({ number, segment, before });
    before = segment;
    number++;
  }
  return listed;
}

function durationMs(segment: store.StoredSegment | null, lead: store.KnownTrack | undefined): number {
  const ticks = lead && segment?.tracks[lead.name]?.durationTicks;
  return !lead || ticks === undefined ? LIVE_SEGMENT_S * 1_000 : Math.round((ticks * 1_000) / lead.timescale);
}
