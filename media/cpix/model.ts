/**
 * A CPIX document (DASH-IF CPIX 2.3) as data, and what its schema cannot say: the rules between its parts.
 *
 * Key identifiers and system identifiers are UUIDs in lower case with hyphens. Keys and IVs are 16 bytes.
 */
import { FormatError } from "#media/format";

/** The key as it is, or encrypted under the document key with AES-256-CBC: IV, then ciphertext. */
export type ContentKeyValue =
  | { readonly kind: "clear"; readonly bytes: Uint8Array }
  | { readonly kind: "encrypted"; readonly cipherValue: Uint8Array; readonly mac: Uint8Array };

export interface ContentKey {
  readonly kid: string;
  readonly id?: string;
  /** Absent in a request for keys. */
  readonly value?: ContentKeyValue;
  readonly explicitIv?: Uint8Array;
  /** For leaf keys of hierarchical keys: the root key's identifier. */
  readonly dependsOnKey?: string;
  readonly commonEncryptionScheme?: "cenc" | "cens" | "cbc1" | "cbcs";
}

/** One recipient, who alone can read the document key and the MAC key. */
export interface DeliveryData {
  readonly id?: string;
  readonly name?: string;
  /** X.509, DER. */
  readonly certificate: Uint8Array;
  /** Both under RSA-OAEP with the certificate's key. */
  readonly documentKey: Uint8Array;
  readonly macKey?: Uint8Array;
  readonly description?: string;
  readonly sendingEntity?: string;
  readonly senderPointOfContact?: string;
  readonly receivingEntity?: string;
}

export interface DrmSystem {
  readonly systemId: string;
  readonly kid: string;
  readonly id?: string;
  readonly name?: string;
  /** A whole `pssh` box. */
  readonly pssh?: Uint8Array;
  /** XML to stand in the MPD's ContentProtection. */
  readonly contentProtectionData?: string;
  /** Deprecated since 2.2 in favour of the signaling data. */
  readonly uriExtXKey?: string;
  /** Lines for the playlists; `media` is also the meaning of an absent @playlist. */
  readonly hlsSignalingData?: { readonly master?: string; readonly media?: string };
  /** PlayReady: the protection header of a Smooth Streaming manifest, as it stands there. */
  readonly smoothStreamingProtectionHeaderData?: string;
  readonly hdsSignalingData?: string;
}

/** Either an index, or a start with an end (xs:dateTime). */
export interface ContentKeyPeriod {
  readonly id?: string;
  readonly index?: number;
  readonly start?: string;
  readonly end?: string;
}

export interface VideoFilter {
  readonly minPixels?: number;
  readonly maxPixels?: number;
  readonly hdr?: boolean;
  readonly wcg?: boolean;
  readonly minFps?: number;
  readonly maxFps?: number;
}

export interface AudioFilter {
  readonly minChannels?: number;
  readonly maxChannels?: number;
}

export interface BitrateFilter {
  readonly minBitrate?: number;
  readonly maxBitrate?: number;
}

/** Applies to a track when, of each kind of filter that is present, one at least matches. */
export interface UsageRule {
  readonly kid: string;
  readonly id?: string;
  readonly intendedTrackType?: string;
  readonly periodIds?: readonly string[];
  readonly labels?: readonly string[];
  readonly video?: readonly VideoFilter[];
  readonly audio?: readonly AudioFilter[];
  readonly bitrate?: readonly BitrateFilter[];
}

export interface UpdateHistoryItem {
  readonly updateVersion: number;
  readonly index: string;
  readonly source: string;
  /** xs:dateTime. */
  readonly date: string;
  readonly id?: string;
}

export interface CpixDocument {
  readonly id?: string;
  readonly contentId?: string;
  readonly name?: string;
  readonly version?: string;
  readonly deliveryData: readonly DeliveryData[];
  readonly contentKeys: readonly ContentKey[];
  readonly drmSystems: readonly DrmSystem[];
  readonly periods: readonly ContentKeyPeriod[];
  readonly usageRules: readonly UsageRule[];
  readonly updateHistory: readonly UpdateHistoryItem[];
}

export const EMPTY_CPIX: CpixDocument = {
  deliveryData: [],
  contentKeys: [],
  drmSystems: [],
  periods: [],
  usageRules: [],
  updateHistory: [],
};

export const KEY_BYTES = 16;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u;
const ID = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/u;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?$/u;

function isDateTime(text: string): boolean {
  return DATE_TIME.test(text) && !Number.isNaN(Date.parse(text));
}

