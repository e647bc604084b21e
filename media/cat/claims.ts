/**
 * The claims of a Common Access Token (CTA-5007-B over CWT, RFC 8392): their labels, their shapes and their CBOR.
 *
 *   claims = { 1: iss, 2: sub, 3: aud, 4: exp, 5: nbf, 6: iat, 7: cti, 8: cnf, 282: geohash, 308: catreplay,
 *              309: catpor, 310: catv, 311: catnip, 312: catu, 313: catm, 314: catalpn, 315: cath,
 *              316: catgeoiso3166, 317: catgeocoord, 318: catgeoalt, 319: cattpk, 320: catifdata, 321: catdpop,
 *              322: catif, 323: catr, -65537: sid, -65538: cid }
 *   catu   = { + uri-part => match }      cath = { + header-name => match }
 *   match  = { ? 0: exact, ? 1: prefix, ? 2: suffix, ? 3: contains, ? 4: [regex], ? -1: sha-256, ? -2: sha-512/256 }
 *   catnip = [ + (asn / #6.52 ipv4 / #6.54 ipv6) ]
 *   catr   = { 0: type, 1: expadd, ? 2: deadline, ? 3: cookie-name, ? 4: header-name, ? 5: cookie-params,
 *              ? 6: header-params, ? 7: status }
 *
 * `sid` (playback session) and `cid` (content) are Marquee's own. IANA reserves integers below -65536 for private
 * use, so that no registered claim can ever collide with them.
 */
import { type CborMap, type CborValue, CborWriter, decode, encode, isArray, isBytes, isMap, isTag } from "#media/cbor";
import { FormatError } from "#media/format";
import { type IpNetwork, networkFromCbor, networkToCbor } from "./ip.ts";

export const CLAIM_LABELS = {
  iss: 1,
  sub: 2,
  aud: 3,
  exp: 4,
  nbf: 5,
  iat: 6,
  cti: 7,
  cnf: 8,
  geohash: 282,
  catreplay: 308,
  catpor: 309,
  catv: 310,
  catnip: 311,
  catu: 312,
  catm: 313,
  catalpn: 314,
  cath: 315,
  catgeoiso3166: 316,
  catgeocoord: 317,
  catgeoalt: 318,
  cattpk: 319,
  catifdata: 320,
  catdpop: 321,
  catif: 322,
  catr: 323,
  sid: -65_537,
  cid: -65_538,
} as const;

export type ClaimName = keyof typeof CLAIM_LABELS;

export const URI_PARTS = [
  "scheme",
  "host",
  "port",
  "path",
  "query",
  "parent-path",
  "filename",
  "stem",
  "extension",
] as const;
export type UriPart = (typeof URI_PARTS)[number];

/** All the members that are present must hold. */
export interface MatchRule {
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  /** A POSIX extended regular expression, searched for; see regex.ts for its limits. */
  readonly regex?: string;
  readonly sha256?: Uint8Array;
  readonly sha512_256?: Uint8Array;
}

export const RENEWAL_TYPES = ["automatic", "cookie", "header", "redirect"] as const;

export interface CatRenewal {
  readonly type: (typeof RENEWAL_TYPES)[number];
  /** A renewed token expires this many seconds after the renewal. */
  readonly expaddS: number;
  /** Renew from this many seconds before the expiry. */
  readonly deadlineS?: number;
  readonly cookieName?: string;
  readonly headerName?: string;
  readonly cookieParams?: readonly string[];
  readonly headerParams?: readonly string[];
  /** The status of a redirect. */
  readonly status?: number;
}

/** What to answer when the claim under whose label this stands is not acceptable. */
export interface CatIfAction {
  readonly status: number;
  readonly headers: ReadonlyMap<string, CborValue>;
  /** The key for tokens that the headers ask for. */
  readonly kid?: CborValue;
}

