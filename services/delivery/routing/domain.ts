/** A delivery network as an operator configured it. */
export interface Network {
  readonly id: string;
  readonly baseUrl: string;
  /** Regions (ISO 3166-1) that it is near to; empty: everywhere. */
  readonly regions: readonly string[];
  /** 1 is the cheapest. */
  readonly costTier: number;
}

/** What is known of a network now: from our probes and from players. */
export interface NetworkHealth {
  readonly isUp: boolean;
  readonly latencyMs: number;
  /** Mean of what players measured lately; 0 while nobody has. */
  readonly throughputKbps: number;
  /** Share of lately reported beats with errors or rebuffering. */
  readonly troubleRatio: number;
  readonly samples: number;
}

/** How a network did over one minute of a region, whichever process its players' beats reached, and how it answered our probe then. */
export interface Minute extends Experience {
  readonly minute: number;
  readonly toMs: number;
  readonly scoreP25: number;
  readonly latencyMs: number;
  readonly isUp: boolean;
}

/** The model looks back so far. */
const HISTORY_MINUTES = 15;

/** A history with one more minute at its end; of a minute that is told twice the later word counts. */
export const withMinute = (history: readonly Minute[], next: Minute): readonly Minute[] => [
  ...history.filter(({ minute }) => minute > next.minute - HISTORY_MINUTES && minute < next.minute),
  next,
];

/** What the quality of experience of all players comes to for a network in a region, whichever process their beats reached. */
export interface Experience {
  readonly beats: number;
  readonly throughputKbps: number;
  readonly troubleRatio: number;
}

/** A moving mean of our own is worth about so many beats, however many it has seen. */
const MEAN_BEATS = 50;

/** Our own figures and those of all players as one, each by the beats behind it. Whether a network answers, our probes say alone. */
export function withExperience(own: NetworkHealth, all: Experience | undefined): NetworkHealth {
  if (!all || all.beats <= 0) return own;
  const [mine, theirs] = [Math.min(own.samples, MEAN_BEATS), all.beats];
  const mean = (a: number, b: number): number => (a * mine + b * theirs) / (mine + theirs);
  return {
    ...own,
    samples: own.samples + theirs,
    troubleRatio: mean(own.troubleRatio, all.troubleRatio),
    throughputKbps:
      own.throughputKbps > 0 && all.throughputKbps > 0
        ? mean(own.throughputKbps, all.throughputKbps)
        : own.throughputKbps || all.throughputKbps,
  };
}

/** Below so many reports the figures say nothing, and sessions go round. */
export const SAMPLES_MIN = 20;

export interface Selection {
  /** The best one first. */
  readonly order: readonly Network[];
  /** True where a rule decided in place of the model (ARCH-001 section 6, fallback strategy). */
  readonly isFallback: boolean;
}

/** What a selection goes by. */
export interface Known {
  readonly health: ReadonlyMap<string, NetworkHealth>;
  /** How likely each network's next minute is a bad one; empty where no model said so. */
  readonly risks: ReadonlyMap<string, number>;
  readonly region: string;
  /** A number that grows with every selection: among equals, sessions go round. */
  readonly turn: number;
}

/** Networks whose risks differ by less are as good as each other: what one is chosen for is then its price, and the turn. */
const RISK_STEP = 0.03;
/** One session in so many goes round whatever the model says: of a network without players nobody learns that it is well again. */
const EXPLORED_EVERY = 25;

