import { problem, systemContext, toProblem } from "#kernel";
import { packageFolder, type Presentation, segmentName } from "#media/presentation";
import { dayIndexAt, SEGMENT_MS, type TrackPlan } from "./domain.ts";
import { type Airing, nearestRung } from "./domain-schedule.ts";
import { openPackager, type Packager } from "./packager.ts";
import type { FromPackager, MadePart } from "./packager-worker.ts";
import { planSchedule } from "./schedule.ts";
import type { Playout, PlayoutOptions } from "./playout.ts";
import type { StationPlatform } from "./station.ts";
import * as store from "./store.ts";

/** A channel that wakes has this much to show at once, as if it had been awake. */
const BACK_SEGMENTS = 6;
/** How long before they are due segments of films are read. */
const AHEAD_MS = 6_000;
const RETRY_MS = 2_000;
const LOOK_MS = 200;

interface FilmTrack {
  readonly plan: TrackPlan;
  readonly folder: string;
  readonly init: Uint8Array;
  readonly key: Uint8Array;
  /** When each segment begins, in seconds from the film's start. */
  readonly startsS: readonly number[];
}

/**
 * A channel that is made of films as they are packaged: their segments are decrypted, get the channel's times and keys, and come out when
 * they are due. No encoder runs.
 */
export function openLinear(platform: StationPlatform, options: PlayoutOptions): Playout {
  const { db, objects, call, clock, logger } = platform;
  const { tenant, stored, plans, keyring, keyPeriodMs, history, become, onTrack, onInit, onPart, onRunOver } = options;
  const { channel } = stored;
  let packager: Packager | null = null;
  let serial = 0;
  let givenDay = -1;
  let fault: Error | null = null;
  /** Names of the tracks that the present film has. */
  let showing: readonly string[] = [];
  /** By track, what is made and not due yet: one after the other, whatever the clock does. */
  const early = new Map<string, Promise<void>>();

  async function play(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await withPackager(signal);
      } catch (error) {
        if (signal.aborted) break;
        const { reason, message } = toProblem(error);
        logger.warn("a channel of films failed", { channel_id: channel.id, error });
        become("failed", reason, message);
      }
      await clock.sleep(RETRY_MS, signal).catch(() => {});
    }
  }

  async function withPackager(signal: AbortSignal): Promise<void> {
    fault = null;
    const opened = await openPackager({ latency: channel.latency, keyPeriodMs, inputs: [], on: hear, signal });
    packager = opened;
    try {
      await planSchedule(platform, tenant, channel);
      let next = Math.floor(clock.nowMs() / SEGMENT_MS) - BACK_SEGMENTS;
      while (!signal.aborted) {
        const airing = await db.read({ tenant }, (tx) => store.airingAt(tx, channel.id, next));
        if (airing) {
          await Promise.race([show(opened, airing, next, signal), opened.failed]);
          next = airing.lastNumber + 1;
          continue;
        }
        // Before the first airing there is nothing to go back to.
        const nowNumber = Math.floor(clock.nowMs() / SEGMENT_MS);
        if (next < nowNumber) {
          next = nowNumber;
          continue;
        }
        become("no_input", "nothing_scheduled", "nothing is scheduled: there is no film that it may show yet");
        await clock.sleep(RETRY_MS, signal).catch(() => {});
        await planSchedule(platform, tenant, channel);
        next = Math.floor(clock.nowMs() / SEGMENT_MS);
      }
    } finally {
      packager = null;
      serial = 0;
      early.clear();
      await opened.close();
      onRunOver();
    }
  }

  async function show(opened: Packager, airing: Airing, fromNumber: number, signal: AbortSignal): Promise<void> {
    const begun = await db.tx({ tenant }, (tx) => store.beginRun(tx, channel.id));
    if (begun === undefined) throw problem.notFound(`channel '${channel.id}' does not exist`);
    for (const number of [fromNumber, airing.lastNumber]) {
      const dayIndex = dayIndexAt(number * SEGMENT_MS, keyPeriodMs);
      for (const day of [dayIndex, dayIndex + 1]) opened.giveKeys(await keyring.day(day));
      givenDay = dayIndex + 1;
    }
    const film = await tracksOfFilm(airing);
    // Before anything of it comes back.
    serial = begun;
    showing = film.map(({ plan }) => plan.name);
    await opened.begin({
      ...{ serial: begun, plans: film.map(({ plan }) => plan), feed: null, isFilm: true },
      ...{ firstNumber: fromNumber, lastNumber: airing.lastNumber, originMs: airing.firstNumber * SEGMENT_MS },
    });
    const offsetS = ((fromNumber - airing.firstNumber) * SEGMENT_MS) / 1_000;
    const endS = ((airing.lastNumber + 1 - airing.firstNumber) * SEGMENT_MS) / 1_000;
    const pieces = film
      .flatMap((track) =>
        track.startsS.map((startS, index) => ({ track, startS, index, endS: track.startsS[index + 1] })),
      )
      .filter((piece) => (piece.endS ?? Number.POSITIVE_INFINITY) > offsetS && piece.startS < endS)
      .toSorted((a, b) => a.startS - b.startS);
    for (const { track, startS, index } of pieces) {
      await due(airing.firstNumber * SEGMENT_MS + startS * 1_000 - AHEAD_MS, signal);
      if (signal.aborted) return;
      const segment = await objects.get(`${track.folder}/${segmentName(index + 1)}`);
      opened.film({ track: track.plan.name, init: track.init, segment, key: track.key });
    }
    await due((airing.lastNumber + 1) * SEGMENT_MS, signal);
    onRunOver();
  }

  async function due(atMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && clock.nowMs() < atMs) {
      if (fault) throw fault;
      await clock.sleep(Math.min(LOOK_MS, Math.max(1, atMs - clock.nowMs())), signal).catch(() => {});
    }
    if (fault) throw fault;
  }

  /** What stands for each of the channel's tracks, with its key. */
  async function tracksOfFilm({ contentId, packageRevision, indexVersion }: Airing): Promise<FilmTrack[]> {
    const folder = packageFolder(contentId, packageRevision);
    const json = Buffer.from(await objects.get(`${folder}/index-${indexVersion}.json`)).toString("utf8");
    const { video, audio } = JSON.parse(json) as Presentation;
    const context = systemContext(tenant, "live", { clock });
    const { keys } = await call.keys.getSet({ contentId, packageRevision }, context);
    const sound = audio.find(({ isDefault }) => isDefault) ?? audio[0];
    const found: FilmTrack[] = [];
    for (const plan of plans) {
      const track = plan.rung ? nearestRung(video, plan.rung.height) : sound;
      if (!track) continue;
      const key = keys.find(({ kid }) => kid === track.kid);
      if (!key) throw problem.precondition(`'${contentId}' has no key for ${track.profile}`, { reason: "no_key" });
      let ticks = 0;
      found.push({
        ...{ plan, folder: `${folder}/${track.profile}`, key: key.key },
        init: await objects.get(`${folder}/${track.profile}/init.mp4`),
        startsS: track.segments.map(({ durationTicks }) => {
          const startS = ticks / track.timescale;
          ticks += durationTicks;
          return startS;
        }),
      });
    }
    return found;
  }

  function hear(message: Exclude<FromPackager, { readonly type: "listening" }>): void {
    if (message.type === "track") onTrack(message.track, message.facts);
    else if (message.type === "init") onInit(message.track, message.dayIndex, message.bytes, serial);
    else if (message.type === "fault") fault = problem.unsupportedMedia(message.message, { reason: message.reason });
    else if (message.type === "part" && packager) release(packager, message, serial);
  }

  /** A segment comes out when it has been shown, as that of a camera would. */
  function release(by: Packager, part: MadePart, of: number): void {
    const shownMs = (part.number + 1) * SEGMENT_MS;
    const out = async (): Promise<void> => {
      while (packager === by && clock.nowMs() < shownMs)
        await clock.sleep(Math.min(LOOK_MS, Math.max(1, shownMs - clock.nowMs())));
      if (packager !== by) return;
      onPart(part, of);
      if (options.state() !== "live" && showing.every((name) => history.track(name)?.segments.length)) become("live");
    };
    early.set(part.track, (early.get(part.track) ?? Promise.resolve()).then(out));
  }

  return {
    ...{ play, leftOut: new Set<string>(), lagMs: () => 0, report: () => null },
    serial: () => serial,
    input: () => (serial === 0 ? "" : "primary"),
    async tick() {
      const tomorrow = dayIndexAt(clock.nowMs(), keyPeriodMs) + 1;
      if (!packager || tomorrow <= givenDay) return;
      packager.giveKeys(await keyring.day(tomorrow));
      givenDay = tomorrow;
    },
  };
}
