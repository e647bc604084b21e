import type { LiveReport } from "#kernel/ports/transcoder";
import { isDiskFull } from "#kernel/errors";
import {
  type Channel,
  FRAME_RATE,
  gridOf,
  initKey,
  initName,
  isLinear,
  objectKey,
  SEGMENT_MS,
  type TrackPlan,
  tracksOf,
} from "./domain.ts";
import type { Restriction } from "./domain-restrictions.ts";
import type { LiveGrid } from "#media/presentation";
import type { SpliceRange } from "#media/scte35";
import { type HeldSegment, type History, openHistory } from "./history.ts";
import { type Keyring, openKeyring } from "./keyring.ts";
import type { MadePart, TrackFacts } from "./packager-worker.ts";
import { openLinear } from "./linear.ts";
import { openPlayout } from "./playout.ts";
import type { LivePlatform } from "./service.ts";
import { openSplices, type Splices } from "./splices.ts";
import * as store from "./store.ts";

export type StationState = "off" | "asleep" | "waking" | "live" | "no_input" | "failed";

/** A channel as this process runs it. */
export interface Station {
  readonly tenant: string;
  readonly channel: Channel;
  readonly history: History;
  readonly splices: Splices;
  readonly keyring: Keyring;
  readonly tracks: ReadonlyMap<string, store.KnownTrack>;
  readonly plans: readonly TrackPlan[];
  readonly state: StationState;
  /** What may not be done with programmes of now and of before. */
  readonly restrictions: readonly Restriction[];
  restrict(restrictions: readonly Restriction[]): void;
  /** Which run goes on; 0 for none. */
  serial(): number;
  health(): StationHealth;
  gridOf(track: string): LiveGrid | null;
  /** Somebody asks for it: it wakes, and stays awake for a while. */
  ask(): void;
  holdUntil(untilMs: number): void;
  /** Says that less is kept than the channel's window has. */
  shorten(reason: string, message: string): void;
  /** Goes to sleep when nobody has asked for a while; sees to the keys of tomorrow. */
  tick(): Promise<void>;
  /** Ends its encoders. */
  stop(): Promise<void>;
}

export interface StationHealth {
  readonly state: StationState;
  readonly reason: string;
  readonly message: string;
  readonly input: string;
  readonly lagMs: number;
  readonly rungs: readonly {
    readonly track: string;
    readonly report: LiveReport | null;
    readonly isLeftOut: boolean;
  }[];
}

export interface StationOptions {
  readonly tenant: string;
  readonly stored: store.StoredChannel;
  /** What of the window there is, oldest first. */
  readonly segments: readonly store.StoredSegment[];
  readonly restrictions: readonly Restriction[];
  readonly splices: readonly SpliceRange[];
  readonly keyPeriodMs: number;
  /** A segment could not be written: makes room, and answers whether there is some now. */
  readonly makeRoom: () => Promise<boolean>;
}

/** So long a window counts as cut after it was. */
const SHORT_MS = 60_000;
/** A channel that nobody asks for goes to sleep after this. */
const IDLE_MS = 60_000;

const DISK_FULL = "the disk is full: the oldest of the window goes, and what recordings hold stays";

export type StationPlatform = Pick<
  LivePlatform,
  "db" | "call" | "objects" | "transcoder" | "clock" | "logger" | "secrets" | "config"
>;