export interface CatClaims {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: readonly string[];
  /** Seconds since the epoch, as nbf and iat. */
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly cti?: Uint8Array;
  readonly cnf?: CborMap;
  readonly geohash?: CborValue;
  /** 0: may be replayed, 1: must not, 2: reuse is to be detected. */
  readonly catreplay?: number;
  /** [probability of rejection, ...]; carried as it is. */
  readonly catpor?: readonly CborValue[];
  readonly catv?: number;
  /** Networks, and autonomous systems by number. */
  readonly catnip?: readonly (IpNetwork | number)[];
  readonly catu?: ReadonlyMap<UriPart, MatchRule>;
  readonly catm?: readonly string[];
  readonly catalpn?: readonly CborValue[];
  /** By header name in lower case. */
  readonly cath?: ReadonlyMap<string, MatchRule>;
  readonly catgeoiso3166?: readonly string[];
  readonly catgeocoord?: readonly CborValue[];
  readonly catgeoalt?: readonly CborValue[];
  readonly cattpk?: Uint8Array;
  readonly catifdata?: readonly string[];
  readonly catdpop?: CborMap;
  /** By claim label. */
  readonly catif?: ReadonlyMap<number, CatIfAction>;
  readonly catr?: CatRenewal;
  /** Marquee: the playback session. */
  readonly sid?: string;
  /** Marquee: the content. */
  readonly cid?: string;
  /** Claims that this module does not know. The validator refuses a token that has any. */
  readonly others?: CborMap;
}

const MATCH_LABELS = { exact: 0, prefix: 1, suffix: 2, contains: 3, regex: 4, sha256: -1, sha512_256: -2 } as const;
const RENEWAL = {
  type: 0,
  expadd: 1,
  deadline: 2,
  cookieName: 3,
  headerName: 4,
  cookieParams: 5,
  headerParams: 6,
  status: 7,
} as const;
/** Some encoders put tag 259 (a map with keys of any type) in front of each map. */
const TAG_EXPLICIT_MAP = 259;
const LIST_MAX = 64;
const CLAIMS_BYTES_MAX = 4096;
const CLAIMS_DEPTH_MAX = 12;

function fail(claim: string, what: string): never {
  throw new FormatError("cat", `claim ${claim} ${what}`);
}

// ---- reading ----

type Read<T> = (value: CborValue, claim: string) => T;

const readText: Read<string> = (value, claim) => (typeof value === "string" ? value : fail(claim, "is not text"));
const readBytes: Read<Uint8Array> = (value, claim) => (isBytes(value) ? value : fail(claim, "is not a byte string"));
const readUint: Read<number> = (value, claim) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : fail(claim, "is not an unsigned int");
const readTime: Read<number> = (value, claim) =>
  typeof value === "number" && Number.isFinite(value) ? value : fail(claim, "is not a time in seconds");

const readList: Read<readonly CborValue[]> = (value, claim) => {
  if (!isArray(value)) return fail(claim, "is not a list");
  if (value.length === 0 || value.length > LIST_MAX)
    return fail(claim, `has ${value.length} items, not 1..${LIST_MAX}`);
  return value;
};
const readTexts: Read<readonly string[]> = (value, claim) =>
  readList(value, claim).map((item) => readText(item, claim));
/** A single text or a list of them. */
const readOneOrMore: Read<readonly string[]> = (value, claim) =>
  typeof value === "string" ? [value] : readTexts(value, claim);

const readMap: Read<CborMap> = (value, claim) => {
  const map = isTag(value) && value.tag === TAG_EXPLICIT_MAP ? value.value : value;
  if (!isMap(map)) return fail(claim, "is not a map");
  if (map.size === 0 || map.size > LIST_MAX) return fail(claim, `has ${map.size} entries, not 1..${LIST_MAX}`);
  return map;
};

const readNetworks: Read<readonly (IpNetwork | number)[]> = (value, claim) =>
  readList(value, claim).map((item) => (isTag(item) ? networkFromCbor(item) : readUint(item, claim)));

/** Digests are byte strings; one known issuer writes them as hexadecimal text. */
function readDigest(value: CborValue, claim: string): Uint8Array {
  const digest =
    typeof value === "string" && /^[0-9a-f]{64}$/iu.test(value)
      ? Uint8Array.from(value.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16))
      : value;
  return isBytes(digest) && digest.length === 32 ? digest : fail(claim, "has a digest that is not 32 bytes");
}

function readRegex(value: CborValue, claim: string): string {
  const [pattern, ...rest] = readList(value, claim);
  // Further items put conditions on the groups (or, from some issuers, flags); ignoring them would widen the token.
  if (rest.some((item) => item !== "" && item !== null)) fail(claim, "has a regex with conditions on its groups");
  return readText(pattern, claim);
}

