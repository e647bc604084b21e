import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { Problem, problem } from "#kernel/errors";
import { HARMS, type Harm, type Judgement, type Moderation, type Opinion, TEXTS_MAX } from "#kernel/ports/moderation";
import { openOpenAiApi } from "../shared/openai-api.ts";

export interface OpenAiModerationOptions {
  /** Up to and including the version: `https://moderation.example.org/v1`. */
  readonly url: string;
  readonly model: string;
  readonly key?: string;
  /** How long one answer may take. */
  readonly timeoutMs?: number;
  /** What is waited at least before a second try; twice as long before each later one. */
  readonly backoffMs?: number;
  /** Who is told to come back later than that goes, and comes back another day. */
  readonly waitMsMax?: number;
  /** Between two tries; ends early when the signal says so. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

const TIMEOUT_MS = 30_000;
const BACKOFF_MS = 500;
const WAIT_MS_MAX = 30_000;
const TRIES_MAX = 4;
const BYTES_MAX = 256 * 1024;
const TEXT_CHARACTERS_MAX = 1_000;
/** Judgements name few categories; more than that is no judgement. */
const CATEGORIES_MAX = 100;

/** What harms are called in answers; more than one name means the worse of them. */
const NAMES: Readonly<Record<Harm, readonly string[]>> = {
  violence: ["violence"],
  graphic: ["violence/graphic"],
  sexual: ["sexual"],
  hate: ["hate"],
  threat: ["harassment/threatening", "hate/threatening"],
};

const few = <T extends z.ZodType>(values: T) =>
  z
    .record(z.string().max(80), values)
    .refine((record) => Object.keys(record).length <= CATEGORIES_MAX, `has more than ${CATEGORIES_MAX} categories`);
const Result = z.object({
  categories: few(z.boolean().nullish()),
  category_scores: few(z.number().min(0).max(1).nullish()),
  // Models that read text alone leave it out.
  category_applied_input_types: few(z.array(z.string().max(20)).max(10)).nullish(),
});
type Result = z.infer<typeof Result>;
const Answer = z.object({ results: z.array(Result).max(TEXTS_MAX) });

/**
 * A server behind the moderations of OpenAI's API (`POST /moderations`). Its models take one picture a request (`too_many_images` otherwise), and a list of texts as
 * so many questions.
 */
export function openOpenAiModeration({ url, model, key, ...times }: OpenAiModerationOptions): Moderation {
  const { timeoutMs = TIMEOUT_MS, backoffMs = BACKOFF_MS, waitMsMax = WAIT_MS_MAX, wait = pauseFor } = times;
  const at = `the moderation server at ${new URL(url).host}`;
  const api = openOpenAiApi({ url, key, at, variables: "MARQUEE_MODERATION", timeoutMs, bytesMax: BYTES_MAX });

  async function ask(input: unknown, count: number, signal: AbortSignal): Promise<readonly Result[]> {
    const body = JSON.stringify({ model, input });
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return resultsIn(await api.post("/moderations", body, signal), count);
      } catch (error) {
        // Whoever stopped us knows why.
        signal.throwIfAborted();
        const waitMs = waitMsOf(error, attempt);
        if (waitMs === undefined || attempt >= TRIES_MAX || waitMs > waitMsMax) throw error;
        // A signal that ends the wait is seen at the next turn.
        await wait(waitMs, signal).catch(() => undefined);
      }
    }
  }

  /** Undefined where another try would come to the same. */
  function waitMsOf(error: unknown, attempt: number): number | undefined {
    if (!(error instanceof Problem) || !error.retryable) return undefined;
    return Math.max((error.retryAfterS ?? 0) * 1_000, backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
  }

  function resultsIn(answer: unknown, count: number): readonly Result[] {
    const read = Answer.safeParse(answer);
    if (!read.success) throw problem.unavailable(`${at} answers with something that is no judgement`);
    const { results } = read.data;
    if (results.length !== count)
      throw problem.unavailable(`${at} answers with ${results.length} judgements where ${count} were asked for`);
    return results;
  }

  function judged(result: Result, kind: "image" | "text"): Judgement {
    const applied = result.category_applied_input_types;
    const looks = (name: string): boolean => (applied ? (applied[name]?.includes(kind) ?? false) : kind === "text");
    const opinions = HARMS.flatMap((harm): [Harm, Opinion][] => {
      const found = NAMES[harm].filter(looks).flatMap((name): Opinion[] => {
        const [isFlagged, score] = [result.categories[name], result.category_scores[name]];
        return typeof isFlagged === "boolean" && typeof score === "number" ? [{ isFlagged, score }] : [];
      });
      const [first, ...others] = found;
      return first ? [[harm, others.reduce(worse, first)]] : [];
    });
    const { violence, ...rest }: Partial<Record<Harm, Opinion>> = Object.fromEntries(opinions);
    if (!violence)
      throw problem.precondition(
        `${at} does not say that it looks at ${kind === "image" ? "pictures" : "words"} for violence: see whether MARQUEE_MODERATION_MODEL is a model that does`,
        { reason: "moderation_unfit" },
      );
    return { violence, ...rest };
  }

  return {
    model,
    async picture(jpeg, signal) {
      const image = { url: `data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}` };
      const [result] = await ask([{ type: "image_url", image_url: image }], 1, signal);
      if (!result) throw problem.internal("an answer was counted wrong");
      return judged(result, "image");
    },
    async texts(texts, signal) {
      if (texts.length > TEXTS_MAX) throw problem.invalid(`${texts.length} texts are more than ${TEXTS_MAX} at once`);
      if (texts.length === 0) return [];
      const input = texts.map((text) => text.slice(0, TEXT_CHARACTERS_MAX));
      return (await ask(input, texts.length, signal)).map((result) => judged(result, "text"));
    },
  };
}

const pauseFor = (ms: number, signal: AbortSignal): Promise<void> => pause(ms, undefined, { signal });

const worse = (a: Opinion, b: Opinion): Opinion => ({
  isFlagged: a.isFlagged || b.isFlagged,
  score: Math.max(a.score, b.score),
});
