import type { LiveSegment, LiveTrack } from "#contracts/live";
import { type Context, problem, systemContext, toProblem } from "#kernel";
import type { TrackProtection } from "#media/cenc";
import { packageFolder, type Segment, segmentName } from "#media/presentation";
import { decide, firstNumber, lastNumber, withGap } from "./domain.ts";
import { finish, giveUp, remove, writeIndex } from "./end.ts";
import { eventOf, type Parts } from "./parts.ts";
import { classOf, type KnownTrack, type SegmentTracks } from "./presentation.ts";
import * as store from "./store.ts";

const COPIES_MAX = 20;
const AT_ONCE_MAX = 4;
const SEGMENTS_MAX = 15;
/** Longer than it takes to write as many segments as are taken at once. */
const LEASE_MS = 60_000;
const LOOK_EVERY_MS = 2_000;
/** A channel that is asleep needs a moment to wake. */
export const PREROLL_MS = 30_000;
/** The last segment is whole a moment after its time; what did not come by then does not come. */
const SETTLE_MS = 8_000;
const SETTLE_MS_MAX = 60_000;
const MOVIE_FRAGMENTS_MAX = 400;

/** Goes on with every copy that is due, in every tenant. */
export async function captureDue(parts: Parts, signal: AbortSignal): Promise<void> {
  const { call, clock, db, logger } = parts;
  const { tenants } = await call.tenant.list({}, systemContext("system", "recording", { signal, clock }));
  for (const { id: tenant } of tenants) {
    const lease = { nowMs: clock.nowMs(), leaseMs: LEASE_MS, max: COPIES_MAX };
    const due = await db.tx({ tenant }, async (tx) => {
      await store.pullForward(tx, lease.nowMs);
      return store.claimCopies(tx, lease);
    });
    const worker = async (): Promise<void> => {
      for (let copy = due.shift(); copy && !signal.aborted; copy = due.shift()) {
        const context = systemContext(tenant, "recording", { signal, clock, deadlineMs: LEASE_MS });
        await step(parts, copy, context).catch((error: unknown) =>
          logger.warn("a recording did not go on; it is tried again when its lease ends", { error }),
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE_MAX }, worker));
  }
}

async function step(parts: Parts, copy: store.Copy, context: Context): Promise<void> {
  if (copy.state === "deleting") return remove(parts, copy, context);
  const { clock, db } = parts;
  if (clock.nowMs() < copy.from_ms - PREROLL_MS) {
    // It was moved to a later time.
    await db.tx(context, (tx) => store.changeCopy(tx, copy.id, { due_at_ms: copy.from_ms - PREROLL_MS }));
    return;
  }
  try {
    await hold(parts, copy, context);
  } catch (error) {
    if (toProblem(error).code === "not_found") return giveUp(parts, copy, "channel_gone", context);
    throw error;
  }
  const isMore = await take(parts, copy, context);
  const fresh = await db.read(context, (tx) => store.findCopy(tx, copy.id));
  if (!fresh || fresh.state !== "recording") return;
  const nowMs = clock.nowMs();
  const isOver =
    nowMs >= fresh.to_ms + SETTLE_MS &&
    !isMore &&
    (fresh.last_number >= lastNumber(span(fresh)) || nowMs >= fresh.to_ms + SETTLE_MS_MAX);
  if (isOver) return finish(parts, fresh, context);
  await db.tx(context, (tx) => store.changeCopy(tx, copy.id, { due_at_ms: isMore ? nowMs : nowMs + LOOK_EVERY_MS }));
}

export const span = ({ from_ms: fromMs, to_ms: toMs }: store.Copy) => ({ fromMs, toMs });

