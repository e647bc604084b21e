/** CPIX elements to data. Unknown elements and attributes of other namespaces are extensions and are passed over. */
import type { Document, Element } from "@xmldom/xmldom";
import { FormatError } from "#media/format";
import type {
  AudioFilter,
  BitrateFilter,
  ContentKey,
  ContentKeyPeriod,
  ContentKeyValue,
  CpixDocument,
  DeliveryData,
  DrmSystem,
  UpdateHistoryItem,
  UsageRule,
  VideoFilter,
} from "./model.ts";
import { ALGORITHM, LISTS, type ListName, NS } from "./names.ts";
import { childrenOf } from "#media/xml";

const TEXT_LENGTH_MAX = 1 << 20;
const SCHEMES = ["cenc", "cens", "cbc1", "cbcs"] as const;

function fail(message: string): never {
  throw new FormatError("cpix", message);
}

/** An object without the members that are undefined, as optional members are absent and not undefined. */
type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };
function present<T extends object>(value: T): Partial<Present<T>> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<Present<T>>;
}

function attribute(element: Element, name: string): string | undefined {
  return element.hasAttribute(name) ? (element.getAttribute(name) ?? undefined) : undefined;
}

function required(element: Element, name: string): string {
  return attribute(element, name) ?? fail(`<${element.localName}> has no ${name}`);
}

function integer(element: Element, name: string): number | undefined {
  const text = attribute(element, name)?.trim();
  if (text === undefined) return undefined;
  const value = /^[+-]?\d{1,15}$/u.test(text) ? Number(text) : Number.NaN;
  return Number.isNaN(value) ? fail(`${name}="${text.slice(0, 40)}" is no integer`) : value;
}

function boolean(element: Element, name: string): boolean | undefined {
  const text = attribute(element, name)?.trim();
  if (text === undefined) return undefined;
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : fail(`${name}="${text.slice(0, 40)}" is no boolean`);
}

function uuid(element: Element, name: string): string {
  return required(element, name).trim().toLowerCase();
}

function base64(text: string, what: string): Uint8Array {
  const compact = text.replace(/[ \t\r\n]/gu, "");
  if (
    compact.length > TEXT_LENGTH_MAX ||
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u.test(compact)
  ) {
    return fail(`${what} is not base64`);
  }
  return new Uint8Array(Buffer.from(compact, "base64"));
}

function textOf(element: Element): string {
  const text = element.textContent ?? "";
  return text.length > TEXT_LENGTH_MAX ? fail(`<${element.localName}> is too long`) : text;
}

function child(parent: Element, namespace: string, name: string): Element | undefined {
  const [first, second] = childrenOf(parent, namespace, name);
  return second === undefined ? first : fail(`<${parent.localName}> has two <${name}>`);
}

function requiredChild(parent: Element, namespace: string, name: string): Element {
  return child(parent, namespace, name) ?? fail(`<${parent.localName}> has no <${name}>`);
}

function childText(parent: Element, name: string): string | undefined {
  const element = child(parent, NS.cpix, name);
  return element === undefined ? undefined : textOf(element);
}

function childBytes(parent: Element, name: string): Uint8Array | undefined {
  const text = childText(parent, name);
  return text === undefined ? undefined : base64(text, name);
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    // What stands in it is somebody's text and no file, so a mark at its beginning belongs to it.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail(`${what} is not UTF-8`);
  }
}

function childUtf8(parent: Element, name: string): string | undefined {
  const bytes = childBytes(parent, name);
  return bytes === undefined ? undefined : decodeUtf8(bytes, name);
}

/** The cipher value of an xenc:EncryptedDataType, whose algorithm must be the expected one. */
function cipherValue(encrypted: Element, algorithm: string): Uint8Array {
  const method = requiredChild(encrypted, NS.enc, "EncryptionMethod");
  if (attribute(method, "Algorithm") !== algorithm) {
    return fail(`the encryption ${attribute(method, "Algorithm")} is not supported; use ${algorithm}`);
  }
  const data = requiredChild(encrypted, NS.enc, "CipherData");
  return base64(textOf(requiredChild(data, NS.enc, "CipherValue")), "CipherValue");
}

function secretOf(key: Element): Element | undefined {
  const data = child(key, NS.cpix, "Data");
  return data === undefined ? undefined : requiredChild(data, NS.pskc, "Secret");
}

