/**
 * The transcoder port: what the content services ask of a media toolbox. The adapter runs ffmpeg as a separate process, at low
 * CPU priority, without a network, and kills it when `signal` aborts. Every method rejects with a `Problem`
 * whose text a person can act on (`unsupported_media`, `unavailable` when the program is missing, `resource_exhausted` when the disk is full).
 */
export interface Transcoder {
  /** What the programs on this machine can do; `npm start` and `marquee doctor` show it. */
  capabilities(): Promise<TranscoderCapabilities>;
  /** Reads a file's tracks. Never executes or fetches what the file names. */
  probe(path: string, signal?: AbortSignal): Promise<SourceInfo>;
  /** A perceptual fingerprint of the picture, stable across re-encodes and scaling, for finding duplicates. */
  fingerprint(path: string, source: SourceInfo, signal?: AbortSignal): Promise<Fingerprint>;
  /**
   * Integrated loudness, range, true peak and threshold of one audio stream, mixed to stereo (EBU R 128), the first of two
   * passes. Silence measures -70 LUFS, the floor of the scale.
   */
  measureLoudness(path: string, streamIndex: number, signal?: AbortSignal): Promise<Loudness>;
  /** Encodes frames [firstFrame, firstFrame + frameCount) of the output's frame grid as one fragmented MP4 with a fragment a GOP. */
  encodeVideo(job: VideoEncode, out: string, progress: Progress, signal?: AbortSignal): Promise<void>;
  /**
   * What the pictures cost to encode: how much detail and motion samples of the film have, and what each probe of them weighs and looks like. The first probe's
   * size is what all are compared at; at most 24. Works in `folder`, which is the caller's to remove.
   */
  complexity(
    path: string,
    source: SourceInfo,
    probes: readonly PictureProbe[],
    folder: string,
    signal?: AbortSignal,
  ): Promise<Complexity>;
  /** Encodes one audio stream, whole and as long as the picture, as fragmented MP4 (AAC-LC stereo, 48 kHz). */
  encodeAudio(job: AudioEncode, out: string, progress: Progress, signal?: AbortSignal): Promise<void>;
  /** Converts one subtitle stream, or closed captions inside the video (CEA-608), to WebVTT text. Empty where there are none. */
  extractText(path: string, source: SourceInfo, what: TextSource, signal?: AbortSignal): Promise<string>;
  /** Writes JPEG tiles `tile-0000001.jpg` … into `folder` and says how many. */
  thumbnails(
    path: string,
    source: SourceInfo,
    shape: ThumbnailShape,
    folder: string,
    signal?: AbortSignal,
  ): Promise<number>;
  /** Writes candidate poster frames `poster-1.jpg` … (full size of the source, at most 1920 wide): sharp, bright, varied, not black. */
  posters(
    path: string,
    source: SourceInfo,
    count: number,
    folder: string,
    signal?: AbortSignal,
  ): Promise<PosterCandidate[]>;
  /**
   * Writes a part of the picture as a small silent MP4 that browsers play while it loads: H.264 Main, at most 960 pixels a
   * side, under 1.5 MB for 8 s.
   */
  preview(path: string, source: SourceInfo, span: PreviewSpan, out: string, signal?: AbortSignal): Promise<void>;
  /** Where the picture changes at once, where it is black, and where the sound is silent. */
  survey(path: string, source: SourceInfo, signal?: AbortSignal): Promise<Survey>;
  /** Writes a JPEG `still-0000001.jpg` … of each moment, which come in order; moments that have no picture are left out. At most `STILLS_MAX`. */
  stills(
    path: string,
    source: SourceInfo,
    what: { readonly timesS: readonly number[]; readonly width: number },
    folder: string,
    signal?: AbortSignal,
  ): Promise<Still[]>;
  /** A perceptual hash for each second, as in `Fingerprint`: the same film is found at other places and in other lengths. */
  hashes(path: string, source: SourceInfo, signal?: AbortSignal): Promise<string[]>;
  /** Writes one audio stream as it is heard by machines: 16 kHz, mono, 16 bits, little endian, without a header, on the picture's clock. */
  speech(path: string, source: SourceInfo, streamIndex: number, out: string, signal?: AbortSignal): Promise<void>;
  /**
   * Encodes one track of a live source in real time, at normal priority, as fragmented MP4 with a fragment a frame, into the Unix socket
   * at `out`, which must be listening. Ends when the source does; rejects as `canceled` when `signal` aborts.
   */
  encodeLive(job: LiveEncode, out: string, progress: LiveProgress, signal?: AbortSignal): Promise<void>;
  /**
   * Takes a live input in and passes it on as it is, as an MPEG transport stream (one that is such a stream byte for byte), into the Unix socket at `out`. Ends when the input does;
   * an input that is pushed is waited for, without end.
   */
  receiveLive(input: LiveInput, out: string, signal?: AbortSignal): Promise<void>;
}

