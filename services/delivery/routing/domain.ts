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

/** Below so many reports the figures say nothing, and the fallback decides. */
export const SAMPLES_MIN = 20;

export interface Selection {
  /** The best one first. */
  readonly order: readonly Network[];
  /** True where round-robin with geo affinity decided (ARCH-001 section 6, fallback strategy). */
  readonly isFallback: boolean;
}

/**
 * The networks for a new session, by performance, geography and cost. `turn` is a number that grows with every
 * selection: with nothing known, sessions go round.
 */
export function select(
  networks: readonly Network[],
  health: ReadonlyMap<string, NetworkHealth>,
  region: string,
  turn: number,
): Selection {
  const isUp = (network: Network): boolean => health.get(network.id)?.isUp ?? true;
  const isKnown = networks.every((network) => (health.get(network.id)?.samples ?? 0) >= SAMPLES_MIN);
  if (!isKnown) {
    const turned = networks.map((_, i) => networks[(i + turn) % networks.length] as Network);
    const near = (network: Network): boolean => network.regions.length === 0 || network.regions.includes(region);
    return {
      order: stableBy(turned, (network) => (isUp(network) ? 0 : 2) + (near(network) ? 0 : 1)),
      isFallback: true,
    };
  }
  const cost = (network: Network): number => -scoreOf(network, health.get(network.id), region);
  return { order: stableBy(networks, (network) => (isUp(network) ? 0 : 1_000) + cost(network)), isFallback: false };
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
