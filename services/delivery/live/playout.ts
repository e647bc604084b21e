import { problem, toProblem } from "#kernel";
import type { LiveReport } from "#kernel/ports/transcoder";
import { dayIndexAt, FRAME_RATE, gridOf, SEGMENT_MS, type TrackPlan } from "./domain.ts";
import { encode } from "./encoders.ts";
import { type Anchor, mediaMsOf } from "./domain-ts.ts";
import type { FeedState, HeardSplice } from "./feeds.ts";
import type { History } from "./history.ts";
import { keepReceiving, readyInputs, type Receivers } from "./inputs.ts";
import type { Keyring } from "./keyring.ts";
import { openPackager, type Packager } from "./packager.ts";
import type { FromPackager, MadePart, TrackFacts } from "./packager-worker.ts";
import type { StationPlatform, StationState } from "./station.ts";
import * as store from "./store.ts";

export interface PlayoutOptions {
  readonly tenant: string;
  readonly stored: store.StoredChannel;
  readonly plans: readonly TrackPlan[];
  readonly keyring: Keyring;
  readonly keyPeriodMs: number;
  readonly history: History;
  readonly state: () => StationState;
  readonly become: (state: StationState, reason?: string, message?: string) => void;
  readonly onTrack: (track: string, facts: TrackFacts) => void;
  readonly onInit: (track: string, dayIndex: number, bytes: Uint8Array, serial: number) => void;
  readonly onPart: (part: MadePart, serial: number) => void;
  /** The input asks for splices; `wallMs` says when a time of its clock is shown. */
  readonly onSplice: (section: Uint8Array, wallMs: (ticks: number | null) => number) => void;
  readonly onRunOver: () => void;
}

/** What makes a channel's segments while it is awake. */
export interface Playout {
  /** Goes on until the signal aborts; what fails is begun again. */
  play(signal: AbortSignal): Promise<void>;
  /** Which run goes on; 0 for none. */
  serial(): number;
  /** primary or backup; empty for none. */
  input(): string;
  report(track: string): LiveReport | null;
  /** What the machine does not keep up with. */
  readonly leftOut: ReadonlySet<string>;
  /** How far the newest part of the slowest track is behind the clock. */
  lagMs(): number;
  /** Sees to the keys of tomorrow, to whether the machine keeps up, and whether the primary input is back. */
  tick(): Promise<void>;
}

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;
const RETRY_FACTOR = 2;
const LOOK_MS = 100;
/** So long an input may be silent before it is told. */
const NO_INPUT_MS = 3_000;
/** A primary input that is back has to stay for so long. */
const STABLE_MS = 5_000;
/** A run that is so far behind, for so long after its begin, will not catch up. */
const LAG_MS_MAX = 4_000;
const SETTLED_MS = 12_000;
/** A track of which nothing comes for so long, while its input flows, does not come by itself. */
const STALL_MS = 6_000;
/** What fails again and again for so long is opened anew from the beginning, with everything that belongs to it. */
const GIVE_UP_MS = 30_000;

/** Splices that came before the encoders of a run did. */
const EARLY_SPLICES_MAX = 32;

interface Going {
  readonly serial: number;
  readonly plans: readonly TrackPlan[];
  readonly feed: (FeedState & { readonly index: number }) | null;
  readonly ending: AbortController;
  readonly startedMs: number;
  anchor: Anchor | null;
}

