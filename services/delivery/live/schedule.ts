import { type Clock, type Db, systemContext } from "#kernel";
import { type Channel, SEGMENT_MS } from "./domain.ts";
import { type Film, planAirings } from "./domain-schedule.ts";
import type { LivePlatform } from "./service.ts";
import * as store from "./store.ts";

/** A guide shows tomorrow as well. */
const AHEAD_MS = 36 * 3_600_000;
const AIRINGS_AT_ONCE_MAX = 5_000;
const FILMS_MAX = 200;
/** What was shown is of use for as long as somebody may go back to it. */
const KEPT_MS = 48 * 3_600_000;

interface Planning extends Pick<LivePlatform, "call"> {
  readonly db: Db;
  readonly clock: Clock;
}

/** Plans what a channel shows of the films that everybody may see at its age rating. */
export async function planSchedule({ db, call, clock }: Planning, tenant: string, channel: Channel): Promise<void> {
  const nowMs = clock.nowMs();
  const untilNumber = Math.floor((nowMs + AHEAD_MS) / SEGMENT_MS);
  const last = await db.read({ tenant }, (tx) => store.lastAiring(tx, channel.id));
  const nowNumber = Math.floor(nowMs / SEGMENT_MS);
  if (last && last.lastNumber >= untilNumber) return;
  const { titles } = await call.catalog.list(
    { kinds: ["film", "episode"], limit: FILMS_MAX, ageRatingMax: channel.ageRating, states: ["playable"] },
    systemContext(tenant, "live", { clock }),
  );
  const films = titles
    .filter(
      ({ packageRevision, tierMin }) => packageRevision > 0 && (channel.tier === "premium" || tierMin !== "premium"),
    )
    .map(
      ({ id, packageRevision, indexVersion, title, durationS }): Film => ({
        ...{ contentId: id, packageRevision, indexVersion, title, durationS },
      }),
    );
  const from = {
    number: Math.max((last?.lastNumber ?? 0) + 1, nowNumber),
    afterContentId: last?.contentId ?? null,
  };
  const airings = planAirings(films, from, untilNumber, AIRINGS_AT_ONCE_MAX);
  await db.tx({ tenant }, async (tx) => {
    await store.addAirings(tx, channel.id, airings);
    await store.forgetAirings(tx, channel.id, Math.floor((nowMs - KEPT_MS) / SEGMENT_MS));
  });
}
