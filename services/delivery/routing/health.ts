import type { Logger } from "#kernel";
import type { Network, NetworkHealth } from "./domain.ts";

/** Weight of a new report in the moving means: about the last fifty reports count. */
const WEIGHT = 0.04;
const PROBE_TIMEOUT_MS = 1_000;
/** A refused connection is an answer. Silence may be our own: a machine that is busy misses one probe of a network that is well. */
const SILENT_PROBES_MAX = 2;
const SESSIONS_MAX = 50_000;

interface Beat {
  readonly sessionId: string;
  readonly networkId: string;
  readonly throughputKbps: number;
  readonly rebufferCount: number;
  readonly errorCount: number;
}

/** What this process knows of the networks. It is rebuilt within seconds from probes and beats, so it needs no store. */
export interface HealthBook {
  snapshot(): ReadonlyMap<string, NetworkHealth>;
  isUp(networkId: string): boolean;
  report(beat: Beat): void;
  probe(networks: readonly Network[]): Promise<void>;
}

export function openHealthBook(logger: Logger, get: typeof fetch = fetch): HealthBook {
  const known = new Map<string, NetworkHealth>();
  /** Rebuffers count from a session's start: the growth since its last beat is what is new. */
  const rebuffers = new Map<string, number>();
  /** Probes in a row that got no answer in time. */
  const silences = new Map<string, number>();
  const blank: NetworkHealth = { isUp: true, latencyMs: 0, throughputKbps: 0, troubleRatio: 0, samples: 0 };
  const of = (id: string): NetworkHealth => known.get(id) ?? blank;
  const mean = (old: number, value: number, samples: number): number =>
    old + (value - old) * Math.max(WEIGHT, 1 / (samples + 1));

  return {
    snapshot: () => known,
    isUp: (id) => of(id).isUp,
    report({ sessionId, networkId, throughputKbps, rebufferCount, errorCount }) {
      if (!known.has(networkId)) return;
      const before = rebuffers.get(sessionId) ?? 0;
      rebuffers.delete(sessionId);
      rebuffers.set(sessionId, rebufferCount);
      if (rebuffers.size > SESSIONS_MAX) rebuffers.delete(rebuffers.keys().next().value ?? "");
      const health = of(networkId);
      const isTrouble = rebufferCount > before || errorCount > 0;
      known.set(networkId, {
        ...health,
        samples: health.samples + 1,
        throughputKbps:
          throughputKbps > 0 ? mean(health.throughputKbps, throughputKbps, health.samples) : health.throughputKbps,
        troubleRatio: mean(health.troubleRatio, isTrouble ? 1 : 0, health.samples),
      });
    },
    async probe(networks) {
      await Promise.all(
        networks.map(async ({ id, baseUrl }) => {
          const started = performance.now();
          const answer = await get(`${baseUrl}/healthz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).then(
            (response) => (response.ok ? "up" : "down"),
            (error: unknown) => (error instanceof Error && error.name === "TimeoutError" ? "silent" : "down"),
          );
          const silent = answer === "silent" ? (silences.get(id) ?? 0) + 1 : 0;
          silences.set(id, silent);
          const isUp = answer === "silent" ? of(id).isUp && silent < SILENT_PROBES_MAX : answer === "up";
          if (isUp !== of(id).isUp)
            logger.warn(isUp ? "a delivery network is back" : "a delivery network does not answer", { network: id });
          known.set(id, { ...of(id), isUp, latencyMs: Math.round(performance.now() - started) });
        }),
      );
    },
  };
}
