/**
 * The course of a simulation: interval by interval personas look at their homes, choose and watch; then the product learns, and homes are held to
 * what their personas like, beside what is popular.
 */
import { type Interval, meanAt, pairedDifference } from "#learning/bootstrap";
import { type Random, randomBelow, seededRandom, shuffle } from "#learning/random";
import { ndcgAt, topK } from "#learning/ranking";
import { bestOf, choose, likeness, shareWatched, type World } from "./world.ts";

/** A rail of a home. Titles that are none of the simulation's are -1: nobody's taste is known for them, so they take a place and earn nothing. */
export interface SeenRail {
  readonly kind: string;
  /** Of "because": the title that it names. */
  readonly about: number | null;
  readonly titles: readonly number[];
}

export interface SeenHome {
  readonly rails: readonly SeenRail[];
  /** Something stood in for something else. */
  readonly isPartial: boolean;
}

/** The product as viewers have it. Personas and titles are their places in the world. */
export interface Cinema {
  look(persona: number): Promise<SeenHome>;
  /** Goes where a tile leads, if it was one of a rail of recommendations, and watches a share of the title. */
  watch(persona: number, title: number, share: number, tile: Tile | null): Promise<void>;
  /** The titles that the product says speak for a tile. */
  why(persona: number, title: number): Promise<readonly number[]>;
  /** Waits until what was watched has arrived, and has the product learn from it. */
  learn(): Promise<void>;
}

export interface Tile {
  readonly rail: string;
  readonly position: number;
}

/** What was found at the end of an interval; the first is before anybody watched. */
export interface Row {
  readonly atS: number;
  /** NDCG@20, means over personas. */
  readonly home: number;
  readonly popular: number;
  readonly difference: Interval;
  /** How much the first twenty titles of two personas have in common. */
  readonly alike: number;
  /** Of the tiles that were asked about, and those whose reason is a title that their persona watched. */
  readonly asked: number;
  readonly withTrueReason: number;
  /** Tiles that are said to be there because of a title that their persona never watched. */
  readonly withFalseReason: number;
  readonly watched: number;
  readonly partial: number;
  /** Visits that failed, since the last row. */
  readonly failed: number;
}

export interface CourseOptions {
  readonly seed: number;
  readonly intervals: number;
  /** How long an interval is; 0 takes as long as it takes. */
  readonly intervalMs: number;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onRow: (row: Row) => void;
  readonly onVisit?: (watched: number) => void;
}

const K = 20;
const VISITS_AN_INTERVAL = 2;
const AT_ONCE = 4;
/** So often somebody has heard of titles elsewhere, and of so many. */
const HEARD_ELSEWHERE = 0.3;
const HEARD = 20;
/** From here a title counts as watched, for popularity as for the product. */
const STAYED = 0.25;
const RECOMMENDED: readonly string[] = ["for_you", "because", "popular"];
/** What somebody began, or cannot watch yet, is no choice. */
const NO_CHOICE: readonly string[] = ["continue", "coming"];

interface State {
  readonly world: World;
  readonly cinema: Cinema;
  readonly options: CourseOptions;
  readonly random: Random;
  /** When the first interval began: after everybody's first look. */
  startedMs: number;
  readonly watched: readonly Set<number>[];
  /** How many stayed with each title. */
  readonly fans: Float64Array;
  visits: number;
  failed: number;
}

/** Runs until the last interval is over or the signal comes; visits that are under way are finished, and an interval that was cut short has no row. */
export async function runCourse(world: World, cinema: Cinema, options: CourseOptions): Promise<void> {
  const state: State = {
    ...{ world, cinema, options, random: seededRandom(options.seed), startedMs: options.nowMs() },
    ...{ watched: world.tastes.map(() => new Set<number>()), visits: 0, failed: 0 },
    fans: new Float64Array(world.genres.length),
  };
  await judge(state, 0);
  state.startedMs = options.nowMs();
  for (let interval = 1; interval <= options.intervals && !options.signal.aborted; interval += 1) {
    await watchFor(state, state.startedMs + interval * options.intervalMs);
    if (options.signal.aborted) break;
    await cinema.learn();
    await judge(state, (options.nowMs() - state.startedMs) / 1_000);
  }
}

/** Visits spread over the time until an interval ends; those for which there is no time are left out. */
async function watchFor(state: State, untilMs: number): Promise<void> {
  const { world, options, random } = state;
  const { intervalMs, nowMs, sleep, signal } = options;
  const order = Array.from({ length: VISITS_AN_INTERVAL }, () => shuffle([...world.tastes.keys()], random)).flat();
  const fromMs = nowMs();
  const stepMs = intervalMs === 0 ? 0 : Math.max(0, untilMs - fromMs) / order.length;
  const underWay = new Set<Promise<void>>();
  for (const [at, persona] of order.entries()) {
    if (signal.aborted || (intervalMs > 0 && nowMs() > untilMs)) break;
    const waitMs = fromMs + at * stepMs - nowMs();
    if (waitMs > 0) await sleep(waitMs);
    if (underWay.size >= AT_ONCE) await Promise.race(underWay);
    const going: Promise<void> = visit(state, persona).finally(() => underWay.delete(going));
    underWay.add(going);
  }
  await Promise.all(underWay);
}

