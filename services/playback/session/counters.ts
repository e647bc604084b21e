import type { Metrics } from "#kernel";
import { type ContentType, deviceOf, regionOf } from "./domain.ts";

/** How many living sessions there are of a kind. */
export interface ActiveCount {
  readonly contentType: ContentType;
  readonly deviceType: string;
  readonly market: string;
  readonly count: number;
}

/** What happens to sessions, for operators. */
export interface Counters {
  started(contentType: ContentType, device: string): void;
  denied(): void;
  stopped(reason: string): void;
  /** A player could not play; `network` is one of the session's. */
  failed(network: string): void;
  /** Replaces what was said before. */
  active(counts: readonly ActiveCount[]): void;
}

/** Why sessions end, as players and we ourselves say; another word is a player's own. */
const REASONS: ReadonlySet<string> = new Set(["asked", "expired", "replaced", "ended", "error", "closed"]);

export function openCounters(metrics: Metrics): Counters {
  const starts = metrics.counter("playback_starts_total", "Playback sessions started", ["content_type", "device"]);
  const denials = metrics.counter(
    "playback_stream_limit_denials_total",
    "Starts denied because the plan allows no more streams",
  );
  const stops = metrics.counter("playback_stops_total", "Playback sessions that ended", ["reason"]);
  const errors = metrics.counter("playback_errors_total", "Errors that players reported", ["network"]);
  const living = metrics.gauge("active_sessions", "Living playback sessions of the whole product", [
    ...(["content_type", "device", "region"] as const),
  ]);
  return {
    started: (contentType, device) => starts.inc({ content_type: contentType, device: deviceOf(device) }),
    denied: () => denials.inc(),
    stopped: (reason) => stops.inc({ reason: REASONS.has(reason) ? reason : "other" }),
    failed: (network) => errors.inc({ network }),
    active(counts) {
      living.reset();
      for (const { contentType, deviceType, market, count } of counts)
        living.inc({ content_type: contentType, device: deviceOf(deviceType), region: regionOf(market) }, count);
    },
  };
}
