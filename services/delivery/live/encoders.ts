import type { LiveEncode, LiveReport, LiveSource } from "#kernel/ports/transcoder";
import { type Channel, FRAME_RATE, gopFramesOf, SEGMENT_MS, startAfter, type TrackPlan } from "./domain.ts";
import type { Anchor } from "./domain-ts.ts";
import type { Packager } from "./packager.ts";
import type { FeedState } from "./feeds.ts";
import type { LivePlatform } from "./service.ts";

/** Encoders need so long to come up; who is late begins with a later segment. */
const LEAD_MS = { test: 700, feed: 1_500 } as const;
/** Encoders count from so long before the start, which is whole segments. */
const ORIGIN_S = 2;

export interface EncodersOptions {
  readonly channel: Channel;
  readonly plans: readonly TrackPlan[];
  readonly serial: number;
  /** What they read; null for the test picture. */
  readonly feed: (Pick<FeedState, "timeS" | "atMs"> & { readonly index: number }) | null;
  /** They begin: which time of the feed is shown when. */
  readonly onBegin: (anchor: Anchor) => void;
  readonly onReport: (track: string, report: LiveReport) => void;
  readonly signal: AbortSignal;
}

/** Runs an encoder for each track, into the packager. Settles when the input ends; rejects when one of them fails. */
export async function encode(
  { transcoder, clock }: Pick<LivePlatform, "transcoder" | "clock">,
  packager: Packager,
  { channel, plans, serial, feed, onBegin, onReport, signal }: EncodersOptions,
): Promise<void> {
  const startMs = startAfter(clock.nowMs(), feed ? LEAD_MS.feed : LEAD_MS.test);
  const tracks = await packager.begin({
    ...{ serial, plans, feed: feed?.index ?? null, firstNumber: startMs / SEGMENT_MS },
    originMs: startMs - ORIGIN_S * 1_000,
  });
  // At a frame's place, so that picture and sound begin with the same moment.
  const startS = feed && Math.round((feed.timeS + (startMs - feed.atMs) / 1_000) * FRAME_RATE) / FRAME_RATE;
  if (startS !== null) onBegin({ startS, startMs });
  const ending = new AbortController();
  const over = AbortSignal.any([signal, ending.signal]);
  try {
    await Promise.all(
      plans.map(async (plan, index) => {
        const track = tracks[index];
        if (!track || track.outPath === null) return;
        const source: LiveSource =
          startS !== null && track.inPath !== null
            ? { kind: "feed", path: track.inPath, startS }
            : { kind: "test", title: titleOf(channel), startMs };
        const job = { source, leadS: ORIGIN_S, track: trackOf(plan, channel) };
        await transcoder.encodeLive(job, track.outPath, (report) => onReport(plan.name, report), over);
      }),
    );
  } finally {
    // They end together: half a channel is none.
    ending.abort();
    packager.end();
  }
}

/** What can be drawn of a name. */
const titleOf = ({ name }: Channel): string => name.replaceAll(/[^A-Za-z0-9 ]/g, " ").slice(0, 60);

function trackOf({ rung, bitrateKbps }: TrackPlan, { latency }: Channel): LiveEncode["track"] {
  if (!rung) return { kind: "audio", bitrateKbps };
  return {
    ...{ kind: "video", width: rung.width, height: rung.height, frameRate: FRAME_RATE, bitrateKbps },
    ...{ gopFrames: gopFramesOf(latency, FRAME_RATE), isLowLatency: latency === "low" },
  };
}
