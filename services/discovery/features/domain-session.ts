import type { PlaybackHeartbeat } from "#contracts/session";
import { amount, type FeatureGroup, type Value, word } from "./domain.ts";
import { MINUTE_MS, ratio } from "./domain-windows.ts";

/** What a session is like now. A beat alone says it, counters since the start included, so that nothing is kept between two. */
export const session: FeatureGroup = {
  name: "session_context",
  entity: "session",
  description: "What a session is like now, as its last beat says",
  ttlMs: 10 * MINUTE_MS,
  cadenceMs: 0,
  sourceEvents: ["playback.heartbeat"],
  features: [
    amount("position_ratio", "", "How far it is in the title; of a channel nothing", null),
    amount("length", "min", "Since it began", null),
    amount("bitrate", "kbps", "Of what is watched", null),
    amount("bitrate_of_best", "", "The same beside the best of the ladder", null),
    amount("throughput", "kbps", "As the player measures it", null),
    amount("buffer", "s", "Ahead of the picture", null),
    amount("rebuffering_ratio", "", "Of the time since it began", null),
    word("device_type", "The kind of device"),
  ],
};

export function sessionValues(beat: PlaybackHeartbeat): Readonly<Record<string, Value>> {
  const lengthMs = Math.max(0, beat.timeMs - beat.startedAtMs);
  return {
    position_ratio: beat.contentType === "live" ? Number.NaN : ratio(beat.positionS, beat.durationS),
    length: lengthMs / MINUTE_MS,
    bitrate: beat.bitrateKbps,
    bitrate_of_best: ratio(beat.bitrateKbps, beat.bitrateMaxKbps),
    throughput: beat.throughputKbps > 0 ? beat.throughputKbps : Number.NaN,
    buffer: beat.bufferS,
    rebuffering_ratio: Math.min(1, ratio(beat.rebufferDurationMs, lengthMs)),
    device_type: beat.deviceType,
  };
}