/** Collects what is wrong, so that a person who repairs a document sees all of it. */
class Findings {
  readonly list: string[] = [];
  readonly #ids = new Set<string>();

  check(isRight: boolean, finding: string): void {
    if (!isRight) this.list.push(finding);
  }

  id(id: string | undefined): void {
    if (id === undefined) return;
    this.check(ID.test(id), `id "${id}" is not an XML name`);
    this.check(!this.#ids.has(id), `id "${id}" stands twice`);
    this.#ids.add(id);
  }

  range(what: string, min: number | undefined, max: number | undefined): void {
    for (const bound of [min, max]) {
      this.check(bound === undefined || (Number.isSafeInteger(bound) && bound >= 0), `${what} ${bound} is no limit`);
    }
    this.check(min === undefined || max === undefined || min <= max, `${what} ${min}..${max} is reversed`);
  }
}

/** All that is wrong with a document; nothing is wrong with an empty list. */
export function checkCpix(document: CpixDocument): readonly string[] {
  const findings = new Findings();
  findings.id(document.id);
  for (const data of document.deliveryData) findings.id(data.id);
  checkKeys(document, findings);
  const kids = new Set(document.contentKeys.map((key) => key.kid));
  checkDrmSystems(document, kids, findings);
  checkPeriods(document, findings);
  checkRules(document, kids, findings);
  for (const item of document.updateHistory) {
    findings.id(item.id);
    findings.check(Number.isSafeInteger(item.updateVersion), `update version ${item.updateVersion} is no integer`);
    findings.check(isDateTime(item.date), `update date "${item.date}" is no xs:dateTime`);
  }
  return findings.list;
}

function checkKeys({ contentKeys, deliveryData }: CpixDocument, findings: Findings): void {
  const kids = new Set<string>();
  for (const key of contentKeys) {
    const { kid, value } = key;
    findings.id(key.id);
    findings.check(UUID.test(kid), `kid "${kid}" is not a UUID in lower case`);
    findings.check(!kids.has(kid), `kid ${kid} stands twice`);
    kids.add(kid);
    if (value?.kind === "clear") {
      findings.check(value.bytes.length === KEY_BYTES, `key ${kid} has ${value.bytes.length} bytes, not ${KEY_BYTES}`);
    }
    if (value?.kind === "encrypted") {
      const { cipherValue } = value;
      const isWhole = cipherValue.length >= 2 * KEY_BYTES && cipherValue.length % KEY_BYTES === 0;
      findings.check(isWhole, `key ${kid} has ${cipherValue.length} encrypted bytes`);
      findings.check(deliveryData.length > 0, `key ${kid} is encrypted, but the document has no recipient`);
    }
    const ivBytes = key.explicitIv?.length ?? KEY_BYTES;
    findings.check(ivBytes === KEY_BYTES, `the IV of key ${kid} has ${ivBytes} bytes, not ${KEY_BYTES}`);
  }
  const isEncrypted = new Set(contentKeys.flatMap((key) => (key.value === undefined ? [] : [key.value.kind])));
  findings.check(isEncrypted.size < 2, "some keys are encrypted and some are not");
  const byKid = new Map(contentKeys.map((key) => [key.kid, key]));
  for (const { kid, dependsOnKey } of contentKeys) {
    if (dependsOnKey === undefined) continue;
    const root = byKid.get(dependsOnKey);
    findings.check(
      root !== undefined && dependsOnKey !== kid,
      `key ${kid} depends on ${dependsOnKey}, which is no key here`,
    );
    findings.check(root?.dependsOnKey === undefined, `key ${kid} depends on a leaf key`);
  }
}

function checkDrmSystems({ drmSystems }: CpixDocument, kids: ReadonlySet<string>, findings: Findings): void {
  const seen = new Set<string>();
  for (const system of drmSystems) {
    findings.id(system.id);
    findings.check(UUID.test(system.systemId), `system "${system.systemId}" is not a UUID in lower case`);
    findings.check(kids.has(system.kid), `a DRM system names key ${system.kid}, which is not in the document`);
    const name = `${system.systemId} for key ${system.kid}`;
    findings.check(!seen.has(name), `DRM system ${name} stands twice`);
    seen.add(name);
  }
}

function checkPeriods({ periods }: CpixDocument, findings: Findings): void {
  for (const { id, index, start, end } of periods) {
    findings.id(id);
    const name = `period ${id ?? index ?? start}`;
    const hasTimes = start !== undefined && end !== undefined;
    const isOneForm = index === undefined ? hasTimes : start === undefined && end === undefined;
    findings.check(isOneForm, `${name} has neither an index alone nor a start with an end`);
    findings.check(index === undefined || Number.isSafeInteger(index), `${name} has no integer for an index`);
    if (!hasTimes) continue;
    findings.check(isDateTime(start) && isDateTime(end), `${name} has a time that is no xs:dateTime`);
    findings.check(!(Date.parse(start) >= Date.parse(end)), `${name} ends before it starts`);
  }
}

function checkRules({ usageRules, periods }: CpixDocument, kids: ReadonlySet<string>, findings: Findings): void {
  const periodIds = new Set(periods.map((period) => period.id));
  for (const rule of usageRules) {
    findings.id(rule.id);
    findings.check(kids.has(rule.kid), `a usage rule names key ${rule.kid}, which is not in the document`);
    for (const id of rule.periodIds ?? []) {
      findings.check(periodIds.has(id), `a usage rule names period "${id}", which is not in the document`);
    }
    for (const filter of rule.video ?? []) {
      findings.range("pixels", filter.minPixels, filter.maxPixels);
      findings.range("frames a second", filter.minFps, filter.maxFps);
    }
    for (const filter of rule.audio ?? []) findings.range("channels", filter.minChannels, filter.maxChannels);
    for (const filter of rule.bitrate ?? []) findings.range("bitrate", filter.minBitrate, filter.maxBitrate);
  }
}

/** Throws FormatError with all findings, or returns. */
export function assertCpix(document: CpixDocument): void {
  const findings = checkCpix(document);
  if (findings.length > 0) throw new FormatError("cpix", findings.slice(0, 10).join("; "));
}

export interface Track {
  readonly kind: "video" | "audio";
  readonly bitrateBps?: number;
  readonly labels?: readonly string[];
  readonly periodId?: string;
  readonly pixels?: number;
  readonly fps?: number;
  readonly isHdr?: boolean;
  readonly isWcg?: boolean;
  readonly channels?: number;
}

/** A bound that is set and a value that is not known do not match: guessing would use a wrong key. */
function isWithin(value: number | undefined, min: number | undefined, max: number | undefined): boolean {
  if (min === undefined && max === undefined) return true;
  return value !== undefined && value >= (min ?? 0) && value <= (max ?? Number.POSITIVE_INFINITY);
}

/** Frame rates are (min, max]; pixels, channels and bitrates are [min, max] (CPIX 2.3, the filter elements). */
function matchesVideo(track: Track, filter: VideoFilter): boolean {
  if (track.kind !== "video") return false;
  if (!isWithin(track.pixels, filter.minPixels, filter.maxPixels)) return false;
  if (!isWithin(track.fps, filter.minFps, filter.maxFps)) return false;
  if (filter.minFps !== undefined && track.fps === filter.minFps) return false;
  if (filter.hdr !== undefined && filter.hdr !== (track.isHdr ?? false)) return false;
  return filter.wcg === undefined || filter.wcg === (track.isWcg ?? false);
}

function matchesRule(track: Track, rule: UsageRule): boolean {
  const some = <T>(filters: readonly T[] | undefined, matches: (filter: T) => boolean): boolean =>
    filters === undefined || filters.length === 0 || filters.some(matches);
  return (
    some(rule.periodIds, (id) => id === track.periodId) &&
    some(rule.labels, (label) => track.labels?.includes(label) ?? false) &&
    some(rule.video, (filter) => matchesVideo(track, filter)) &&
    some(rule.audio, (f) => track.kind === "audio" && isWithin(track.channels, f.minChannels, f.maxChannels)) &&
    some(rule.bitrate, (f) => isWithin(track.bitrateBps, f.minBitrate, f.maxBitrate))
  );
}

/** The key that the usage rules give a track. Throws FormatError when none or several do. */
export function contentKeyFor(document: CpixDocument, track: Track): ContentKey {
  const kids = new Set(document.usageRules.filter((rule) => matchesRule(track, rule)).map((rule) => rule.kid));
  const [kid, other] = kids;
  const key = document.contentKeys.find((each) => each.kid === kid);
  if (key === undefined) throw new FormatError("cpix", `no usage rule has a key for this ${track.kind} track`);
  if (other !== undefined)
    throw new FormatError("cpix", `keys ${kid} and ${other} both apply to a ${track.kind} track`);
  return key;
}
