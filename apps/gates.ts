import type { Metrics } from "#kernel";
import { type Gate, openGate } from "#kernel/admission";

/** Beats, starts, tokens and licences: somebody watches, or is about to. */
const PLAYBACK = /^\/(api\/[a-z]+\/v\d+\/playback|license|steering)\//;
/** Nobody waits for these with a remote control in the hand. */
const BACKGROUND = /^\/(docs|sitemap\.xml|robots\.txt|api\/[a-z]+\/v\d+\/openapi\.json)(\/|\?|$)/;
/** Streams stay open for minutes and have a bound of their own; whether we live is asked when we are busiest. */
const OUTSIDE = /^\/(api\/[a-z]+\/v\d+\/events|healthz|readyz)(\?|$)/;
const SIGN_IN = /^\/(sign-in|sign-up|auth|oauth|forgot-password|reset-password)(\/|\?|$)/;
const SIGN_IN_BEGINS = /^\/(sign-in|sign-up|forgot-password)(\?|$)/;

/** Most work at once is fastest for everybody: reads and starts of one turn share what they ask of PostgreSQL. More than that only waits inside. */
const LINES = [
  // Players come by the thousand a second, each on its own: a pause of a few hundred milliseconds, of which none notices, must send none away.
  { place: "playback", atOnceMax: 96, waitingMax: 1_024, waitMsMax: 2_000 },
  { place: "browsing", atOnceMax: 64, waitingMax: 64, waitMsMax: 2_000 },
  { place: "background", atOnceMax: 16, waitingMax: 32, waitMsMax: 5_000 },
] as const;
const TURN_MS_MAX = 10_000;

/** A sign-in (half a dozen requests, a password hash, three signatures) gives way to all of these; its line is as long as people have patience. */
const SIGN_IN_LIMITS = { atOnceMax: 2, waitingMax: 200, waitMsMax: 8_000 } as const;
/** A loop that works more than this makes everybody wait: delays grow as 1 / (1 - load). */
const SIGN_IN_LOAD_MAX = 0.4;

/** Whose turn it is at the public listener. What one of these asks of ourselves, by the listener on loopback, does not stand behind it. */
export function openGates(metrics: Metrics, loopLoad: () => number): readonly Gate[] {
  const counted = metrics.counter("requests_refused_total", "Requests that were told to come back later", [
    "queue",
    "reason",
  ]);
  const refused = (queue: string): void => counted.inc({ queue, reason: "busy" });
  const signIn = openGate({
    placeOf: ({ method, url = "" }) => {
      if (!SIGN_IN.test(url)) return null;
      const isFirst = method === "GET" && SIGN_IN_BEGINS.test(url) && !url.includes("interaction=");
      return isFirst ? "sign-in begins" : "sign-in goes on";
    },
    // Whoever has begun goes before those who have not, or a crowd at the door would let nobody finish.
    lines: [
      { place: "sign-in goes on", ...SIGN_IN_LIMITS },
      { place: "sign-in begins", ...SIGN_IN_LIMITS },
    ],
    ...{ turnMsMax: TURN_MS_MAX, load: { now: loopLoad, max: SIGN_IN_LOAD_MAX }, refused },
  });
  const others = openGate({ placeOf, lines: LINES, turnMsMax: TURN_MS_MAX, refused });
  return [signIn, others];
}

/** The line of everything but signing in. */
export function placeOf({ url = "" }: { readonly url?: string | undefined }): (typeof LINES)[number]["place"] | null {
  if (OUTSIDE.test(url)) return null;
  if (PLAYBACK.test(url)) return "playback";
  return BACKGROUND.test(url) ? "background" : "browsing";
}