const readMatch: Read<MatchRule> = (value, claim) => {
  const rule: { -readonly [K in keyof MatchRule]: MatchRule[K] } = {};
  for (const [label, item] of readMap(value, claim)) {
    switch (label) {
      case MATCH_LABELS.exact:
        rule.exact = readText(item, claim);
        break;
      case MATCH_LABELS.prefix:
        rule.prefix = readText(item, claim);
        break;
      case MATCH_LABELS.suffix:
        rule.suffix = readText(item, claim);
        break;
      case MATCH_LABELS.contains:
        rule.contains = readText(item, claim);
        break;
      case MATCH_LABELS.regex:
        rule.regex = readRegex(item, claim);
        break;
      case MATCH_LABELS.sha256:
        rule.sha256 = readDigest(item, claim);
        break;
      case MATCH_LABELS.sha512_256:
        rule.sha512_256 = readDigest(item, claim);
        break;
      default:
        fail(claim, `has the unknown match type ${String(label)}`);
    }
  }
  return rule;
};

const readUri: Read<ReadonlyMap<UriPart, MatchRule>> = (value, claim) => {
  const rules = new Map<UriPart, MatchRule>();
  for (const [label, match] of readMap(value, claim)) {
    const part = typeof label === "number" ? URI_PARTS[label] : undefined;
    if (part === undefined) return fail(claim, `limits the unknown part ${String(label)}`);
    rules.set(part, readMatch(match, claim));
  }
  return rules;
};

const readHeaders: Read<ReadonlyMap<string, MatchRule>> = (value, claim) => {
  const rules = new Map<string, MatchRule>();
  for (const [label, match] of readMap(value, claim)) {
    const name = readText(label, claim).toLowerCase();
    if (rules.has(name)) fail(claim, `names the header ${name} twice`);
    rules.set(name, readMatch(match, claim));
  }
  return rules;
};

const readCatIf: Read<ReadonlyMap<number, CatIfAction>> = (value, claim) => {
  const actions = new Map<number, CatIfAction>();
  for (const [label, item] of readMap(value, claim)) {
    if (typeof label !== "number") return fail(claim, "names a claim without a number");
    const [status, headers, kid] = readList(item, claim);
    const map = new Map<string, CborValue>();
    for (const [name, header] of readMap(headers, claim)) map.set(readText(name, claim), header);
    actions.set(label, { status: readUint(status, claim), headers: map, ...(kid === undefined ? {} : { kid }) });
  }
  return actions;
};

const readRenewal: Read<CatRenewal> = (value, claim) => {
  const map = readMap(value, claim);
  const type = RENEWAL_TYPES[readUint(map.get(RENEWAL.type), claim)];
  if (type === undefined) return fail(claim, "has an unknown renewal type");
  const optional = <T, K extends string>(label: number, name: K, read: Read<T>): { [P in K]?: T } => {
    if (!map.has(label)) return {};
    const entry: { [P in K]?: T } = {};
    entry[name] = read(map.get(label), claim);
    return entry;
  };
  return {
    type,
    expaddS: readUint(map.get(RENEWAL.expadd), claim),
    ...optional(RENEWAL.deadline, "deadlineS", readUint),
    ...optional(RENEWAL.cookieName, "cookieName", readText),
    ...optional(RENEWAL.headerName, "headerName", readText),
    ...optional(RENEWAL.cookieParams, "cookieParams", readOneOrMore),
    ...optional(RENEWAL.headerParams, "headerParams", readOneOrMore),
    ...optional(RENEWAL.status, "status", readUint),
  };
};

const READERS: { readonly [K in ClaimName]: Read<NonNullable<CatClaims[K]>> } = {
  iss: readText,
  sub: readText,
  aud: readOneOrMore,
  exp: readTime,
  nbf: readTime,
  iat: readTime,
  cti: readBytes,
  cnf: readMap,
  geohash: (value) => value ?? fail("geohash", "is empty"),
  catreplay: readUint,
  catpor: readList,
  catv: readUint,
  catnip: readNetworks,
  catu: readUri,
  catm: readTexts,
  catalpn: readList,
  cath: readHeaders,
  catgeoiso3166: readTexts,
  catgeocoord: readList,
  catgeoalt: readList,
  cattpk: readBytes,
  catifdata: readOneOrMore,
  catdpop: readMap,
  catif: readCatIf,
  catr: readRenewal,
  sid: readText,
  cid: readText,
};

