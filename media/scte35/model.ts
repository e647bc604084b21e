/** Splices as data (ANSI/SCTE 35 2023). Times are in ticks of 90 kHz, 33 bits long; bytes without meaning of their own are lower-case hexadecimal. */

export interface SpliceInfo {
  /** Stream access point type of the splice: 0 to 2, 3 where it is not said. */
  readonly sapType: number;
  /** Added to every time of the section by machines that restamped the stream. */
  readonly ptsAdjustment: number;
  readonly cwIndex: number;
  readonly tier: number;
  /** Encoders before 2006 wrote 0xFFF for the command's length. */
  readonly legacyLength: boolean;
  readonly command: SpliceCommand;
  readonly descriptors: readonly SpliceDescriptor[];
  readonly stuffingHex: string;
}

export type SpliceCommand =
  | { readonly kind: "null" }
  | { readonly kind: "bandwidthReservation" }
  | SpliceInsert
  | { readonly kind: "timeSignal"; readonly ptsTime: number | null }
  | { readonly kind: "private"; readonly identifier: string; readonly bytesHex: string }
  /** splice_schedule and commands of later editions. */
  | { readonly kind: "other"; readonly type: number; readonly bytesHex: string }
  /** Everything from the command on is encrypted; who has no control word sees this alone. */
  | {
      readonly kind: "encrypted";
      readonly algorithm: number;
      readonly commandBytes: number;
      readonly bytesHex: string;
    };

export type SpliceInsert =
  | { readonly kind: "insert"; readonly eventId: number; readonly cancel: true }
  | {
      readonly kind: "insert";
      readonly eventId: number;
      readonly cancel: false;
      /** Whether ids of events are given as section 9.9.3 says (since 2022; the bit was reserved before). */
      readonly compliant: boolean;
      readonly outOfNetwork: boolean;
      readonly immediate: boolean;
      /** When the whole programme is spliced; null where components are, or where it happens at once. */
      readonly ptsTime: number | null;
      readonly components: readonly { readonly tag: number; readonly ptsTime: number | null }[] | null;
      readonly breakDuration: { readonly autoReturn: boolean; readonly duration: number } | null;
      readonly uniqueProgramId: number;
      readonly availNum: number;
      readonly availsExpected: number;
    };

export type SpliceDescriptor =
  | { readonly kind: "avail"; readonly identifier: string; readonly providerAvailId: number }
  | { readonly kind: "dtmf"; readonly prerollTenths: number; readonly chars: string }
  | SegmentationDescriptor
  | { readonly kind: "time"; readonly taiSeconds: number; readonly taiNs: number; readonly utcOffsetS: number }
  | { readonly kind: "audio"; readonly components: readonly AudioComponent[] }
  | { readonly kind: "other"; readonly tag: number; readonly identifier: string; readonly bytesHex: string };

export interface AudioComponent {
  readonly tag: number;
  /** ISO 639-2, three letters. */
  readonly language: string;
  readonly bitStreamMode: number;
  readonly channels: number;
  readonly fullService: boolean;
}

export interface DeliveryRestrictions {
  readonly webDeliveryAllowed: boolean;
  readonly noRegionalBlackout: boolean;
  readonly archiveAllowed: boolean;
  /** 0 to 2 are groups of devices, 3 is none. */
  readonly deviceRestrictions: number;
}

export type SegmentationDescriptor =
  | { readonly kind: "segmentation"; readonly eventId: number; readonly compliant: boolean; readonly cancel: true }
  | {
      readonly kind: "segmentation";
      readonly eventId: number;
      readonly compliant: boolean;
      readonly cancel: false;
      readonly components: readonly { readonly tag: number; readonly ptsOffset: number }[] | null;
      /** Null: delivery is not restricted. */
      readonly restrictions: DeliveryRestrictions | null;
      readonly duration: number | null;
      readonly upid: Upid;
      readonly typeId: number;
      readonly segmentNum: number;
      readonly segmentsExpected: number;
      readonly sub: { readonly num: number; readonly expected: number } | null;
    };

/** As it stands in the section; `readUpid` says what it means. */
export interface Upid {
  readonly type: number;
  readonly bytesHex: string;
}

export const PTS_MODULUS = 2 ** 33;

export const COMMAND_TYPES = { null: 0x00, insert: 0x05, timeSignal: 0x06, bandwidthReservation: 0x07, private: 0xff };
export const DESCRIPTOR_TAGS = { avail: 0, dtmf: 1, segmentation: 2, time: 3, audio: 4 };
export const CUEI = "CUEI";