function readKeyValue(element: Element): ContentKeyValue | undefined {
  const secret = secretOf(element);
  if (secret === undefined) return undefined;
  const plain = child(secret, NS.pskc, "PlainValue");
  const encrypted = child(secret, NS.pskc, "EncryptedValue");
  if ((plain === undefined) === (encrypted === undefined)) return fail("a secret is neither plain nor encrypted");
  if (plain !== undefined) return { kind: "clear", bytes: base64(textOf(plain), "PlainValue") };
  if (encrypted === undefined) return undefined;
  const mac = base64(textOf(requiredChild(secret, NS.pskc, "ValueMAC")), "ValueMAC");
  return { kind: "encrypted", cipherValue: cipherValue(encrypted, ALGORITHM.aes256Cbc), mac };
}

/** The schema says base64; one published vector has the form of a UUID, which is the same 16 bytes in hexadecimal. */
function readIv(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const hex = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu.test(text) ? text.replaceAll("-", "") : undefined;
  return hex === undefined ? base64(text, "explicitIV") : new Uint8Array(Buffer.from(hex, "hex"));
}

function readContentKey(element: Element): ContentKey {
  const scheme = attribute(element, "commonEncryptionScheme");
  const commonEncryptionScheme = SCHEMES.find((known) => known === scheme);
  if (scheme !== undefined && commonEncryptionScheme === undefined)
    fail(`the scheme "${scheme.slice(0, 40)}" is unknown`);
  return {
    kid: uuid(element, "kid"),
    ...present({
      id: attribute(element, "id"),
      value: readKeyValue(element),
      explicitIv: readIv(attribute(element, "explicitIV")),
      dependsOnKey: attribute(element, "dependsOnKey")?.toLowerCase(),
      commonEncryptionScheme,
    }),
  };
}

function readDeliveryData(element: Element): DeliveryData {
  const x509 = requiredChild(requiredChild(element, NS.cpix, "DeliveryKey"), NS.ds, "X509Data");
  const [certificate] = childrenOf(x509, NS.ds, "X509Certificate");
  if (certificate === undefined) return fail("a delivery key has no certificate");
  const documentKey = requiredChild(element, NS.cpix, "DocumentKey");
  const algorithm = attribute(documentKey, "Algorithm");
  if (algorithm !== ALGORITHM.aes256Cbc) fail(`the document key's algorithm ${algorithm} is not supported`);
  const secret = secretOf(documentKey) ?? fail("a document key has no data");
  return {
    certificate: base64(textOf(certificate), "X509Certificate"),
    documentKey: cipherValue(requiredChild(secret, NS.pskc, "EncryptedValue"), ALGORITHM.rsaOaep),
    ...present({
      id: attribute(element, "id"),
      name: attribute(element, "name"),
      macKey: readMacKey(child(element, NS.cpix, "MACMethod")),
      description: childText(element, "Description"),
      sendingEntity: childText(element, "SendingEntity"),
      senderPointOfContact: childText(element, "SenderPointOfContact"),
      receivingEntity: childText(element, "ReceivingEntity"),
    }),
  };
}

/** The key's element is of PSKC's type and of either namespace in the wild. */
function readMacKey(method: Element | undefined): Uint8Array | undefined {
  if (method === undefined) return undefined;
  const algorithm = attribute(method, "Algorithm");
  if (algorithm !== ALGORITHM.hmacSha512) fail(`the MAC ${algorithm} is not supported; use ${ALGORITHM.hmacSha512}`);
  const key =
    child(method, NS.cpix, "Key") ?? child(method, NS.pskc, "MACKey") ?? requiredChild(method, NS.cpix, "MACKey");
  return cipherValue(key, ALGORITHM.rsaOaep);
}

function readHlsSignaling(element: Element): DrmSystem["hlsSignalingData"] {
  const data: { master?: string; media?: string } = {};
  for (const item of childrenOf(element, NS.cpix, "HLSSignalingData")) {
    const playlist = attribute(item, "playlist") ?? "media";
    if (playlist !== "master" && playlist !== "media") return fail(`playlist="${playlist.slice(0, 40)}" is unknown`);
    if (data[playlist] !== undefined) fail(`a DRM system has two signaling data for the ${playlist} playlist`);
    data[playlist] = decodeUtf8(base64(textOf(item), "HLSSignalingData"), "HLSSignalingData");
  }
  return data.master === undefined && data.media === undefined ? undefined : data;
}

function readDrmSystem(element: Element): DrmSystem {
  return {
    systemId: uuid(element, "systemId"),
    kid: uuid(element, "kid"),
    ...present({
      id: attribute(element, "id"),
      name: attribute(element, "name"),
      pssh: childBytes(element, "PSSH"),
      contentProtectionData: childUtf8(element, "ContentProtectionData"),
      uriExtXKey: childUtf8(element, "URIExtXKey"),
      hlsSignalingData: readHlsSignaling(element),
      smoothStreamingProtectionHeaderData: childText(element, "SmoothStreamingProtectionHeaderData"),
      hdsSignalingData: childUtf8(element, "HDSSignalingData"),
    }),
  };
}