/** Called about twice a second. */
export type LiveProgress = (at: LiveReport) => void;

export interface LiveReport {
  readonly frames: number;
  readonly framesDropped: number;
  /** Of real time: 1 keeps up. */
  readonly speed: number;
}

export interface LiveEncode {
  readonly source: LiveSource;
  readonly track: LiveVideo | LiveAudio;
  /** Decode times count from so long before the source's start: the encoder's priming comes before it, and no file holds times below zero. */
  readonly leadS: number;
}

export type LiveSource =
  /** A test picture, with the wall clock burnt in, that begins at `startMs`. */
  | {
      readonly kind: "test";
      /** Letters, digits and spaces; shown in the picture. */
      readonly title: string;
      /** Milliseconds since the epoch, at least half a second ahead. */
      readonly startMs: number;
    }
  /** A transport stream that comes out of a Unix socket; what is before `startS` on its own clock is thrown away. */
  | { readonly kind: "feed"; readonly path: string; readonly startS: number };

export type LiveInput =
  /** A caller is let in who knows the passphrase (10 to 79 characters); an empty one lets everybody in. */
  | { readonly kind: "srt"; readonly host: string; readonly port: number; readonly passphrase: string }
  /** What an RTMP server passes on, from a Unix socket. */
  | { readonly kind: "flv"; readonly path: string }
  /** An address that an MPEG transport stream is read from: udp, http or https. */
  | { readonly kind: "ts"; readonly url: string }
  /** An address of any other form of stream. */
  | { readonly kind: "pull"; readonly url: string }
  /** Files of this machine one after the other, over and over, in real time. */
  | { readonly kind: "files"; readonly paths: readonly string[] };

export interface LiveVideo {
  readonly kind: "video";
  readonly width: number;
  readonly height: number;
  /** A whole number, so that segments of two seconds are whole. */
  readonly frameRate: number;
  readonly bitrateKbps: number;
  /** Frames from one IDR to the next. */
  readonly gopFrames: number;
  /** Whether each frame has to come out before the next one goes in. */
  readonly isLowLatency: boolean;
}

/** AAC-LC stereo, 48 kHz. */
export interface LiveAudio {
  readonly kind: "audio";
  readonly bitrateKbps: number;
}

/** Called with the finished share, 0 to 1, at most a few times a second. */
export type Progress = (ratio: number) => void;

export interface TranscoderCapabilities {
  readonly program: string;
  readonly version: string;
  readonly h264: boolean;
  readonly hevc: boolean;
  readonly aac: boolean;
  /** HDR to SDR tone mapping (zscale and tonemap filters). */
  readonly toneMapping: boolean;
}

export interface SourceInfo {
  readonly container: string;
  /** How long the picture lasts; sound is padded or cut to it. */
  readonly durationS: number;
  readonly sizeBytes: number;
  readonly video: SourceVideo;
  readonly audio: readonly SourceAudio[];
  readonly text: readonly SourceText[];
  /** Captions inside the video's user data. */
  readonly hasClosedCaptions: boolean;
  /** In the order of their starts, which differ; absent where the file has none. */
  readonly chapters?: readonly SourceChapter[];
}

export interface SourceChapter {
  /** On the picture's clock, before its end. */
  readonly startS: number;
  /** At most 120 characters; empty where the file has no name for it. */
  readonly title: string;
}

