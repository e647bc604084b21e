/**
 * Common Media Client Data (CTA-5004 and CTA-5004-B) in the query of a media request: a bounded record for an edge's
 * access log, and the query without it for the cache key.
 *
 *   query = "CMCD=" percent-encoded( key [ "=" value ] *( "," key [ "=" value ] ) )     (a dictionary of RFC 8941)
 *
 * @svta/cml-cmcd parses the dictionary. A player can send anything: a key whose value has another type than the
 * standard gives it is left out and counted, and a parameter that is too long or no dictionary at all is refused as a
 * value, because a log must never fail a request.
 */
import { decodeCmcd } from "@svta/cml-cmcd";

/** The keys that are logged, by their names in the standard; units as there. */
export interface CmcdRecord {
  readonly v: 1 | 2;
  /** Session, a text of at most 64 characters. */
  readonly sid?: string;
  /** Content, at most 64 (version 1) or 128 characters (version 2). */
  readonly cid?: string;
  /** Object type: manifest, audio, video, muxed, init, caption, timed text, key, other. */
  readonly ot?: "m" | "a" | "v" | "av" | "i" | "c" | "tt" | "k" | "o";
  /** Streaming format: DASH, HLS, Smooth, other. */
  readonly sf?: "d" | "h" | "s" | "o";
  /** Stream type: VOD, live, low-latency live. */
  readonly st?: "v" | "l" | "ll";
  /** Player state (version 2). */
  readonly sta?: string;
  /** Encoded bitrate, kbit/s. */
  readonly br?: number;
  /** Top bitrate, kbit/s. */
  readonly tb?: number;
  /** Measured throughput, kbit/s. */
  readonly mtp?: number;
  /** Requested maximum throughput, kbit/s. */
  readonly rtp?: number;
  /** Buffer length, ms. */
  readonly bl?: number;
  /** Deadline, ms. */
  readonly dl?: number;
  /** Object duration, ms. */
  readonly d?: number;
  /** Live latency, ms (version 2). */
  readonly ltc?: number;
  /** Media start delay, ms (version 2). */
  readonly msd?: number;
  /** Playback rate. */
  readonly pr?: number;
  /** Sequence number (version 2). */
  readonly sn?: number;
  /** Buffer starvation, since the last request. */
  readonly bs?: boolean;
  /** Startup: the object is needed urgently. */
  readonly su?: boolean;
  /** In the background (version 2). */
  readonly bg?: boolean;
  /** How many keys were there and are not in this record: unknown, custom, or of a wrong type. */
  readonly droppedKeys: number;
}

export type CmcdReading =
  | { readonly kind: "absent" }
  | { readonly kind: "read"; readonly record: CmcdRecord }
  | { readonly kind: "refused"; readonly reason: "too_long" | "malformed" };

export const CMCD_PARAMETER = "CMCD";
/** In characters, before percent-decoding. Real players stay under 1000. */
const PARAMETER_LENGTH_MAX = 4096;
const KEYS_MAX = 64;

type KeysOf<T> = { [K in keyof CmcdRecord]-?: NonNullable<CmcdRecord[K]> extends T ? K : never }[keyof CmcdRecord];
type NumberKey = Exclude<KeysOf<number>, "v" | "droppedKeys">;

const NUMBER_MAX: Readonly<Record<NumberKey, number>> = {
  br: 1e8,
  tb: 1e8,
  mtp: 1e8,
  rtp: 1e8,
  bl: 1e9,
  dl: 1e9,
  d: 1e9,
  ltc: 1e9,
  msd: 1e9,
  pr: 1000,
  sn: Number.MAX_SAFE_INTEGER,
};
const TEXT_LENGTH_MAX: Readonly<Record<"sid" | "cid" | "sta", number>> = { sid: 64, cid: 128, sta: 8 };
const WORDS: Readonly<Record<"ot" | "sf" | "st", ReadonlySet<string>>> = {
  ot: new Set(["m", "a", "v", "av", "i", "c", "tt", "k", "o"]),
  sf: new Set(["d", "h", "s", "o"]),
  st: new Set(["v", "l", "ll"]),
};
const FLAGS: ReadonlySet<string> = new Set(["bs", "su", "bg"]);