function readPeriod(element: Element): ContentKeyPeriod {
  return present({
    id: attribute(element, "id"),
    index: integer(element, "index"),
    start: attribute(element, "start"),
    end: attribute(element, "end"),
  });
}

function readVideoFilter(element: Element): VideoFilter {
  return present({
    minPixels: integer(element, "minPixels"),
    maxPixels: integer(element, "maxPixels"),
    hdr: boolean(element, "hdr"),
    wcg: boolean(element, "wcg"),
    minFps: integer(element, "minFps"),
    maxFps: integer(element, "maxFps"),
  });
}

const readAudioFilter = (element: Element): AudioFilter =>
  present({ minChannels: integer(element, "minChannels"), maxChannels: integer(element, "maxChannels") });
const readBitrateFilter = (element: Element): BitrateFilter =>
  present({ minBitrate: integer(element, "minBitrate"), maxBitrate: integer(element, "maxBitrate") });

const FILTERS = ["KeyPeriodFilter", "LabelFilter", "VideoFilter", "AudioFilter", "BitrateFilter"];

function readUsageRule(element: Element): UsageRule {
  for (const filter of childrenOf(element)) {
    // A filter that is not understood narrows the rule; to pass over it would give tracks a wrong key.
    if (!FILTERS.includes(filter.localName ?? "") || filter.namespaceURI !== NS.cpix) {
      fail(`the filter <${filter.nodeName.slice(0, 60)}> is not supported`);
    }
  }
  const filters = <T>(name: string, read: (filter: Element) => T): readonly T[] | undefined => {
    const found = childrenOf(element, NS.cpix, name).map(read);
    return found.length === 0 ? undefined : found;
  };
  return {
    kid: uuid(element, "kid"),
    ...present({
      id: attribute(element, "id"),
      intendedTrackType: attribute(element, "intendedTrackType"),
      periodIds: filters("KeyPeriodFilter", (filter) => required(filter, "periodId")),
      labels: filters("LabelFilter", (filter) => required(filter, "label")),
      video: filters("VideoFilter", readVideoFilter),
      audio: filters("AudioFilter", readAudioFilter),
      bitrate: filters("BitrateFilter", readBitrateFilter),
    }),
  };
}

function readHistoryItem(element: Element): UpdateHistoryItem {
  return {
    updateVersion: integer(element, "updateVersion") ?? fail("an update has no version"),
    index: required(element, "index"),
    source: required(element, "source"),
    date: required(element, "date"),
    ...present({ id: attribute(element, "id") }),
  };
}

/** The elements of a document's lists, each list at most once and in any order. */
export function rootOf(document: Document): Element {
  const root = document.documentElement;
  if (root === null || root.localName !== "CPIX" || root.namespaceURI !== NS.cpix) {
    return fail(`the root is not <CPIX> of ${NS.cpix}`);
  }
  for (const element of childrenOf(root)) {
    const isList = element.namespaceURI === NS.cpix && LISTS.some((name) => name === element.localName);
    const isSignature = element.namespaceURI === NS.ds && element.localName === "Signature";
    if (element.namespaceURI === NS.cpix && !isList) fail(`<${element.localName}> is not part of CPIX 2.3`);
    if (element.namespaceURI === NS.ds && !isSignature) fail(`<${element.localName}> does not belong in <CPIX>`);
  }
  return root;
}

/** Reads the structure; `assertCpix` checks the rest. Throws FormatError. */
export function readDocument(document: Document): CpixDocument {
  const root = rootOf(document);
  const list = <T>(listName: ListName, itemName: string, read: (element: Element) => T): readonly T[] => {
    const element = child(root, NS.cpix, listName);
    return element === undefined ? [] : childrenOf(element, NS.cpix, itemName).map(read);
  };
  return {
    deliveryData: list("DeliveryDataList", "DeliveryData", readDeliveryData),
    contentKeys: list("ContentKeyList", "ContentKey", readContentKey),
    drmSystems: list("DRMSystemList", "DRMSystem", readDrmSystem),
    periods: list("ContentKeyPeriodList", "ContentKeyPeriod", readPeriod),
    usageRules: list("ContentKeyUsageRuleList", "ContentKeyUsageRule", readUsageRule),
    updateHistory: list("UpdateHistoryItemList", "UpdateHistoryItem", readHistoryItem),
    ...present({
      id: attribute(root, "id"),
      contentId: attribute(root, "contentId"),
      name: attribute(root, "name"),
      version: attribute(root, "version"),
    }),
  };
}