export interface SourceVideo {
  readonly index: number;
  readonly codec: string;
  /** Coded size. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** As a person sees it: rotated and with square pixels, even numbers. */
  readonly displayWidth: number;
  readonly displayHeight: number;
  /** The constant rate that the output will have, such as [24000, 1001]; at most 60 a second. */
  readonly frameRate: readonly [number, number];
  readonly isInterlaced: boolean;
  readonly isHdr: boolean;
  readonly pixelFormat: string;
  /** Matrix coefficients and transfer as the file names them (`bt709`, `smpte2084`); absent where it does not say. */
  readonly colorSpace?: string;
  readonly colorTransfer?: string;
  /** When the first frame is shown, on the file's own clock. Times in this port count from here. */
  readonly startS: number;
}

export interface SourceAudio {
  readonly index: number;
  readonly codec: string;
  readonly language: string;
  readonly title: string;
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly startS: number;
  readonly isDefault: boolean;
}

export interface SourceText {
  readonly index: number;
  readonly codec: string;
  readonly language: string;
  readonly title: string;
  readonly isForced: boolean;
}

export interface Fingerprint {
  /** 64-bit perceptual hashes of frames at fixed shares of the duration, 16 hexadecimal digits each; all zero for a flat frame. */
  readonly frames: readonly string[];
  readonly durationS: number;
}

export interface Loudness {
  readonly integratedLufs: number;
  readonly rangeLu: number;
  readonly truePeakDbtp: number;
  readonly thresholdLufs: number;
  readonly targetOffsetLu: number;
}

export interface VideoEncode {
  readonly path: string;
  readonly source: SourceInfo;
  readonly codec: "h264" | "hevc";
  readonly width: number;
  readonly height: number;
  /** The mean that is aimed at; with `crf`, the most that is spent. */
  readonly bitrateKbps: number;
  /** One quality from beginning to end (1 to 51, lower is better), as long as the bitrate allows it. */
  readonly crf?: number;
  /** `quick` trades size for speed. */
  readonly preset: "quick" | "full";
  readonly firstFrame: number;
  readonly frameCount: number;
  readonly gopFrames: number;
}

/** An H.264 encode of samples at a constant quality. */
export interface PictureProbe {
  readonly width: number;
  readonly height: number;
  readonly crf: number;
}

export interface ProbedPicture extends PictureProbe {
  readonly bitrateKbps: number;
  /** Of the luma, scaled back to the size that is compared at. */
  readonly psnrDb: number;
  readonly ssim: number;
}

export interface Complexity {
  /** Spatial and temporal information (ITU-T P.910), means over samples. */
  readonly spatial: number;
  readonly temporal: number;
  readonly cutsPerMinute: number;
  readonly sampledS: number;
  readonly probes: readonly ProbedPicture[];
}

export interface AudioEncode {
  readonly path: string;
  readonly source: SourceInfo;
  readonly streamIndex: number;
  readonly bitrateKbps: number;
  /** The first pass' measure; null leaves the level alone, and so does silence (-70 LUFS). */
  readonly loudness: Loudness | null;
}

export type TextSource =
  | { readonly streamIndex: number }
  | { readonly file: string }
  | { readonly closedCaptions: true };

export interface ThumbnailShape {
  readonly columns: number;
  readonly rows: number;
  readonly width: number;
  readonly height: number;
  readonly intervalS: number;
}

/** Within the film: `startS` + `durationS` is at most its duration. */
export interface PreviewSpan {
  readonly startS: number;
  readonly durationS: number;
}

/** Times on the picture's clock, in their order. */
export interface Survey {
  readonly cutsS: readonly number[];
  readonly blacks: readonly Stretch[];
  /** Of the first sound; empty where there is none. */
  readonly silences: readonly Stretch[];
}

export interface Stretch {
  readonly startS: number;
  readonly endS: number;
}

export const STILLS_MAX = 2_000;

export interface Still {
  readonly file: string;
  readonly timeS: number;
}

export interface PosterCandidate {
  readonly file: string;
  readonly timeS: number;
  readonly width: number;
  readonly height: number;
  /** 0 to 1; higher is sharper, brighter and more colourful. */
  readonly score: number;
}
