/** What the parser returns: the playlists of RFC 8216bis as data. Times are in seconds; absent attributes are null. */

export interface HlsByteRange {
  readonly lengthBytes: number;
  readonly offsetBytes: number;
}

export interface HlsKey {
  readonly method: string;
  readonly uri: string | null;
  readonly ivHex: string | null;
  readonly keyFormat: string;
  readonly keyFormatVersions: string;
  /** Lower-case hexadecimal without `0x`; not in the RFC, but written by every Widevine packager. */
  readonly keyId: string | null;
}

export interface HlsMap {
  readonly uri: string;
  readonly byteRange: HlsByteRange | null;
}

export interface HlsPart {
  readonly uri: string;
  readonly durationS: number;
  readonly byteRange: HlsByteRange | null;
  readonly independent: boolean;
  readonly gap: boolean;
}

export interface HlsSegment {
  readonly uri: string;
  readonly durationS: number;
  readonly title: string;
  readonly byteRange: HlsByteRange | null;
  readonly discontinuity: boolean;
  readonly gap: boolean;
  /** Every key that applies, one for each KEYFORMAT; empty for clear segments. */
  readonly keys: readonly HlsKey[];
  readonly map: HlsMap | null;
  readonly programDateTime: string | null;
  readonly parts: readonly HlsPart[];
  /** EXT-X-TILES of image playlists. */
  readonly tiles: { readonly resolution: string; readonly layout: string; readonly durationS: number } | null;
  /** The line of the URI, counted from 1. */
  readonly line: number;
}

export interface MediaPlaylist {
  readonly kind: "media";
  readonly version: number;
  readonly targetDurationS: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly type: "VOD" | "EVENT" | null;
  readonly endList: boolean;
  readonly iFramesOnly: boolean;
  readonly imagesOnly: boolean;
  readonly independentSegments: boolean;
  readonly partTargetS: number | null;
  /** EXT-X-SERVER-CONTROL, as its attributes. */
  readonly serverControl: Readonly<Record<string, string>> | null;
  readonly skippedSegments: number;
  readonly preloadHints: readonly Readonly<Record<string, string>>[];
  readonly dateRanges: readonly Readonly<Record<string, string>>[];
  readonly segments: readonly HlsSegment[];
  /** Parts after the last whole segment. */
  readonly trailingParts: readonly HlsPart[];
}

export interface HlsRendition {
  readonly type: "AUDIO" | "VIDEO" | "SUBTITLES" | "CLOSED-CAPTIONS";
  readonly groupId: string;
  readonly name: string;
  readonly language: string | null;
  readonly uri: string | null;
  readonly isDefault: boolean;
  readonly autoselect: boolean;
  readonly forced: boolean;
  readonly channels: string | null;
  readonly characteristics: string | null;
  readonly instreamId: string | null;
  readonly pathwayId: string | null;
}

export interface HlsVariant {
  readonly uri: string;
  readonly bandwidthBps: number;
  readonly averageBandwidthBps: number | null;
  readonly codecs: readonly string[];
  readonly width: number | null;
  readonly height: number | null;
  readonly frameRate: number | null;
  readonly videoRange: string | null;
  readonly audioGroup: string | null;
  readonly videoGroup: string | null;
  readonly subtitlesGroup: string | null;
  readonly closedCaptionsGroup: string | null;
  readonly pathwayId: string | null;
  /** The line of the tag, counted from 1. */
  readonly line: number;
}

export interface MultivariantPlaylist {
  readonly kind: "multivariant";
  readonly version: number;
  readonly independentSegments: boolean;
  readonly variants: readonly HlsVariant[];
  readonly iFrameVariants: readonly HlsVariant[];
  readonly imageVariants: readonly HlsVariant[];
  readonly renditions: readonly HlsRendition[];
  readonly sessionKeys: readonly HlsKey[];
  readonly steering: { readonly serverUri: string; readonly pathwayId: string | null } | null;
}
