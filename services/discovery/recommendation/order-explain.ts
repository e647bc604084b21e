import type { Context } from "#kernel";
import type { Ranked } from "./domain.ts";
import { type Home, HOME_MS_MAX, homeOf } from "./home.ts";
import { listOf } from "./order.ts";
import type { Parts } from "./parts.ts";
import { timely } from "./timely.ts";

/** A page that somebody opens to know may wait longer for its model than a home does. */
const EXPLAIN_MS_MAX = 500;

interface Of {
  readonly profileId: string;
  readonly contentId: string;
  readonly isPersonalised: boolean;
  readonly missing: string[];
}

/** What became of a title where the profile's home is put in the order in which people choose. */
export async function orderOf(parts: Parts, { profileId, contentId, isPersonalised, missing }: Of, context: Context) {
  if (!isPersonalised) return held("off");
  const shown = homeOf(parts, context, profileId);
  const home = await timely<Home | undefined>(parts, "home", missing, shown, undefined, HOME_MS_MAX);
  if (!home) return held("unknown");
  if (home.orderedBy !== "model") return held(home.orderedBy);
  const candidates = [...home.places].map(([id, { score }]): Ranked => ({ id, score }));
  if (!home.places.has(contentId)) return { ...held("outside"), titles: candidates.length };
  const deadlineMs = Math.min(context.deadlineMs, parts.clock.nowMs() + EXPLAIN_MS_MAX);
  const request = { list: listOf(candidates, profileId), contentId };
  const asked = parts.call.models.explainOrder(request, { ...context, deadlineMs });
  const answer = await timely(parts, "order", missing, asked, undefined, EXPLAIN_MS_MAX);
  if (answer?.partial) missing.push("order");
  // The version was taken back since.
  if (answer?.version === 0) return held("default");
  const { version, sinceMs, share, place, influences } = answer ?? NOTHING;
  const moved = influences.map(({ what, effect, places }) => ({ what, effect, places }));
  return { by: "model", version, sinceMs, share, place, titles: candidates.length, influences: moved };
}

type Influences = readonly { readonly what: string; readonly effect: number; readonly places: number }[];
const NOTHING = { version: 0, sinceMs: 0n, share: 0, place: 0, influences: [] as Influences };
const held = (by: string) => ({ by, titles: 0, ...NOTHING, influences: [] });