/** The networks for a new session: by the model where it answered for all of them, else by what players report, else in turn. */
export function select(networks: readonly Network[], known: Known): Selection {
  const { health, risks, region, turn } = known;
  const turned = networks.map((_, i) => networks[(i + turn) % networks.length] as Network);
  const down = (network: Network): number => ((health.get(network.id)?.isUp ?? true) ? 0 : 1_000);
  const isFar = ({ regions }: Network): number => (regions.length === 0 || regions.includes(region) ? 0 : 1);
  const isPredicted = networks.length > 0 && networks.every(({ id }) => risks.has(id));
  if (isPredicted && turn % EXPLORED_EVERY !== EXPLORED_EVERY - 1) {
    const least = Math.min(...networks.filter((one) => down(one) === 0).map(({ id }) => risks.get(id) ?? 1));
    const excess = ({ id }: Network): number => Math.max(0, (risks.get(id) ?? 1) - least - RISK_STEP);
    return {
      order: stableBy(
        turned,
        (network) => down(network) + 100 * excess(network) + isFar(network) + network.costTier / 10,
      ),
      isFallback: false,
    };
  }
  const isReported = networks.every((network) => (health.get(network.id)?.samples ?? 0) >= SAMPLES_MIN);
  if (!isPredicted && isReported) {
    const score = (network: Network): number => scoreOf(network, health.get(network.id), region);
    return { order: stableBy(networks, (network) => down(network) - score(network)), isFallback: true };
  }
  return { order: stableBy(turned, (network) => down(network) + isFar(network)), isFallback: !isPredicted };
}

/** 0 to 100: throughput that no ladder exhausts counts fully, trouble counts most, nearness and price break ties. */
export function scoreOf(network: Network, health: NetworkHealth | undefined, region: string): number {
  if (!health) return 0;
  const throughput = Math.min(1, health.throughputKbps / 20_000);
  const latency = 1 - Math.min(1, health.latencyMs / 500);
  const calm = 1 - Math.min(1, health.troubleRatio * 5);
  const near = network.regions.length === 0 || network.regions.includes(region) ? 1 : 0;
  return 50 * calm + 25 * throughput + 10 * latency + 10 * near + 5 / network.costTier;
}

/** What a player says of the network that it uses. Counters count from the session's start. */
export interface Report {
  readonly networkId: string;
  readonly throughputKbps: number;
  readonly bitrateKbps: number;
  readonly bitrateMaxKbps: number;
  readonly rebufferCount: number;
  readonly rebufferDurationMs: number;
  readonly bufferS: number;
  readonly errorCount: number;
  readonly state: string;
}

/** What is remembered of a session between two beats. */
export interface SessionRoute {
  readonly tenant: string;
  readonly userId: string;
  /** The order that the player should use now. */
  readonly order: readonly string[];
  readonly switchedAtMs: number;
  readonly rebufferCount: number;
  readonly rebufferDurationMs: number;
}

/** A player that just moved needs time to show how the new network is. */
export const SWITCH_PAUSE_MS = 15_000;
const THROUGHPUT_KBPS_MIN = 800;
const REBUFFER_MS_MAX = 1_000;
const BUFFER_COMFORT_S = 20;

export type Trouble = "throughput" | "rebuffering" | "errors" | "unreachable";

/**
 * Why a session should leave its network now, or null. A ladder that tops out below the floor (a small film) is no sign
 * of a slow network, so the floor follows the ladder; a full buffer means that the player is not held up by it.
 */
export function troubleOf(report: Report, before: SessionRoute, isUp: boolean): Trouble | null {
  if (!isUp) return "unreachable";
  if (report.errorCount > 0) return "errors";
  if (
    report.rebufferCount > before.rebufferCount &&
    report.rebufferDurationMs - before.rebufferDurationMs > REBUFFER_MS_MAX
  )
    return "rebuffering";
  if (report.state === "ended" || report.throughputKbps === 0 || report.bufferS >= BUFFER_COMFORT_S) return null;
  const needed = Math.min(THROUGHPUT_KBPS_MIN, report.bitrateMaxKbps || THROUGHPUT_KBPS_MIN);
  return report.throughputKbps < needed ? "throughput" : null;
}

/** The order after leaving the first network: the next one that is up comes first, the one left goes last. */
export function moveOn(order: readonly string[], isUp: (id: string) => boolean): readonly string[] | null {
  const [left, ...rest] = order;
  const next = rest.find(isUp);
  if (left === undefined || next === undefined) return null;
  return [next, ...rest.filter((id) => id !== next), left];
}

function stableBy<T>(items: readonly T[], rankOf: (item: T) => number): T[] {
  return items
    .map((item, at) => ({ item, at, rank: rankOf(item) }))
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .map(({ item }) => item);
}
