import { PEOPLE_MIN } from "./domain.ts";
import { seenOf } from "./stages.ts";
import type * as store from "./store.ts";

const UNKNOWN = { psi: -1, kl: -1 };
const NOTHING = { predictions: 0, failures: 0, ...UNKNOWN };

/** A version as the contract has it. */
export function toMessage(version: store.Version, live?: store.Live) {
  const { lineage, name, stage, share, reason, metrics, segments, sha256 } = version;
  const seen = live && seenOf(version, live);
  return {
    ...{
      name,
      version: version.version,
      stage,
      share,
      reason,
      metrics: { ...metrics },
      segments: segments.map((one) => ({ ndcg: 0, ...one })),
    },
    ...{ trainedAtMs: BigInt(version.trainedAtMs), stageSinceMs: BigInt(version.stageSinceMs) },
    lineage: {
      ...{ fromMs: BigInt(lineage.fromMs), toMs: BigInt(lineage.toMs), sha256, cause: lineage.cause },
      ...{ trainingRows: lineage.trainingRows, testRows: lineage.testRows, features: [...lineage.features] },
    },
    live: seen
      ? {
          predictions: seen.predictions,
          failures: seen.failures,
          ...(seen.people >= PEOPLE_MIN ? seen.drift : UNKNOWN),
        }
      : NOTHING,
  };
}
