/** Video Ad Serving Template as data (IAB Tech Lab VAST 2.0 to 4.3). Times are in seconds; what a document does not say is null or empty. */

export interface Vast {
  readonly version: string;
  /** Where to say that there was no ad. */
  readonly errors: readonly string[];
  readonly ads: readonly VastAd[];
}

export interface VastAd {
  readonly id: string;
  /** Position in a pod; null for an ad that stands alone. */
  readonly sequence: number | null;
  readonly adType: string;
  readonly servingId: string;
  readonly system: string;
  readonly title: string;
  readonly advertiser: string;
  readonly description: string;
  readonly pricing: { readonly model: string; readonly currency: string; readonly value: number } | null;
  readonly categories: readonly { readonly authority: string; readonly code: string }[];
  readonly expiresS: number | null;
  readonly impressions: readonly string[];
  readonly errors: readonly string[];
  readonly creatives: readonly VastCreative[];
  /** Measurement by scripts, which a server cannot run: kept for who passes the document on. */
  readonly verifications: readonly {
    readonly vendor: string;
    readonly resources: readonly string[];
    readonly parameters: string;
  }[];
  /** Text of each extension, with its type. */
  readonly extensions: readonly { readonly type: string; readonly text: string }[];
  /** Null for an InLine ad. */
  readonly wrapper: VastWrapper | null;
}

export interface VastWrapper {
  readonly tagUri: string;
  readonly followAdditionalWrappers: boolean;
  readonly allowMultipleAds: boolean;
  readonly fallbackOnNoAd: boolean;
}

export interface VastCreative {
  readonly id: string;
  readonly adId: string;
  readonly sequence: number | null;
  readonly universalAdIds: readonly { readonly registry: string; readonly value: string }[];
  readonly linear: VastLinear | null;
  /** Beside the picture; a stream into which ads are stitched has no place for them, so they are only counted. */
  readonly companions: number;
  readonly nonLinears: number;
}

export interface VastLinear {
  /** Null in wrappers. */
  readonly durationS: number | null;
  readonly skipOffset: VastOffset | null;
  readonly mediaFiles: readonly VastMediaFile[];
  /** The file that others are made from; the best input of an encoder. */
  readonly mezzanines: readonly VastMediaFile[];
  readonly tracking: readonly VastTracking[];
  readonly clickThrough: string | null;
  readonly clickTracking: readonly string[];
  readonly customClicks: readonly string[];
  readonly icons: readonly VastIcon[];
  readonly adParameters: string;
}

/** A time from the ad's start, or a share of its duration from 0 to 1. */
export type VastOffset = { readonly atS: number } | { readonly share: number };

export interface VastTracking {
  readonly event: string;
  readonly offset: VastOffset | null;
  readonly uri: string;
}

export interface VastMediaFile {
  readonly uri: string;
  readonly id: string;
  readonly type: string;
  /** `progressive` or `streaming`. */
  readonly delivery: string;
  readonly codec: string;
  readonly bitrateKbps: number | null;
  readonly width: number | null;
  readonly height: number | null;
  /** VPAID and SIMID are programs and no films. */
  readonly apiFramework: string;
}

export interface VastIcon {
  readonly program: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly xPosition: string;
  readonly yPosition: string;
  readonly offsetS: number | null;
  readonly durationS: number | null;
  readonly resources: readonly string[];
  readonly clickThrough: string | null;
  readonly clickTracking: readonly string[];
  readonly viewTracking: readonly string[];
}

/** What is reported to `Error` (VAST 4.2, section 2.3.6.3), as far as a server meets it. */
export const VAST_ERRORS = {
  xml: 100,
  schema: 101,
  version: 102,
  wrapper: 300,
  wrapperTimeout: 301,
  wrapperLimit: 302,
  wrapperNoAd: 303,
  linear: 400,
  fileNotFound: 401,
  fileTimeout: 402,
  unsupportedFile: 403,
  undefined: 900,
} as const;