const NAMES: ReadonlyMap<CborValue, ClaimName> = new Map(
  Object.entries(CLAIM_LABELS).map(([name, label]) => [label, name as ClaimName]),
);

/** Reads the payload of a token. Throws FormatError when a known claim has another shape than its own. */
export function decodeClaims(bytes: Uint8Array): CatClaims {
  const map = readMap(decode(bytes, { bytesMax: CLAIMS_BYTES_MAX, depthMax: CLAIMS_DEPTH_MAX }), "set");
  const claims: Record<string, unknown> = {};
  let others: Map<CborValue, CborValue> | undefined;
  for (const [label, value] of map) {
    const name = NAMES.get(label);
    if (name === undefined) {
      others ??= new Map();
      others.set(label, value);
    } else {
      claims[name] = READERS[name](value, name);
    }
  }
  if (others !== undefined) claims["others"] = others;
  // Each member came from the reader of its own name, which the type of READERS ties to the type of the member.
  return claims;
}

// ---- writing ----

function countOf(rule: MatchRule): number {
  let count = 0;
  for (const member in rule) if (rule[member as keyof MatchRule] !== undefined) count += 1;
  return count;
}

function writeMatch(writer: CborWriter, rule: MatchRule): void {
  const count = countOf(rule);
  if (count === 0) throw new FormatError("cat", "a match rule is empty, which would match everything");
  writer.map(count);
  writeText(writer, MATCH_LABELS.exact, rule.exact);
  writeText(writer, MATCH_LABELS.prefix, rule.prefix);
  writeText(writer, MATCH_LABELS.suffix, rule.suffix);
  writeText(writer, MATCH_LABELS.contains, rule.contains);
  if (rule.regex !== undefined) {
    writer.integer(MATCH_LABELS.regex);
    writer.array(1);
    writer.text(rule.regex);
  }
  if (rule.sha256 !== undefined) {
    writer.integer(MATCH_LABELS.sha256);
    writer.byteString(rule.sha256);
  }
  if (rule.sha512_256 !== undefined) {
    writer.integer(MATCH_LABELS.sha512_256);
    writer.byteString(rule.sha512_256);
  }
}

function writeUri(writer: CborWriter, catu: ReadonlyMap<UriPart, MatchRule>): void {
  writer.map(catu.size);
  for (let label = 0; label < URI_PARTS.length; label += 1) {
    const part = URI_PARTS[label];
    const rule = part === undefined ? undefined : catu.get(part);
    if (rule === undefined) continue;
    writer.integer(label);
    writeMatch(writer, rule);
  }
}

function matchValue(rule: MatchRule): CborValue {
  const writer = new CborWriter(64);
  writeMatch(writer, rule);
  return decode(writer.view());
}

function writeRenewal(writer: CborWriter, catr: CatRenewal): void {
  const optional = [
    catr.deadlineS,
    catr.cookieName,
    catr.headerName,
    catr.cookieParams,
    catr.headerParams,
    catr.status,
  ];
  let count = 2;
  for (const value of optional) if (value !== undefined) count += 1;
  writer.map(count);
  writer.integer(RENEWAL.type);
  writer.integer(RENEWAL_TYPES.indexOf(catr.type));
  writer.integer(RENEWAL.expadd);
  writer.value(catr.expaddS);
  let label: number = RENEWAL.deadline;
  for (const value of optional) {
    if (value !== undefined) {
      writer.integer(label);
      writer.value(value);
    }
    label += 1;
  }
}

function writeNetworks(writer: CborWriter, catnip: readonly (IpNetwork | number)[]): void {
  writer.array(catnip.length);
  for (const entry of catnip) writer.value(typeof entry === "number" ? entry : networkToCbor(entry));
}

function catIfValue(catif: ReadonlyMap<number, CatIfAction>): CborMap {
  const entries = new Map<CborValue, CborValue>();
  for (const [label, { status, headers, kid }] of catif) {
    entries.set(label, kid === undefined ? [status, headers] : [status, headers, kid]);
  }
  return entries;
}