export function openPlayout(platform: StationPlatform, options: PlayoutOptions): Playout {
  const { db, clock, logger } = platform;
  const { tenant, stored, plans, keyring, keyPeriodMs, history, become, onTrack, onInit, onRunOver } = options;
  const { channel } = stored;
  const reports = new Map<string, LiveReport>();
  const lags = new Map<string, number>();
  /** When each track's last part was made in the run that goes on. */
  const madeMs = new Map<string, number>();
  const leftOut = new Set<string>();
  let feeds: ((FeedState & { readonly sinceMs: number }) | null)[] = [];
  let packager: Packager | null = null;
  let receivers: Receivers | null = null;
  let run: Going | null = null;
  let givenDay = -1;
  let early: (HeardSplice & { readonly index: number })[] = [];

  const log = (message: string, more: Readonly<Record<string, unknown>> = {}): void =>
    logger.info(message, { channel_id: channel.id, ...more });

  async function play(signal: AbortSignal): Promise<void> {
    for (let retryMs = RETRY_MS_MIN; !signal.aborted; ) {
      const startedMs = clock.nowMs();
      try {
        await withPackager(signal);
      } catch (error) {
        if (signal.aborted) break;
        const { reason, message } = toProblem(error);
        logger.warn("a channel failed", { channel_id: channel.id, error });
        become("failed", reason, message);
      }
      if (clock.nowMs() - startedMs > RETRY_MS_MAX) retryMs = RETRY_MS_MIN;
      await clock.sleep(retryMs, signal).catch(() => {});
      retryMs = Math.min(retryMs * RETRY_FACTOR, RETRY_MS_MAX);
    }
  }

  /** Opens what lasts for as long as the channel is awake: its packager and its inputs. */
  async function withPackager(signal: AbortSignal): Promise<void> {
    const inputs = await readyInputs(platform, stored);
    const ending = new AbortController();
    const over = AbortSignal.any([signal, ending.signal]);
    feeds = inputs.map(() => null);
    const { latency } = channel;
    const opened = await openPackager({ latency, keyPeriodMs, inputs, on: hear, signal: over });
    packager = opened;
    const isFed = inputs.some(({ kind }) => kind !== "demo");
    receivers = isFed ? keepReceiving(platform, opened, inputs, over) : null;
    try {
      await Promise.race([playRuns(opened, isFed, over), opened.failed]);
    } finally {
      ending.abort();
      packager = null;
      await opened.close();
      await receivers?.done;
    }
  }

  async function playRuns(opened: Packager, isFed: boolean, signal: AbortSignal): Promise<void> {
    let failingSinceMs: number | null = null;
    while (!signal.aborted) {
      const feed = isFed ? await nextFeed(signal) : null;
      if (signal.aborted) return;
      const begunMs = clock.nowMs();
      try {
        await runOnce(opened, feed, signal);
        failingSinceMs = null;
      } catch (error) {
        const nowMs = clock.nowMs();
        if (failingSinceMs === null || nowMs - begunMs > SETTLED_MS) failingSinceMs = nowMs;
        // Encoders that cannot read an input say nothing about the others, and who pushes to it need not do so anew.
        if (!feed || signal.aborted || nowMs - failingSinceMs > GIVE_UP_MS) throw error;
        const { reason, message } = toProblem(error);
        logger.warn("the encoders of a channel failed", { channel_id: channel.id, error });
        become("failed", reason, message);
        receivers?.reopen(feed.index);
        await clock.sleep(RETRY_MS_MIN, signal).catch(() => {});
      }
    }
  }

  /** The input to use: the primary one where it flows, else the backup; waits for one. */
  async function nextFeed(signal: AbortSignal): Promise<(FeedState & { readonly index: number }) | null> {
    for (let waitedMs = 0; !signal.aborted; waitedMs += LOOK_MS) {
      const index = feeds.findIndex((feed) => feed !== null);
      const feed = feeds[index];
      if (feed) return { ...feed, index };
      if (waitedMs === NO_INPUT_MS) become("no_input", "no_input", receivers?.message(0) || "the input is silent");
      await clock.sleep(LOOK_MS, signal).catch(() => {});
    }
    return null;
  }

  async function runOnce(
    opened: Packager,
    feed: (FeedState & { readonly index: number }) | null,
    signal: AbortSignal,
  ): Promise<void> {
    const serial = await db.tx({ tenant }, (tx) => store.beginRun(tx, channel.id));
    if (serial === undefined) throw problem.notFound(`channel '${channel.id}' does not exist`);
    const today = dayIndexAt(clock.nowMs(), keyPeriodMs);
    // Without keys for now and for what follows there is no channel: it fails closed.
    for (const dayIndex of [today, today + 1]) opened.giveKeys(await keyring.day(dayIndex));
    givenDay = today + 1;
    reports.clear();
    madeMs.clear();
    const present = plans.filter(
      ({ name, kind }) => !leftOut.has(name) && (!feed || (kind === "video" ? feed.hasVideo : feed.hasAudio)),
    );
    const ending = new AbortController();
    const going: Going = { serial, plans: present, feed, ending, startedMs: clock.nowMs(), anchor: null };
    run = going;
    log("a channel's run begins", { run: serial, input: feed?.index ?? null });
    try {
      await encode(platform, opened, {
        ...{ channel, plans: present, serial, feed },
        onBegin(anchor) {
          going.anchor = anchor;
          early.forEach(hearSplice);
        },
        onReport: (track, report) => void reports.set(track, report),
        signal: AbortSignal.any([signal, ending.signal]),
      });
      if (feed) feeds[feed.index] = null;
    } catch (error) {
      // Stopped by ourselves, for a reason that was told.
      if (!ending.signal.aborted) throw error;
    } finally {
      run = null;
      onRunOver();
      log("a channel's run is over", { run: serial });
    }
  }

  /** Ends what goes on; the next run begins with what there is by then. */
  function breakOff(reason: string, message: string): void {
    if (!run || run.ending.signal.aborted) return;
    become("waking", reason, message);
    run.ending.abort();
  }

  function hear(message: Exclude<FromPackager, { readonly type: "listening" }>): void {
    if (message.type === "track") onTrack(message.track, message.facts);
    else if (message.type === "init") onInit(message.track, message.dayIndex, message.bytes, run?.serial ?? 0);
    else if (message.type === "part") {
      if (run) takePart(message, run.serial);
    } else if (message.type === "feed") hearFeed(message.index, message);
    else if (message.type === "splice") {
      early = [...early, message].slice(-EARLY_SPLICES_MAX);
      hearSplice(message);
    } else if (message.type === "push") hearPush(message.index, message.what);
    else if (message.reason === "too_slow") leaveOut(message.message);
    else breakOff(message.reason, message.message);
  }

  function hearFeed(index: number, state: FeedState): void {
    const sinceMs = feeds[index]?.sinceMs ?? clock.nowMs();
    feeds[index] = state.state === "flowing" ? { ...state, sinceMs } : null;
    if (state.state !== "flowing") early = early.filter((splice) => splice.index !== index);
    const input = index === 0 ? "the primary input" : "the backup input";
    if (run?.feed?.index !== index) return;
    const { hasVideo, hasAudio } = run.feed;
    if (state.state === "jumped") breakOff("time_jumped", `the time of ${input} jumped: its timeline begins anew`);
    else if (state.state === "silent") breakOff("input_silent", `${input} is silent`);
    else if (state.state === "changed") breakOff("input_changed", `${input} is another stream from now on`);
    else if (state.hasVideo !== hasVideo)
      breakOff("input_changed", `${input} has ${state.hasVideo ? "a picture again" : "no picture any more"}`);
    else if (state.hasAudio !== hasAudio)
      breakOff("input_changed", `${input} has ${state.hasAudio ? "sound again" : "no sound any more"}`);
  }

  /** An encoder that was given what it cannot decode waits for ever, and does not fail. */
  function seeToStall(nowMs: number): boolean {
    const stalled = run?.plans.find(({ name }) => nowMs - (madeMs.get(name) ?? run?.startedMs ?? nowMs) > STALL_MS);
    if (!run?.feed || !stalled) return false;
    breakOff("stalled", `nothing comes of ${stalled.name}: the input is opened anew`);
    receivers?.reopen(run.feed.index);
    return true;
  }

  /** The splices of the input that is shown; those of the other one wait until it is. */
  function hearSplice({ index, section, nowTicks }: (typeof early)[number]): void {
    const anchor = run?.anchor;
    if (anchor && run?.feed?.index === index)
      options.onSplice(section, (ticks) => mediaMsOf(anchor, ticks ?? nowTicks));
  }

  function hearPush(index: number, what: "begins" | "ends" | "refused"): void {
    if (what !== "refused") return receivers?.pushed(index, what === "begins");
    logger.warn("somebody without the stream key was turned away", { channel_id: channel.id });
  }

  /** The machine does not keep up: the largest picture goes, never the last one. */
  function leaveOut(why: string): void {
    const pictures = run?.plans.filter(({ kind }) => kind === "video") ?? [];
    const [largest] = pictures;
    if (!largest || pictures.length < 2) return breakOff("too_slow", why);
    leftOut.add(largest.name);
    breakOff("too_slow", `this machine does not keep up: ${largest.name} is left out`);
  }

  function takePart(part: MadePart, serial: number): void {
    options.onPart(part, serial);
    madeMs.set(part.track, clock.nowMs());
    const plan = plans.find(({ name }) => name === part.track);
    const track = history.track(part.track);
    if (plan && track?.next) {
      // Lengths of parts follow from the grid alone, whatever the timescale.
      const grid = gridOf(plan, GRID_HZ, channel.latency, FRAME_RATE);
      const endMs = track.next.number * SEGMENT_MS + (track.next.part * grid.partTicks * 1_000) / GRID_HZ;
      lags.set(part.track, clock.nowMs() - endMs);
    }
    if (options.state() === "live" || !run?.plans.every(({ name }) => history.track(name)?.next)) return;
    if (run.feed && !run.feed.hasVideo) return become("live", "audio_only", "the input has no picture");
    if (leftOut.size === 0) return become("live");
    become("live", "rungs_left_out", `this machine does not keep up with ${[...leftOut].join(", ")}`);
  }

  const slowestMs = (): number => Math.max(0, ...(run?.plans ?? []).map(({ name }) => Math.round(lags.get(name) ?? 0)));

  return {
    ...{ play, leftOut },
    serial: () => run?.serial ?? 0,
    input: () => (!run ? "" : run.feed?.index === 1 ? "backup" : "primary"),
    report: (track) => reports.get(track) ?? null,
    lagMs: slowestMs,
    async tick() {
      const nowMs = clock.nowMs();
      const tomorrow = dayIndexAt(nowMs, keyPeriodMs) + 1;
      if (packager && tomorrow !== givenDay) {
        packager.giveKeys(await keyring.day(tomorrow));
        givenDay = tomorrow;
      }
      const primary = feeds[0];
      if (run?.feed?.index === 1 && primary && nowMs - primary.sinceMs > STABLE_MS)
        return breakOff("primary_back", "the primary input is back");
      if (!run || nowMs - run.startedMs < SETTLED_MS || seeToStall(nowMs)) return;
      if (slowestMs() > LAG_MS_MAX) leaveOut(`the encoders are ${slowestMs()} ms behind`);
    },
  };
}

/** Any will do: lengths of parts are the same in all of them. */
const GRID_HZ = 90_000;
