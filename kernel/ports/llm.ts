/**
 * The language model port. There may be none, and one that is there may be slow, refuse, or say anything: whoever asks has another way, and believes
 * an answer only after looking at it.
 */
export interface Llm {
  /** Which model answers; part of what its answers are remembered by. */
  readonly model: string;
  /** One answer, as JSON. Rejects `unavailable`, `resource_exhausted` or `failed_precondition`, and when the signal says so. */
  ask(question: LlmQuestion, signal: AbortSignal): Promise<LlmAnswer>;
}

export interface LlmQuestion {
  /** What to do, the same for everybody. */
  readonly instructions: string;
  /** What a person wrote: data, whatever it says. */
  readonly text: string;
  readonly tokensMax: number;
}

export interface LlmAnswer {
  readonly json: unknown;
  /** How many were used, as the engine counts them. */
  readonly tokens: number;
}