/** Lists with one item are written as the item, which every reader takes and saves a byte. */
function oneOrMore(values: readonly string[]): CborValue {
  return values.length === 1 ? values[0] : values;
}

/** The rare claims as values; the frequent ones are written without any. */
const RARE: readonly (readonly [ClaimName, (claims: CatClaims) => CborValue])[] = [
  ["cnf", (claims) => claims.cnf],
  ["geohash", (claims) => claims.geohash],
  ["catreplay", (claims) => claims.catreplay],
  ["catpor", (claims) => claims.catpor],
  ["catv", (claims) => claims.catv],
];
const RARE_AFTER_URI: typeof RARE = [
  ["catm", (claims) => claims.catm],
  ["catalpn", (claims) => claims.catalpn],
  ["cath", (claims) => claims.cath && new Map([...claims.cath].map(([name, rule]) => [name, matchValue(rule)]))],
  ["catgeoiso3166", (claims) => claims.catgeoiso3166],
  ["catgeocoord", (claims) => claims.catgeocoord],
  ["catgeoalt", (claims) => claims.catgeoalt],
  ["cattpk", (claims) => claims.cattpk],
  ["catifdata", (claims) => claims.catifdata && oneOrMore(claims.catifdata)],
  ["catdpop", (claims) => claims.catdpop],
  ["catif", (claims) => claims.catif && catIfValue(claims.catif)],
];

function writeText(writer: CborWriter, label: number, value: string | undefined): void {
  if (value === undefined) return;
  writer.integer(label);
  writer.text(value);
}

function writeTime(writer: CborWriter, label: number, value: number | undefined): void {
  if (value === undefined) return;
  writer.integer(label);
  if (Number.isSafeInteger(value)) writer.integer(value);
  else writer.value(value);
}

function writeRare(writer: CborWriter, claims: CatClaims, list: typeof RARE): void {
  for (const [name, valueOf] of list) {
    if (claims[name] === undefined) continue;
    writer.integer(CLAIM_LABELS[name]);
    writer.value(valueOf(claims));
  }
}

/** Writes the claims in the deterministic order: labels ascend, and negative ones stand last. */
export function writeClaims(writer: CborWriter, claims: CatClaims): void {
  let count = 0;
  for (const name in claims) if (claims[name as keyof CatClaims] !== undefined && name !== "others") count += 1;
  writer.map(count);
  writeText(writer, CLAIM_LABELS.iss, claims.iss);
  writeText(writer, CLAIM_LABELS.sub, claims.sub);
  if (claims.aud !== undefined) {
    writer.integer(CLAIM_LABELS.aud);
    writer.value(oneOrMore(claims.aud));
  }
  writeTime(writer, CLAIM_LABELS.exp, claims.exp);
  writeTime(writer, CLAIM_LABELS.nbf, claims.nbf);
  writeTime(writer, CLAIM_LABELS.iat, claims.iat);
  if (claims.cti !== undefined) {
    writer.integer(CLAIM_LABELS.cti);
    writer.byteString(claims.cti);
  }
  writeRare(writer, claims, RARE);
  if (claims.catnip !== undefined) {
    writer.integer(CLAIM_LABELS.catnip);
    writeNetworks(writer, claims.catnip);
  }
  if (claims.catu !== undefined) {
    writer.integer(CLAIM_LABELS.catu);
    writeUri(writer, claims.catu);
  }
  writeRare(writer, claims, RARE_AFTER_URI);
  if (claims.catr !== undefined) {
    writer.integer(CLAIM_LABELS.catr);
    writeRenewal(writer, claims.catr);
  }
  writeText(writer, CLAIM_LABELS.sid, claims.sid);
  writeText(writer, CLAIM_LABELS.cid, claims.cid);
}

/** The payload of a token. Throws FormatError when it is over 4096 bytes. */
export function encodeClaims(claims: CatClaims): Uint8Array {
  const writer = new CborWriter(512, CLAIMS_BYTES_MAX);
  writeClaims(writer, claims);
  const bytes = writer.bytes();
  if (claims.others === undefined || claims.others.size === 0) return bytes;
  const known = decode(bytes);
  if (!isMap(known)) return bytes;
  return encode(new Map([...known, ...claims.others]), { bytesMax: CLAIMS_BYTES_MAX });
}
