import { LRUCache } from "lru-cache";
import { MARKS } from "#contracts/origin/edges";
import { type Context, systemContext } from "#kernel";
import { type DrmByKid, drmOf } from "#media/hls";
import { packageFolder, type Presentation } from "#media/presentation";
import { type BreakWindow, breakWindows, type InsertedAd, type InsertedBreak, insertedBreak } from "./domain-breaks.ts";
import { SEGMENT_MS } from "./domain.ts";
import type { LivePlatform } from "./service.ts";
import type { Station } from "./station.ts";

const SESSIONS_MAX = 20_000;
const PACKAGES_MAX = 200;
/** A decision answers in less, or without ads. */
const DECIDE_MS_MAX = 2_000;
/** Segments of session's playlists are no longer than this: players may rely on it from their first playlist on. */
export const AD_SEGMENT_S_MAX = 6;

/** An ad as it was decided. */
interface Placed {
  readonly creativeId: string;
  readonly packageRevision: number;
  readonly indexVersion: number;
  readonly durationS: number;
}

interface Known {
  readonly window: BreakWindow;
  readonly filled: Promise<Filled>;
}
interface Filled {
  readonly ads: readonly InsertedAd[];
  /** Something went wrong, and may go well while the break is still ahead. */
  readonly isOpen: boolean;
}

/** What stands in the breaks of channels, session by session. */
export interface Breaks {
  /** The breaks of the window and what is ahead that are filled for a session, oldest first. */
  of(station: Station, sessionId: string): Promise<readonly InsertedBreak[]>;
  /** The ads of the break that begins with a segment, whenever they are asked for; none where there is no such break. */
  adsOf(station: Station, sessionId: string, fromNumber: number): Promise<readonly Placed[]>;
}

export function openBreaks(platform: Pick<LivePlatform, "call" | "objects" | "clock" | "logger">): Breaks {
  const { call, objects, clock, logger } = platform;
  /** By session, then by break. What was answered stays, and counts behind its end: a playlist cannot take back what it has shown. */
  const sessions = new LRUCache<string, Map<string, Known>>({ max: SESSIONS_MAX });
  const packages = new LRUCache<string, { readonly presentation: Presentation; readonly drm: DrmByKid }, Context>({
    max: PACKAGES_MAX,
    fetchMethod: (key, _stale, { context }) => load(key, context),
  });

  const contextOf = ({ tenant }: Station): Context => {
    const context = systemContext(tenant, "live", { clock });
    return { ...context, deadlineMs: Math.min(context.deadlineMs, clock.nowMs() + DECIDE_MS_MAX) };
  };

  async function load(key: string, context: Context) {
    const presentation = JSON.parse(Buffer.from(await objects.get(key)).toString("utf8")) as Presentation;
    const set = { contentId: presentation.contentId, packageRevision: presentation.revision };
    if (presentation.keys.length === 0) return { presentation, drm: new Map() };
    const [signals, licenses] = await Promise.all([
      call.keys.signalling(set, context),
      call.license.locate({ sessionId: MARKS.session, token: MARKS.token }, context),
    ]);
    return { presentation, drm: drmOf(signals, licenses) };
  }

  async function decide(
    station: Station,
    sessionId: string,
    window: BreakWindow,
    isLate: boolean,
  ): Promise<{ readonly ads: readonly Placed[]; readonly isOpen: boolean }> {
    const { id: breakId, fromNumber, toNumber } = window;
    const durationS = ((toNumber - fromNumber) * SEGMENT_MS) / 1_000;
    const startMs = BigInt(fromNumber * SEGMENT_MS);
    const request = { sessionId, contentId: station.channel.id, breakId, startMs, durationS, isLate };
    return call.ads.fillBreak(request, contextOf(station));
  }

  /** Nothing, and the programme goes on, whatever is wrong with the ads. */
  async function fill(station: Station, sessionId: string, window: BreakWindow, isLate: boolean): Promise<Filled> {
    try {
      const context = contextOf(station);
      const { ads: placed, isOpen } = await decide(station, sessionId, window, isLate);
      const ads = await Promise.all(
        placed.map(async ({ creativeId, packageRevision, indexVersion, durationS }) => {
          const key = `${packageFolder(creativeId, packageRevision)}/index-${indexVersion}.json`;
          const found = await packages.fetch(key, { context });
          if (!found) throw new Error(`there is no '${key}'`);
          assertShort(found.presentation);
          return { ...found, shownS: durationS };
        }),
      );
      return { ads, isOpen };
    } catch (error) {
      logger.warn("a break of a channel is not filled", { channel_id: station.channel.id, break_id: window.id, error });
      return { ads: [], isOpen: true };
    }
  }

  return {
    async of(station, sessionId) {
      const known = sessions.get(sessionId) ?? new Map<string, Known>();
      sessions.set(sessionId, known);
      const windows = breakWindows(station.splices.ranges());
      const shownTo = Math.max(0, ...[...station.history.tracks.values()].map(({ segments }) => newestWhole(segments)));
      for (const window of windows) {
        const isLate = window.fromNumber <= shownTo;
        const before = known.get(window.id);
        const isDecided = before !== undefined && (isLate || !(await before.filled).isOpen);
        const filled = isDecided ? before.filled : fill(station, sessionId, window, isLate);
        known.set(window.id, { window, filled });
      }
      // One that is not over and not heard of any more was taken back.
      for (const [id, { window }] of known)
        if (window.toNumber > shownTo && !windows.some((each) => each.id === id)) known.delete(id);
      const all = await Promise.all(
        [...known.values()].map(async ({ window, filled }) => insertedBreak(window, (await filled).ads)),
      );
      return all.filter(({ ads }) => ads.length > 0).toSorted((a, b) => a.fromNumber - b.fromNumber);
    },
    async adsOf(station, sessionId, fromNumber) {
      const window = breakWindows(station.splices.ranges()).find((each) => each.fromNumber === fromNumber);
      if (!window) return [];
      const decided = decide(station, sessionId, window, false).catch((error: unknown) => {
        logger.warn("a break has no ads", { channel_id: station.channel.id, break_id: window.id, error });
        return { ads: [] };
      });
      return (await decided).ads;
    },
  };
}

const newestWhole = (segments: readonly { readonly number: number; readonly isWhole: boolean }[]): number =>
  segments.findLast(({ isWhole }) => isWhole)?.number ?? 0;

function assertShort({ contentId, video, audio }: Presentation): void {
  for (const { timescale, segments } of [...video, ...audio])
    for (const { durationTicks } of segments)
      if (Math.round(durationTicks / timescale) > AD_SEGMENT_S_MAX)
        throw new Error(`'${contentId}' has a segment of ${durationTicks / timescale} s`);
}
