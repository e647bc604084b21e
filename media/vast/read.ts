/**
 * Reading VAST. The XML is bounded and checked by media/xml; names of elements are matched without regard to namespaces and,
 * as servers write `adID` and `AdID`, attributes without regard to case.
 *
 *   VAST(version) = Error* · Ad*
 *   Ad(id, sequence) = (InLine | Wrapper) = AdSystem · AdTitle · Impression* · Error* · Creatives = Creative*
 *   Creative = UniversalAdId* · (Linear | NonLinearAds | CompanionAds)
 *   Linear(skipoffset) = Duration · TrackingEvents · VideoClicks · MediaFiles · Icons
 */
import type { Element } from "@xmldom/xmldom";
import { FormatError } from "#media/format";
import { childrenOf, parseXml } from "#media/xml";
import {
  VAST_ERRORS,
  type Vast,
  type VastAd,
  type VastCreative,
  type VastIcon,
  type VastLinear,
  type VastMediaFile,
  type VastOffset,
  type VastTracking,
  type VastWrapper,
} from "./model.ts";

/** Above all of these a document is no answer to a question for ads. */
const LIMITS = { bytes: 1 << 20, ads: 50, creatives: 50, uris: 200, chars: 8_192 };

/** A document that is no VAST, with the code to report. */
export class VastError extends FormatError {
  readonly code: number;

  constructor(message: string, code: number) {
    super("vast", message);
    this.code = code;
  }
}

export function parseVast(input: Uint8Array | string): Vast {
  let root: Element | null;
  try {
    root = parseXml(input, { bytesMax: LIMITS.bytes, elementsMax: 10_000 }).documentElement;
  } catch (error) {
    if (error instanceof FormatError) throw new VastError(error.message, VAST_ERRORS.xml);
    throw error;
  }
  if (root?.localName === "VideoAdServingTemplate") throw new VastError("VAST 1 is not read", VAST_ERRORS.version);
  if (root?.localName !== "VAST")
    throw new VastError(`the root is '${root?.localName ?? ""}', not VAST`, VAST_ERRORS.schema);
  const version = attribute(root, "version");
  if (!/^[2-4](?:\.\d{1,2}){0,2}$/.test(version))
    throw new VastError(`version '${version.slice(0, 20)}' is not between 2 and 4`, VAST_ERRORS.version);
  const ads = all(root, "Ad");
  if (ads.length > LIMITS.ads) throw new VastError(`${ads.length} ads are more than ${LIMITS.ads}`, VAST_ERRORS.schema);
  return { version, errors: uris(all(root, "Error")), ads: ads.flatMap(readAd) };
}

const all = (parent: Element | undefined, name: string): Element[] =>
  parent === undefined ? [] : childrenOf(parent).filter(({ localName }) => localName === name);
const one = (parent: Element | undefined, name: string): Element | undefined => all(parent, name)[0];
const text = (element: Element | undefined): string => (element?.textContent ?? "").trim().slice(0, LIMITS.chars);

function attribute(element: Element, name: string): string {
  for (const each of element.attributes)
    if (each.name.toLowerCase() === name) return each.value.trim().slice(0, LIMITS.chars);
  return "";
}

/** Addresses that are any; an empty one is left out, as is what is too long to be asked for. */
function uris(elements: readonly Element[]): string[] {
  const found = elements.map((element) => (element.textContent ?? "").trim());
  return found.filter((uri) => uri !== "" && uri.length <= LIMITS.chars).slice(0, LIMITS.uris);
}

const number = (value: string): number | null => (/^\d{1,9}(?:\.\d{1,6})?$/.test(value) ? Number(value) : null);
const flag = (value: string, otherwise: boolean): boolean => (value === "" ? otherwise : /^(?:true|1)$/i.test(value));

/** HH:MM:SS.mmm; some servers write plain seconds. Null for what is neither. */
export function parseClock(value: string): number | null {
  const [, hours, minutes, seconds] = /^(\d{1,3}):([0-5]\d):([0-5]\d(?:\.\d{1,3})?)$/.exec(value) ?? [];
  if (seconds === undefined) return number(value);
  // By milliseconds, which a sum of doubles would miss.
  return (Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1_000)) / 1_000;
}

function offsetOf(value: string): VastOffset | null {
  const percent = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(value)?.[1];
  if (percent !== undefined) return Number(percent) <= 100 ? { share: Number(percent) / 100 } : null;
  const atS = parseClock(value);
  return atS === null ? null : { atS };
}

/** An ad without either form is nothing that anybody could show. */
function readAd(element: Element): VastAd[] {
  const wrapper = one(element, "Wrapper");
  const body = one(element, "InLine") ?? wrapper;
  if (body === undefined) return [];
  const creatives = all(one(body, "Creatives"), "Creative");
  if (creatives.length > LIMITS.creatives)
    throw new VastError(`${creatives.length} creatives are more than ${LIMITS.creatives}`, VAST_ERRORS.schema);
  const sequence = number(attribute(element, "sequence"));
  const pricing = one(body, "Pricing");
  const price = number(text(pricing));
  return [
    {
      ...{ id: attribute(element, "id"), sequence, adType: attribute(element, "adtype") || "video" },
      ...{
        servingId: text(one(body, "AdServingId")),
        system: text(one(body, "AdSystem")),
        title: text(one(body, "AdTitle")),
      },
      ...{ advertiser: text(one(body, "Advertiser")), description: text(one(body, "Description")) },
      pricing:
        pricing === undefined || price === null
          ? null
          : { model: attribute(pricing, "model"), currency: attribute(pricing, "currency"), value: price },
      categories: all(body, "Category").map((each) => ({ authority: attribute(each, "authority"), code: text(each) })),
      expiresS: number(text(one(body, "Expires"))),
      ...{ impressions: uris(all(body, "Impression")), errors: uris(all(body, "Error")) },
      creatives: creatives.map(readCreative),
      verifications: readVerifications(body),
      extensions: all(one(body, "Extensions"), "Extension")
        .slice(0, LIMITS.uris)
        .map((each) => ({ type: attribute(each, "type"), text: text(each) })),
      wrapper: body === wrapper ? readWrapper(wrapper) : null,
    },
  ];
}