/** Keeps the channel awake and its segments from being trimmed; the first time it begins the recording. */
async function hold({ call, clock, counted, db }: Parts, copy: store.Copy, context: Context): Promise<void> {
  const { id: holder, channel_id: channelId } = copy;
  if (copy.state === "recording" && copy.pinned_to_ms === copy.to_ms) return;
  const { fromMs, toMs } = span(copy);
  await call.keys.createSet({ contentId: copy.id, packageRevision: 1 }, context);
  await call.live.hold({ channelId, holder, untilMs: BigInt(toMs + SETTLE_MS_MAX) }, context);
  await call.live.pin({ channelId, holder, fromMs: BigInt(fromMs), toMs: BigInt(toMs) }, context);
  await db.tx(context, async (tx) => {
    await store.changeCopy(tx, copy.id, { state: "recording", pinned_to_ms: toMs });
    for (const recording of await store.ofCopy(tx, copy.id)) {
      if (recording.state !== "scheduled") continue;
      await store.changeRecording(tx, recording.id, { state: "recording" });
      tx.emit("started", { ...eventOf(recording), startedAtMs: clock.nowMs() });
      tx.afterCommit(async () => counted("started"));
    }
  });
}

/** Takes the next segments over; whether there are more. What was written is not written again after a restart: numbers go on from the rows. */
async function take(parts: Parts, copy: store.Copy, context: Context): Promise<boolean> {
  const { call, clock, db } = parts;
  const { fromMs, toMs } = span(copy);
  const before = Math.max(copy.last_number, firstNumber({ fromMs, toMs }) - 1);
  const asked = { channelId: copy.channel_id, fromMs: BigInt(fromMs), toMs: BigInt(toMs), limit: SEGMENTS_MAX };
  const { segments, tracks } = await call.live.listSegments({ ...asked, afterNumber: BigInt(before) }, context);
  const byNumber = new Map(segments.map((one) => [Number(one.number), one]));
  const kinds = new Map(tracks.map(({ name, kind }) => [name, kind]));
  const offered = [...byNumber].map(([number, one]) => ({
    number,
    tracks: one.tracks.map(({ track }) => track).filter((track) => RECORDED.has(kinds.get(track) ?? "")),
  }));
  const { decided } = decide(copy.tracks?.map(({ name }) => name) ?? null, offered, {
    kindOf: (track) => kinds.get(track) ?? "",
    isOver: clock.nowMs() >= toMs + SETTLE_MS,
  });
  const taken: SegmentTracks[] = [];
  let { gaps } = copy;
  let known = copy.tracks ?? [];
  let last = before;
  for (const { number, tracks: names } of decided) {
    gaps = withGap(gaps, last, number);
    last = number;
    const segment = byNumber.get(number);
    if (names.length === 0 || !segment) {
      gaps = withGap(gaps, number - 1, number + 1);
      continue;
    }
    const piece = { segment, tracks, names, known, number: copy.segments + taken.length + 1 };
    const written = await record(parts, copy, piece, context);
    known = written.known;
    taken.push(written.segment);
  }
  if (decided.length === 0) return false;
  await db.tx(context, async (tx) => {
    await store.addSegments(tx, copy.id, copy.segments + 1, taken);
    const segmentCount = copy.segments + taken.length;
    const begun = segmentCount === 0 ? {} : { tracks: known };
    await store.changeCopy(tx, copy.id, { segments: segmentCount, last_number: last, gaps, ...begun });
  });
  return segments.length === SEGMENTS_MAX;
}

const RECORDED: ReadonlySet<string> = new Set(["video", "audio"]);

interface Piece {
  readonly segment: LiveSegment;
  readonly tracks: readonly LiveTrack[];
  /** The tracks that are recorded of it. */
  readonly names: readonly string[];
  readonly known: readonly KnownTrack[];
  readonly number: number;
}

