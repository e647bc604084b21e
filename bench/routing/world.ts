/**
 * Networks in regions, minute by minute, from recorded traces. A network in a region is most of the time one kind of line and now and then, for some
 * minutes, another: that is when people on it suffer. The change is sudden, as it is in the recordings; what can be told from is what they tell.
 */
import { type Random, randomBelow, seededRandom } from "#learning/random";
import type { Minute } from "../../services/discovery/models/domain-routing.ts";
import { type Second, seconds, type Sets } from "./traces.ts";

export const NETWORKS = ["a", "b", "c"] as const;
export const REGIONS = ["DE", "FR", "NL", "PL"] as const;

/** What a line is usually and what it is in its bad times; shares of minutes that begin a bad time, by hour of the day. */
interface Character {
  readonly usual: string;
  readonly bad: string;
  readonly begins: (hour: number) => number;
  readonly lastsMin: number;
}

const evening = (hour: number): boolean => hour >= 18 && hour < 23;
const CHARACTERS: readonly Character[] = [
  { usual: "hd_fs", bad: "3Glogs", begins: () => 0.01, lastsMin: 12 },
  { usual: "4Glogs", bad: "3Glogs", begins: (hour) => (evening(hour) ? 0.05 : 0.003), lastsMin: 20 },
  { usual: "sd_fs", bad: "3Glogs", begins: () => 0.006, lastsMin: 8 },
  { usual: "hd_fs", bad: "sd_fs", begins: (hour) => (evening(hour) ? 0.02 : 0.01), lastsMin: 15 },
];

const LADDER_KBPS = [300, 700, 1_500, 3_000, 6_000] as const;
const BUFFER_S_MAX = 20;
const PLAYERS = 4;

/** What a minute on a network would have been, and what of it is reported. */
export interface Lived extends Minute {
  /** Seconds of waiting of an average player. */
  readonly rebufferS: number;
  readonly playedKbps: number;
}

export type World = ReadonlyMap<string, readonly Lived[]>;
export const keyOf = (region: string, network: string): string => `${region}/${network}`;

/** @param firstMinute since the epoch */
export function makeWorld(sets: Sets, minutes: number, firstMinute: number, seed: number): World {
  const random = seededRandom(seed);
  return new Map(
    REGIONS.flatMap((region) =>
      NETWORKS.map((network) => {
        const character = CHARACTERS[randomBelow(random, CHARACTERS.length)] as Character;
        return [keyOf(region, network), live(sets, character, { minutes, firstMinute, random })] as const;
      }),
    ),
  );
}

interface Span {
  readonly minutes: number;
  readonly firstMinute: number;
  readonly random: Random;
}

function live(
  sets: Sets,
  { usual, bad, begins, lastsMin }: Character,
  { minutes, firstMinute, random }: Span,
): Lived[] {
  const lines = [usual, bad].map((set) => seconds(sets.get(set) ?? [], random));
  const players = Array.from({ length: PLAYERS }, () => openPlayer());
  let left = 0;
  return Array.from({ length: minutes }, (_, at) => {
    const minute = firstMinute + at;
    if (left === 0 && random() < begins(Math.floor(minute / 60) % 24))
      left = Math.ceil(-Math.log(1 - random()) * lastsMin);
    const line = lines[left > 0 ? 1 : 0];
    left = Math.max(0, left - 1);
    const heard: Second[] = Array.from({ length: 60 }, () => line?.next().value ?? { kbps: 0, latencyMs: 0 });
    const lived = players.map((player) => player.minute(heard));
    const mean = (of: (one: (typeof lived)[number]) => number): number =>
      lived.reduce((sum, one) => sum + of(one), 0) / PLAYERS;
    const troubled = mean(({ troubledBeats }) => troubledBeats / 6);
    return {
      ...{ minute, beats: PLAYERS * 6, throughputKbps: heard.reduce((sum, { kbps }) => sum + kbps, 0) / 60 },
      ...{ troubleRatio: troubled, scoreP25: 100 - 100 * Math.min(1, troubled * 2), isUp: true },
      latencyMs: heard.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / 60,
      ...{ rebufferS: mean(({ rebufferS }) => rebufferS), playedKbps: mean(({ playedKbps }) => playedKbps) },
    };
  });
}

/** A player that takes the highest rung below what it measured lately; it beats every ten seconds. */
function openPlayer() {
  let bufferS = 4;
  let measuredKbps = 1_500;
  return {
    minute(heard: readonly Second[]) {
      let [rebufferS, played, troubledBeats, waited] = [0, 0, 0, 0];
      for (const [second, { kbps }] of heard.entries()) {
        const rung = LADDER_KBPS.findLast((each) => each <= 0.8 * measuredKbps) ?? LADDER_KBPS[0];
        bufferS = Math.min(BUFFER_S_MAX, bufferS + kbps / rung);
        const watchedS = Math.min(1, bufferS);
        bufferS -= watchedS;
        rebufferS += 1 - watchedS;
        waited += 1 - watchedS;
        played += rung * watchedS;
        measuredKbps += 0.2 * (kbps - measuredKbps);
        if (second % 10 !== 9) continue;
        if (waited > 0.1) troubledBeats += 1;
        waited = 0;
      }
      return { rebufferS, playedKbps: played / 60, troubledBeats };
    },
  };
}
