/** What wrappers add to the ad that they lead to, and what an ad asks to be told (VAST 4.2, sections 2.4.1 and 3.14). */
import type { VastAd, VastCreative, VastLinear, VastMediaFile, VastOffset } from "./model.ts";

/** The ad with everything that the wrapper wants to hear of it; the wrapper's own media, of which it has none, are not taken. */
export function mergeWrapper(wrapper: VastAd, ad: VastAd): VastAd {
  const outer = wrapper.creatives.flatMap(({ linear }) => linear ?? []);
  return {
    ...ad,
    impressions: [...wrapper.impressions, ...ad.impressions],
    errors: [...wrapper.errors, ...ad.errors],
    verifications: [...wrapper.verifications, ...ad.verifications],
    extensions: [...wrapper.extensions, ...ad.extensions],
    creatives: ad.creatives.map(
      (creative): VastCreative =>
        creative.linear === null ? creative : { ...creative, linear: mergeLinear(outer, creative.linear) },
    ),
  };
}

const mergeLinear = (outer: readonly VastLinear[], inner: VastLinear): VastLinear => ({
  ...inner,
  tracking: [...outer.flatMap(({ tracking }) => tracking), ...inner.tracking],
  clickTracking: [...outer.flatMap(({ clickTracking }) => clickTracking), ...inner.clickTracking],
  customClicks: [...outer.flatMap(({ customClicks }) => customClicks), ...inner.customClicks],
  icons: [...outer.flatMap(({ icons }) => icons), ...inner.icons],
  // The innermost one that says where a click leads is meant.
  clickThrough: inner.clickThrough ?? outer.findLast(({ clickThrough }) => clickThrough !== null)?.clickThrough ?? null,
});

export const QUARTILES = ["start", "firstQuartile", "midpoint", "thirdQuartile", "complete"] as const;
export type Quartile = (typeof QUARTILES)[number];

export interface Beacon {
  /** Seconds from the ad's start. */
  readonly atS: number;
  readonly event: string;
  readonly uri: string;
}

/** What the playhead sets off: impressions with the first frame, quartiles, and progress where it was asked for. In order of time. */
export function beaconsOf(ad: VastAd, durationS: number): Beacon[] {
  const at = (offset: VastOffset): number => ("atS" in offset ? offset.atS : offset.share * durationS);
  const beacons = ad.impressions.map((uri): Beacon => ({ atS: 0, event: "impression", uri }));
  for (const { tracking } of ad.creatives.flatMap(({ linear }) => linear ?? [])) {
    for (const { event, offset, uri } of tracking) {
      const quartile = (QUARTILES as readonly string[]).indexOf(event);
      if (quartile >= 0) beacons.push({ atS: (durationS * quartile) / 4, event, uri });
      else if (event === "creativeView") beacons.push({ atS: 0, event, uri });
      else if (event === "progress" && offset !== null && at(offset) <= durationS)
        beacons.push({ atS: at(offset), event, uri });
    }
  }
  return beacons.toSorted((a, b) => a.atS - b.atS);
}

/** The file to encode from: a mezzanine, else the largest film; a program (VPAID, SIMID) is none. Null where there is nothing to show. */
export function bestFile(linear: VastLinear): VastMediaFile | null {
  const films = (files: readonly VastMediaFile[]): VastMediaFile[] =>
    files.filter(({ type, apiFramework }) => apiFramework === "" && /^video\//i.test(type));
  const size = ({ width, height, bitrateKbps }: VastMediaFile): number =>
    (width ?? 0) * (height ?? 0) * 1_000 + (bitrateKbps ?? 0);
  const [best] = films(linear.mezzanines);
  return best ?? films(linear.mediaFiles).toSorted((a, b) => size(b) - size(a))[0] ?? null;
}

const MACRO = /\[([A-Z_]{2,40})\]|%%([A-Z_]{2,40})%%/g;

/**
 * Replaces macros (VAST 4.2, section 6). A known one without a value is `-1`, as the specification wants; what is no macro of it
 * stays as it is. Values are percent-encoded.
 */
export function fillMacros(uri: string, values: Readonly<Record<string, string | number>>): string {
  return uri.replace(MACRO, (whole: string, bracketed?: string, percented?: string) => {
    const name = bracketed ?? percented ?? "";
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined) return encodeURIComponent(String(value));
    return KNOWN_MACROS.has(name) ? "-1" : whole;
  });
}

const KNOWN_MACROS: ReadonlySet<string> = new Set(
  (
    "TIMESTAMP CACHEBUSTING CONTENTPLAYHEAD MEDIAPLAYHEAD ADPLAYHEAD BREAKPOSITION ADCATEGORIES ADCOUNT TRANSACTIONID " +
    "PLACEMENTTYPE ADTYPE UNIVERSALADID BREAKMAXDURATION BREAKMINDURATION BREAKMAXADS BREAKMINADLENGTH BREAKMAXADLENGTH " +
    "IFA IFATYPE CLIENTUA SERVERUA DEVICEUA SERVERSIDE DEVICEIP LATLONG DOMAIN PAGEURL APPBUNDLE VASTVERSIONS APIFRAMEWORKS " +
    "EXTENSIONS MEDIAMIME PLAYERCAPABILITIES CLICKTYPE PLAYERSTATE INVENTORYSTATE PLAYERSIZE ADSERVINGID ASSETURI CONTENTID " +
    "CONTENTURI PODSEQUENCE CLICKPOS VERIFICATIONVENDORS OMIDPARTNER LIMITADTRACKING REGULATIONS GDPRCONSENT ERRORCODE REASON"
  ).split(" "),
);
