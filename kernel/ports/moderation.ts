/**
 * The port of a server that judges what may be harmful in pictures and words. There may be none, and one that is there may be away or slow: whoever asks
 * says then what was not looked for. What it flags is a suspicion for a person, and no verdict.
 */
export interface Moderation {
  /** Which model answers; suspicions say it. */
  readonly model: string;
  /**
   * One picture, as JPEG. Rejects `failed_precondition` where the model does not look at pictures for violence, `unavailable`, `resource_exhausted`, and
   * when the signal says so. Has been tried again where that could help.
   */
  picture(jpeg: Uint8Array, signal: AbortSignal): Promise<Judgement>;
  /** At most `TEXTS_MAX` texts, each by itself and in their order. Rejects as `picture` does. */
  texts(texts: readonly string[], signal: AbortSignal): Promise<readonly Judgement[]>;
}

/** `threat`: hate or harassment that threatens harm. */
export const HARMS = ["violence", "graphic", "sexual", "hate", "threat"] as const;
export type Harm = (typeof HARMS)[number];

/** What was not looked for is absent; violence never is. */
export type Judgement = Readonly<Partial<Record<Harm, Opinion>>> & { readonly violence: Opinion };

export interface Opinion {
  /** By the model's own threshold: only it knows what its scores mean. */
  readonly isFlagged: boolean;
  /** 0 to 1. */
  readonly score: number;
}

export const TEXTS_MAX = 32;