/** Somebody looks at their home, or has heard of something, and watches what they like. A visit that fails is one that was not made. */
async function visit(state: State, persona: number): Promise<void> {
  const { world, cinema, random, fans, options } = state;
  const taste = world.tastes[persona] ?? new Float64Array();
  const watched = state.watched[persona] ?? new Set();
  try {
    const { rails } = await cinema.look(persona);
    const tiles = rails
      .filter(({ kind }) => !NO_CHOICE.includes(kind))
      .flatMap(({ kind, titles }) => titles.map((title, position) => ({ title, rail: kind, position })));
    const hasHeard = random() < HEARD_ELSEWHERE;
    const all = hasHeard
      ? Array.from({ length: HEARD }, () => randomBelow(random, world.genres.length))
      : tiles.map(({ title }) => title);
    const title = choose(
      [...new Set(all)].filter((one) => one >= 0 && !watched.has(one)),
      taste,
      random,
    );
    if (title === undefined) return;
    const share = shareWatched(taste[title] ?? 0);
    const tile = hasHeard ? undefined : tiles.find((one) => one.title === title);
    // Somebody may visit again before this is over, and then knows of it.
    watched.add(title);
    await cinema
      .watch(persona, title, share, tile && RECOMMENDED.includes(tile.rail) ? tile : null)
      .catch((error: unknown) => {
        watched.delete(title);
        throw error;
      });
    if (share >= STAYED) fans[title] = (fans[title] ?? 0) + 1;
    state.visits += 1;
    options.onVisit?.(state.visits);
  } catch (error) {
    state.failed += 1;
    if (state.failed > world.tastes.length) throw error;
  }
}

async function judge(state: State, atS: number): Promise<void> {
  const { world, cinema, options, fans } = state;
  const personas = world.tastes.length;
  const own = new Float64Array(personas);
  const popular = new Float64Array(personas);
  const firsts: number[][] = [];
  const reasons = { asked: 0, withTrueReason: 0, withFalseReason: 0 };
  let partial = 0;
  await inTurns(personas, async (persona) => {
    const { rails, isPartial } = await cinema.look(persona);
    if (isPartial) partial += 1;
    const watched = state.watched[persona] ?? new Set<number>();
    const recommended = rails.filter(({ kind }) => RECOMMENDED.includes(kind));
    const shown = [...new Set(recommended.flatMap(({ titles }) => titles))];
    const best = bestOf(world.tastes[persona] ?? new Float64Array(), watched);
    own[persona] = ndcgAt(shown, best, K);
    popular[persona] = ndcgAt(
      // What nobody stayed with is not popular.
      topK(fans, K, (title) => watched.has(title) || (fans[title] ?? 0) === 0),
      best,
      K,
    );
    firsts[persona] = shown.slice(0, K);
    for (const named of await reasonsOf(state, persona, recommended)) {
      reasons.asked += 1;
      if (named.length > 0 && named.every((title) => watched.has(title))) reasons.withTrueReason += 1;
      if (named.some((title) => !watched.has(title))) reasons.withFalseReason += 1;
    }
  });
  const pairs = firsts.slice(1).map((home, at) => likeness(home, firsts[at] ?? []));
  const mean = (values: ArrayLike<number>): number =>
    meanAt(
      values,
      Uint32Array.from({ length: values.length }, (_, at) => at),
    );
  options.onRow({
    ...{ atS, home: mean(own), popular: mean(popular), partial },
    difference: pairedDifference(own, popular, { random: seededRandom(options.seed) }),
    ...{ alike: pairs.length === 0 ? 0 : mean(pairs), ...reasons, watched: state.visits, failed: state.failed },
  });
  state.failed = 0;
}

/** The titles that are named as the reason for each tile of "because", and for one tile that is "for you". */
async function reasonsOf(
  { cinema, random }: State,
  persona: number,
  rails: readonly SeenRail[],
): Promise<readonly (readonly number[])[]> {
  const named = rails
    .filter(({ kind }) => kind === "because")
    .flatMap(({ about, titles }) => titles.map(() => (about === null ? [] : [about])));
  const own = rails.find(({ kind }) => kind === "for_you")?.titles.filter((title) => title >= 0) ?? [];
  const title = own[randomBelow(random, own.length)];
  return title === undefined ? named : [...named, await cinema.why(persona, title)];
}

/** Does `work` for all numbers below `count`, some at a time. */
export async function inTurns(count: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const go = async (): Promise<void> => {
    while (next < count) {
      const at = next;
      next += 1;
      await work(at);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, go));
}