const has = <K extends string>(table: Readonly<Record<K, unknown>>, key: string): key is K => Object.hasOwn(table, key);

/** Version 2 gives several keys a list, one item an object type; the log keeps the first. */
function firstOf(value: unknown): unknown {
  const item: unknown = Array.isArray(value) ? value[0] : value;
  return typeof item === "object" && item !== null && "value" in item ? item.value : item;
}

/** The value in the type of its key; undefined where it has another one. */
function valueOf(key: string, value: unknown): string | number | boolean | undefined {
  if (has(NUMBER_MAX, key)) {
    return typeof value === "number" && value >= 0 && value <= NUMBER_MAX[key] ? value : undefined;
  }
  if (has(TEXT_LENGTH_MAX, key)) {
    const isText = typeof value === "string" && value.length > 0 && value.length <= TEXT_LENGTH_MAX[key];
    return isText && isPrintable(value) ? value : undefined;
  }
  if (has(WORDS, key)) return typeof value === "string" && WORDS[key].has(value) ? value : undefined;
  return FLAGS.has(key) && typeof value === "boolean" ? value : undefined;
}

/** Control characters would let a player write lines of its own into a log. */
function isPrintable(text: string): boolean {
  return !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u.test(text);
}

function recordOf(decoded: Readonly<Record<string, unknown>>): CmcdRecord {
  const record: Record<string, string | number | boolean> = {};
  let droppedKeys = 0;
  for (const [key, raw] of Object.entries(decoded)) {
    if (key === "v") continue;
    const value = valueOf(key, firstOf(raw));
    if (value === undefined) droppedKeys += 1;
    else record[key] = value;
  }
  // valueOf gave each member the type of its key.
  return { ...(record as Omit<CmcdRecord, "v" | "droppedKeys">), v: decoded["v"] === 2 ? 2 : 1, droppedKeys };
}

function nameOf(parameter: string): string {
  const end = parameter.indexOf("=");
  const name = (end < 0 ? parameter : parameter.slice(0, end)).replaceAll("+", " ");
  if (!name.includes("%")) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Reads the CMCD of a query, with or without its question mark. It never throws. */
export function readCmcd(query: string): CmcdReading {
  const parameter = split(query).find((each) => nameOf(each) === CMCD_PARAMETER);
  if (parameter === undefined) return { kind: "absent" };
  if (parameter.length > PARAMETER_LENGTH_MAX) return { kind: "refused", reason: "too_long" };
  try {
    const text = decodeURIComponent(parameter.slice(parameter.indexOf("=") + 1));
    const decoded: Readonly<Record<string, unknown>> = decodeCmcd(text);
    if (Object.keys(decoded).length > KEYS_MAX) return { kind: "refused", reason: "too_long" };
    return { kind: "read", record: recordOf(decoded) };
  } catch {
    // decodeURIComponent and the dictionary's parser throw for what is not theirs.
    return { kind: "refused", reason: "malformed" };
  }
}

function split(query: string): string[] {
  const bare = query.startsWith("?") ? query.slice(1) : query;
  return bare === "" ? [] : bare.split("&");
}

/** The query without the named parameters; all others stay as they are, byte for byte and in their order. */
export function withoutParameters(query: string, names: ReadonlySet<string>): string {
  return split(query)
    .filter((parameter) => !names.has(nameOf(parameter)))
    .join("&");
}

const CMCD_ONLY: ReadonlySet<string> = new Set([CMCD_PARAMETER]);

/** The query without CMCD, as it goes into a cache key and to the origin. */
export function stripCmcd(query: string): string {
  return withoutParameters(query, CMCD_ONLY);
}