/** Writes one segment of all its tracks under the recording's own key. */
async function record(parts: Parts, copy: store.Copy, piece: Piece, context: Context) {
  const protections = await protectionsOf(parts, copy.id, context);
  const written: Record<string, Segment> = {};
  const known: KnownTrack[] = [];
  for (const name of piece.names) {
    const track = piece.tracks.find((each) => each.name === name);
    const own = piece.segment.tracks.find(({ track: each }) => each === name);
    if (!track || !own) throw problem.internal(`the channel names '${name}' and does not describe it`);
    const before = piece.known.find((each) => each.name === name);
    const protection = protections.get(classOf(track));
    if (!protection) throw problem.internal(`the key set of '${copy.id}' lacks ${classOf(track)}`);
    const made = await parts.recrypter.write({
      ...{ init: await initOf(parts, copy.channel_id, name, own.init), language: track.language, protection },
      segment: await parts.objects.get(`live/${copy.channel_id}/${name}/${piece.segment.number}.m4s`),
      keys: await keysOf(parts, copy.channel_id, piece.segment.dayIndex, context),
      sequence: (piece.number - 1) * MOVIE_FRAGMENTS_MAX + 1,
      baseDecodeTimeTicks: before?.ticks ?? 0,
    });
    const folder = `${packageFolder(copy.id, 1)}/${name}`;
    if (!before) await parts.objects.put(`${folder}/init.mp4`, made.init);
    await parts.objects.put(`${folder}/${segmentName(piece.number)}`, made.bytes);
    const { durationTicks, iframes } = made;
    written[name] = { durationTicks, sizeBytes: made.bytes.byteLength, ...(iframes.length > 0 ? { iframes } : {}) };
    const ticks = (before?.ticks ?? 0) + durationTicks;
    known.push(before ? { ...before, ticks } : { ...factsOf(track, made), kid: protection.kid, ticks });
  }
  return { known, segment: written };
}

const factsOf = (
  { name, kind, width, height, frameRate, language, channels, sampleRateHz }: LiveTrack,
  { codec, timescale }: Pick<KnownTrack, "codec" | "timescale">,
) => ({
  ...{ name, codec, timescale, width, height, frameRate, language, channels, sampleRateHz },
  kind: kind === "audio" ? ("audio" as const) : ("video" as const),
});

async function initOf({ inits, objects }: Parts, channelId: string, track: string, init: string): Promise<Uint8Array> {
  const key = `live/${channelId}/${track}/${init}`;
  const bytes = inits.get(key) ?? (await objects.get(key));
  inits.set(key, bytes);
  return bytes;
}

/** The keys of a channel's day, by their ids. */
async function keysOf({ call, keys }: Parts, channelId: string, dayIndex: number, context: Context) {
  const name = `${context.tenant}/${channelId}/${dayIndex}`;
  const known = keys.get(name);
  if (known) return known;
  const found = await call.keys.getSet({ contentId: channelId, packageRevision: dayIndex }, context);
  const set = new Map(found.keys.map(({ kid, key }) => [kid, key]));
  keys.set(name, set);
  return set;
}

/** What a recording is written under, by the class of key. */
export async function protectionsOf({ call }: Parts, contentId: string, context: Context) {
  const set = { contentId, packageRevision: 1 };
  const [{ keys }, { keys: signalled, psshCommon }] = await Promise.all([
    call.keys.getSet(set, context),
    call.keys.signalling(set, context),
  ]);
  return new Map(
    keys.map(({ kid, key, iv, keyClass }): [string, TrackProtection] => {
      const signal = signalled.find((candidate) => candidate.kid === kid);
      const pssh = signal ? [psshCommon, signal.psshWidevine, signal.psshPlayready] : [psshCommon];
      return [keyClass, { key, kid, ivHex: Buffer.from(iv).toString("hex"), pssh }];
    }),
  );
}

/** Where a viewer's recording is played from: its index is written when it is asked for and has grown. */
export async function locate(parts: Parts, copyId: string, context: Context) {
  const copy = await parts.db.read(context, (tx) => store.findCopy(tx, copyId));
  if (!copy || copy.segments === 0)
    throw problem.precondition("nothing of this recording is there yet: it can be watched as soon as it has begun", {
      reason: "processing",
    });
  return copy.segments > copy.indexed_segments ? writeIndex(parts, copy, context) : indexOf(copy);
}

function indexOf({ index_version: indexVersion, tracks }: store.Copy) {
  const lead = tracks?.find(({ kind }) => kind === "video") ?? tracks?.[0];
  return { packageRevision: 1, indexVersion, durationS: lead ? lead.ticks / lead.timescale : 0 };
}
