/**
 * Content steering documents. HLS (draft-pantos-hls-rfc8216bis, section 7.3) and DASH (DASH-IF CTS 001, ETSI TS 103 998,
 * clause 6) share one JSON form; SERVICE-LOCATION-PRIORITY was a draft's name, today both say PATHWAY-PRIORITY.
 */

export interface PathwayClone {
  readonly id: string;
  readonly baseId: string;
  /** Replaces the host (and port) of the base pathway's URIs. */
  readonly host: string;
  /** Query parameters to set on every URI of the clone. */
  readonly params?: Readonly<Record<string, string>>;
}

export interface SteeringDocument {
  /** When the player asks again, in whole seconds. */
  readonly ttlS: number;
  /** Where it asks then; the same address where absent. */
  readonly reloadUri?: string;
  /** Pathway ids (HLS) or service locations (DASH), the best one first. */
  readonly priority: readonly string[];
  readonly clones?: readonly PathwayClone[];
}

const ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The document as JSON; media type `application/vnd.apple.steering-list` (HLS) or `application/json`. Throws RangeError. */
export function writeSteering(document: SteeringDocument): string {
  const { ttlS, priority, clones = [] } = document;
  if (!Number.isInteger(ttlS) || ttlS < 1 || ttlS > 86_400)
    throw new RangeError(`TTL ${ttlS} is not from 1 to 86400 seconds`);
  if (priority.length === 0 || priority.length > 32)
    throw new RangeError("the priority names no pathway, or more than 32");
  if (new Set(priority).size !== priority.length) throw new RangeError("the priority names a pathway twice");
  for (const id of [...priority, ...clones.flatMap((clone) => [clone.id, clone.baseId])]) {
    if (!ID.test(id)) throw new RangeError(`pathway id '${id}' is not [A-Za-z0-9._-]+`);
  }
  return JSON.stringify({
    VERSION: 1,
    TTL: ttlS,
    "RELOAD-URI": document.reloadUri,
    "PATHWAY-PRIORITY": priority,
    "PATHWAY-CLONES":
      clones.length === 0
        ? undefined
        : clones.map((clone) => ({
            "BASE-ID": clone.baseId,
            ID: clone.id,
            "URI-REPLACEMENT": { HOST: clone.host, PARAMS: clone.params },
          })),
  });
}

export interface SteeringRequest {
  readonly protocol: "hls" | "dash" | null;
  /** Where the player is now; DASH players may name several. */
  readonly pathways: readonly string[];
  /** What the player measured, one for each pathway that it named, in bits a second. */
  readonly throughputsBps: readonly number[];
}

/** Reads what players append to the steering URI. It is a hint from a stranger: what is malformed is left out. */
export function parseSteeringRequest(query: URLSearchParams): SteeringRequest {
  const protocol = query.has("_HLS_pathway") || query.has("_HLS_throughput") ? "hls" : dashOrNull(query);
  if (protocol === null) return { protocol, pathways: [], throughputsBps: [] };
  const prefix = protocol === "hls" ? "_HLS_" : "_DASH_";
  return {
    protocol,
    pathways: list(query.get(`${prefix}pathway`)).filter((id) => ID.test(id)),
    throughputsBps: list(query.get(`${prefix}throughput`)).flatMap((text) =>
      /^\d{1,15}$/.test(text) ? [Number(text)] : [],
    ),
  };
}

const dashOrNull = (query: URLSearchParams): "dash" | null =>
  query.has("_DASH_pathway") || query.has("_DASH_throughput") ? "dash" : null;

/** CTS 001 writes lists with commas inside of quotes; HLS players send one bare value. */
const list = (text: string | null): string[] =>
  (text ?? "")
    .slice(0, 2048)
    .replace(/^"|"$/g, "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
    .slice(0, 32);
