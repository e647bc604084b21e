/** What channels show of what a question asks for. */
import type { GuideProgramme } from "#contracts/epg";
import type { Airing } from "#contracts/web";
import type { SearchResults } from "#contracts/web/search";
import type { Context } from "#kernel";
import { withChannels } from "./guide.ts";
import type { WebParts } from "./parts.ts";

const HOUR_MS = 3_600_000;
/** From and until when, after now: nobody knows where the viewer's evening begins. */
const HOURS: Readonly<Record<string, readonly [from: number, to: number]>> = {
  now: [0, 0],
  tonight: [0, 10],
  today: [0, 18],
  tomorrow: [12, 36],
};
const CHANNELS_MAX = 50;
const PROGRAMMES_MAX = 50;
const SHOWN_MAX = 10;

/** Programmes for `what's on TV tonight` and `football on now`, the earliest first; none where a question asks for none. */
export async function programmesFor(
  { call, clock }: Pick<WebParts, "call" | "clock">,
  understood: SearchResults["understood"],
  profile: { readonly id: string; readonly ageRatingMax: number },
  context: Context,
): Promise<Airing[]> {
  const valueOf = (wanted: string): string | undefined => understood.find(({ kind }) => kind === wanted)?.value;
  const hours = HOURS[valueOf("airing") ?? ""];
  if (!hours) return [];
  const [fromMs, toMs] = hours.map((after) => clock.nowMs() + after * HOUR_MS);
  const topic = valueOf("topic");
  const programmes =
    topic === undefined
      ? await onAll(call, profile.id, fromMs ?? 0, toMs ?? 0, context)
      : (await call.epg.search({ query: topic, limit: PROGRAMMES_MAX }, context)).programmes;
  const fitting = programmes
    .filter(
      ({ startMs, stopMs, ageRating }) =>
        Number(startMs) <= (toMs ?? 0) && Number(stopMs) > (fromMs ?? 0) && ageRating <= profile.ageRatingMax,
    )
    .sort((a, b) => Number(a.startMs - b.startMs))
    .slice(0, SHOWN_MAX);
  return withChannels({ call }, fitting, context);
}

async function onAll(
  call: WebParts["call"],
  profileId: string,
  fromMs: number,
  toMs: number,
  context: Context,
): Promise<readonly GuideProgramme[]> {
  const { channels } = await call.epg.channels({ profileId, offset: 0, limit: CHANNELS_MAX }, context);
  const channelIds = channels.map(({ id }) => id);
  // A moment is no stretch: the grid wants one that is not empty.
  const range = { fromMs: BigInt(fromMs), toMs: BigInt(Math.max(toMs, fromMs + 1)) };
  return (await call.epg.grid({ channelIds, ...range }, context)).programmes;
}
