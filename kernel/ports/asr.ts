import type { Stateful } from "./state.ts";

/**
 * The port of speech recognition. What it says is a draft, with how sure it is; there may be no model, and then there are no drafts. Whoever asks
 * cuts sound into pieces that hold speech.
 */
export interface Asr extends Stateful {
  /** What would transcribe now; undefined where there is no model. */
  about(): Promise<AsrModel | undefined>;
  /**
   * What is said in a piece of sound. Rejects `failed_precondition` where there is no model or it does not know the language,
   * `unavailable` where the engine is away, and when the signal says so.
   */
  transcribe(sound: SpeechSound, signal: AbortSignal): Promise<Transcript>;
  /** Gives memory back until the next piece. */
  rest(): Promise<void>;
  close(): Promise<void>;
}

export interface AsrModel {
  readonly model: string;
  readonly version: string;
  /** ISO 639-1; empty: any, and it finds out by itself. */
  readonly languages: readonly string[];
}

export interface SpeechSound {
  /** 16 kHz, mono, from -1 to 1; at most `SPEECH_S_MAX`. */
  readonly samples: Float32Array;
  /** ISO 639-1; empty where nobody knows. */
  readonly language: string;
}

export interface Transcript {
  readonly language: string;
  readonly segments: readonly SpokenSegment[];
}

/** Times within the piece of sound. */
export interface SpokenSegment {
  readonly startS: number;
  readonly endS: number;
  readonly text: string;
  /** 0 to 1. */
  readonly confidence: number;
}

export const SPEECH_S_MAX = 30;
export const SPEECH_HZ = 16_000;