export function openStation(platform: StationPlatform, options: StationOptions): Station {
  const { db, objects, clock, logger } = platform;
  const { tenant, stored, keyPeriodMs } = options;
  const { channel } = stored;
  const plans = tracksOf(channel);
  const history = openHistory();
  history.restore(options.segments);
  const splices = openSplices(platform, {
    ...{ tenant, channelId: channel.id, stored: options.splices, onChange: history.wake },
  });
  const keyring = openKeyring(platform, { tenant, channelId: channel.id });
  const tracks = new Map(stored.tracks.map((track) => [track.name, track]));
  let state: StationState = channel.onAir ? "asleep" : "off";
  let why = { reason: "", message: "" };
  let short = { reason: "", message: "", atMs: 0 };
  let { restrictions } = options;
  let saving: Promise<unknown> = Promise.resolve();
  let askedMs = 0;
  let heldUntilMs = 0;
  let awake: { readonly ending: AbortController; readonly done: Promise<void> } | null = null;

  /** Says where the channel stands, to whoever looks and to those who follow events. */
  function become(next: StationState, reason = "", message = ""): void {
    if (state === next && why.reason === reason) return;
    state = next;
    why = { reason, message };
    history.wake();
    tell(reason, message);
  }

  function tell(reason: string, message: string): void {
    const said = {
      ...{ contentId: channel.id, state, reason, message, input: state === "live" ? playout.input() : "" },
      ...{ rungsLeftOut: [...playout.leftOut], timeMs: clock.nowMs() },
    };
    void db
      .tx({ tenant }, async (tx) => tx.emit("healthChanged", said))
      .catch((error: unknown) =>
        logger.error("a channel's health could not be told", { channel_id: channel.id, error }),
      );
  }

  function know(name: string, facts: TrackFacts): void {
    const plan = plans.find((each) => each.name === name);
    if (!plan) return;
    const { kind, bitrateKbps, language } = plan;
    tracks.set(name, { ...facts, name, kind, bitrateKbps, language, frameRate: kind === "video" ? FRAME_RATE : 0 });
    // In order: what is said last is what is true.
    saving = saving
      .then(() => db.tx({ tenant }, (tx) => store.saveTracks(tx, channel.id, [...tracks.values()])))
      .catch((error: unknown) => logger.error("a channel's tracks were not kept", { channel_id: channel.id, error }));
  }

  function shorten(reason: string, message: string): void {
    const nowMs = clock.nowMs();
    if (short.reason !== reason || nowMs - short.atMs > SHORT_MS) tell(reason, message);
    short = { reason, message, atMs: nowMs };
  }

  const headerOf = (dayIndex: number, serial: number): string =>
    isLinear(channel) ? initName(dayIndex, serial) : initName(dayIndex);

  function keepInit(track: string, dayIndex: number, bytes: Uint8Array, serial: number): void {
    void objects
      .put(initKey(channel.id, track, headerOf(dayIndex, serial)), bytes)
      .then(() => history.wake())
      .catch((error: unknown) => logger.error("a header was not kept", { channel_id: channel.id, track, error }));
  }

  function take(part: MadePart, serial: number): void {
    const whole = history.take(part, { serial, init: headerOf(part.dayIndex, serial) });
    if (whole) void keep(part.track, whole);
  }

  /** A whole segment becomes an object, and then a row: the row names nothing that is not there. */
  async function keep(track: string, segment: HeldSegment): Promise<void> {
    const { number, run: serial, runFirst, dayIndex, init, sizeBytes, durationTicks } = segment;
    const bytes = Buffer.concat(segment.parts.map((part) => part.bytes));
    const key = objectKey(channel.id, track, number);
    try {
      await objects.put(key, bytes).catch(async (error: unknown) => {
        if (!isDiskFull(error)) throw error;
        const hasRoom = await options.makeRoom();
        shorten("disk_full", hasRoom ? DISK_FULL : `${DISK_FULL}; nothing else is left to let go, and nothing is kept`);
        if (!hasRoom) throw error;
        await objects.put(key, bytes);
      });
      const row = { number, run: serial, runFirst, dayIndex, tracks: { [track]: { sizeBytes, durationTicks, init } } };
      await db.tx({ tenant }, (tx) => store.addToSegment(tx, channel.id, row), { isRelaxed: true });
    } catch (error) {
      logger.error("a segment was not kept", { channel_id: channel.id, track, number, error });
    }
  }

  const open = isLinear(channel) ? openLinear : openPlayout;
  const playout = open(platform, {
    ...{ tenant, stored, plans, keyring, keyPeriodMs, history },
    state: () => state,
    ...{ become, onTrack: know, onInit: keepInit, onPart: take, onSplice: splices.hear },
    onRunOver() {
      for (const { track, segment } of history.close()) void keep(track, segment);
    },
  });

  const wake = (): void => {
    const ending = new AbortController();
    become("waking");
    const done = playout.play(ending.signal).finally(() => {
      awake = null;
      if (state !== "off") become("asleep");
    });
    awake = { ending, done };
  };

  async function sleep(): Promise<void> {
    const was = awake;
    was?.ending.abort();
    await was?.done;
  }

  const station: Station = {
    ...{ tenant, channel, history, splices, keyring, tracks, plans },
    get state() {
      return state;
    },
    get restrictions() {
      return restrictions;
    },
    restrict: (next) => void (restrictions = next),
    serial: () => playout.serial(),
    shorten,
    health: () => ({
      ...{ state, ...why, input: state === "live" ? playout.input() : "", lagMs: playout.lagMs() },
      ...(why.message === "" && clock.nowMs() - short.atMs < SHORT_MS ? { message: short.message } : {}),
      rungs: plans.map(({ name }) => ({
        ...{ track: name, report: playout.report(name), isLeftOut: playout.leftOut.has(name) },
      })),
    }),
    gridOf(name) {
      const known = tracks.get(name);
      return known ? gridOf(known, known.timescale, channel.latency, FRAME_RATE) : null;
    },
    ask() {
      askedMs = clock.nowMs();
      if (state !== "off" && !awake) wake();
    },
    holdUntil(untilMs) {
      heldUntilMs = untilMs;
      if (untilMs > clock.nowMs() && state !== "off" && !awake) wake();
    },
    async tick() {
      const nowMs = clock.nowMs();
      const beforeMs = nowMs - channel.dvrWindowS * 1_000;
      history.forgetBefore(Math.floor(beforeMs / SEGMENT_MS));
      splices.forgetBefore(beforeMs);
      if (awake && channel.onDemand && nowMs - askedMs > IDLE_MS && heldUntilMs <= nowMs) return sleep();
      await playout.tick();
    },
    async stop() {
      // Nobody is told: a channel that is taken off the air says so itself, and a product that stops tells nothing.
      state = "off";
      history.wake();
      await sleep();
    },
  };
  if (channel.onAir && !channel.onDemand) wake();
  return station;
}