/** In VAST 4 beside the creatives, before that in an extension. */
function readVerifications(body: Element): VastAd["verifications"] {
  const extended = all(one(body, "Extensions"), "Extension").map((each) => one(each, "AdVerifications"));
  return [one(body, "AdVerifications"), ...extended]
    .flatMap((each) => all(each, "Verification"))
    .slice(0, LIMITS.uris)
    .map((each) => ({
      vendor: attribute(each, "vendor"),
      resources: uris([...all(each, "JavaScriptResource"), ...all(each, "ExecutableResource")]),
      parameters: text(one(each, "VerificationParameters")),
    }));
}

function readWrapper(wrapper: Element): VastWrapper {
  // VAST 1 and some servers of VAST 2 write VASTAdTagURL with a URL in it.
  const [tagUri] = uris([...all(wrapper, "VASTAdTagURI"), ...all(one(wrapper, "VASTAdTagURL"), "URL")]);
  if (tagUri === undefined) throw new VastError("a wrapper names no document to follow", VAST_ERRORS.schema);
  return {
    tagUri,
    followAdditionalWrappers: flag(attribute(wrapper, "followadditionalwrappers"), true),
    allowMultipleAds: flag(attribute(wrapper, "allowmultipleads"), false),
    fallbackOnNoAd: flag(attribute(wrapper, "fallbackonnoad"), false),
  };
}

function readCreative(element: Element): VastCreative {
  const linear = one(element, "Linear");
  return {
    ...{
      id: attribute(element, "id"),
      adId: attribute(element, "adid"),
      sequence: number(attribute(element, "sequence")),
    },
    universalAdIds: all(element, "UniversalAdId").map((each) => ({
      registry: attribute(each, "idregistry"),
      // Until VAST 4.1 the value was an attribute.
      value: attribute(each, "idvalue") || text(each),
    })),
    linear: linear === undefined ? null : readLinear(linear),
    companions: all(one(element, "CompanionAds"), "Companion").length,
    nonLinears: all(one(element, "NonLinearAds"), "NonLinear").length,
  };
}

function readLinear(linear: Element): VastLinear {
  const files = one(linear, "MediaFiles");
  const clicks = one(linear, "VideoClicks");
  const skip = attribute(linear, "skipoffset");
  return {
    durationS: parseClock(text(one(linear, "Duration"))),
    skipOffset: skip === "" ? null : offsetOf(skip),
    mediaFiles: all(files, "MediaFile").flatMap(readMediaFile),
    mezzanines: all(files, "Mezzanine").flatMap(readMediaFile),
    tracking: all(one(linear, "TrackingEvents"), "Tracking").slice(0, LIMITS.uris).flatMap(readTracking),
    clickThrough: uris(all(clicks, "ClickThrough"))[0] ?? null,
    clickTracking: uris(all(clicks, "ClickTracking")),
    customClicks: uris(all(clicks, "CustomClick")),
    icons: all(one(linear, "Icons"), "Icon").slice(0, LIMITS.creatives).map(readIcon),
    adParameters: text(one(linear, "AdParameters")),
  };
}

function readTracking(element: Element): VastTracking[] {
  const [uri] = uris([element]);
  const offset = attribute(element, "offset");
  return uri === undefined
    ? []
    : [{ event: attribute(element, "event"), offset: offset === "" ? null : offsetOf(offset), uri }];
}

function readMediaFile(element: Element): VastMediaFile[] {
  const [uri] = uris([element]);
  if (uri === undefined) return [];
  const at = (name: string): string => attribute(element, name);
  return [
    {
      ...{ uri, id: at("id"), type: at("type"), delivery: at("delivery"), codec: at("codec") },
      bitrateKbps: number(at("bitrate")),
      ...{ width: number(at("width")), height: number(at("height")), apiFramework: at("apiframework") },
    },
  ];
}

function readIcon(element: Element): VastIcon {
  const at = (name: string): string => attribute(element, name);
  const clicks = one(element, "IconClicks");
  const resources = ["StaticResource", "IFrameResource", "HTMLResource"].flatMap((name) => all(element, name));
  return {
    ...{ program: at("program"), width: number(at("width")), height: number(at("height")) },
    ...{ xPosition: at("xposition"), yPosition: at("yposition") },
    ...{ offsetS: parseClock(at("offset")), durationS: parseClock(at("duration")) },
    ...{ resources: uris(resources), clickThrough: uris(all(clicks, "IconClickThrough"))[0] ?? null },
    ...{ clickTracking: uris(all(clicks, "IconClickTracking")), viewTracking: uris(all(element, "IconViewTracking")) },
  };
}
