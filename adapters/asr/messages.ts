import type { SpokenSegment } from "#kernel/ports/asr";

/** What the worker needs to hear: two graphs, words, and which of them are never said. */
export interface AsrFiles {
  readonly encoder: Uint8Array;
  readonly decoder: Uint8Array;
  readonly words: readonly string[];
  readonly suppressed: readonly number[];
  readonly suppressedFirst: readonly number[];
}

export type Request =
  | { readonly kind: "load"; readonly id: number; readonly files: AsrFiles }
  | { readonly kind: "transcribe"; readonly id: number; readonly samples: Float32Array };

export type Reply =
  | { readonly kind: "loaded"; readonly id: number }
  | { readonly kind: "heard"; readonly id: number; readonly segments: readonly SpokenSegment[] }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
