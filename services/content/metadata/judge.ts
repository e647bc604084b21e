import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Problem, problem, toProblem } from "#kernel";
import { type Judgement, type Moderation, TEXTS_MAX } from "#kernel/ports/moderation";
import type { Still } from "#kernel/ports/transcoder";
import type { Cue } from "./domain.ts";
import { flaggedIn, type Judged, type Verdicts } from "./domain-judged.ts";
import { AROUND_S } from "./domain-moderation.ts";
import type { Doing, Parts } from "./parts.ts";

/** A hundred requests: more than the longest films have. */
export const CUES_JUDGED_MAX = 100 * TEXTS_MAX;
/** A server that makes us wait is not waited for longer than that, of one title. */
const JUDGE_MS_MAX = 3_600_000;

/** What a title is to be judged by. */
export interface Evidence {
  readonly stills: readonly Still[];
  readonly cues: readonly Cue[];
  /** The width of the frames that are looked at closer. */
  readonly width: number;
}

type Judging = Pick<Parts, "clock" | "logger" | "transcoder">;

/** Has a title judged by the server: its frames, the moments around those that are flagged, and what is said. */
export async function judge(
  parts: Judging,
  moderation: Moderation,
  doing: Doing,
  { stills, cues, width }: Evidence,
): Promise<Verdicts> {
  const { signal, progress } = doing;
  const server = askedOf(parts, doing);
  const frames: Judged[] = [];
  for (const [index, { file, timeS }] of stills.entries()) {
    const judgement = await server.ask(moderation.picture, await readFile(file));
    if (!judgement) break;
    frames.push({ timeS, judgement });
    progress((0.7 * (index + 1)) / stills.length);
  }
  for (const [index, flagged] of flaggedIn(frames).entries()) {
    if (server.fault()) break;
    const around: Judgement[] = [];
    for (const { file } of await stillsAround(parts, doing, flagged.timeS, index, width)) {
      const judgement = await server.ask(moderation.picture, await readFile(file));
      if (judgement) around.push(judgement);
    }
    // Half of a closer look is none.
    if (!server.fault()) frames[frames.indexOf(flagged)] = { ...flagged, around };
  }
  const hasSeenAll = stills.length > 0 && server.fault() === undefined;
  progress(0.9);
  const words: Judgement[] = [];
  for (let from = 0; from < Math.min(cues.length, CUES_JUDGED_MAX); from += TEXTS_MAX) {
    const texts = cues.slice(from, from + TEXTS_MAX).map(({ text }) => text);
    const judgements = await server.ask(moderation.texts, texts);
    if (!judgements) break;
    words.push(...judgements);
  }
  signal.throwIfAborted();
  return { frames, words, hasSeenAll, hasReadAll: words.length === cues.length, fault: server.fault() };
}

/**
 * Asks until the first fault, and then no more. Where the server is away, a later try of the whole step is waited for, as for every other server; at the
 * last one, and where only a person can mend it, what was judged until then counts.
 */
function askedOf({ clock, logger }: Judging, { signal, isLastTry, title }: Doing) {
  const untilMs = clock.nowMs() + JUDGE_MS_MAX;
  let fault: Problem | undefined;
  return {
    fault: (): Problem | undefined => fault,
    async ask<Q, A>(question: (of: Q, signal: AbortSignal) => Promise<A>, of: Q): Promise<A | undefined> {
      signal.throwIfAborted();
      if (fault) return undefined;
      try {
        if (clock.nowMs() < untilMs) return await question(of, signal);
        // Another try would take as long.
        throw problem.precondition(
          `the moderation server needs more than ${JUDGE_MS_MAX / 60_000} minutes for a title: see its limits`,
          { reason: "moderation_slow" },
        );
      } catch (error) {
        signal.throwIfAborted();
        fault = toProblem(error);
        if (fault.code === "internal" || (fault.retryable && !isLastTry)) throw error;
        logger.warn("the moderation server did not judge all of a title", { content_id: title.contentId, error });
        return undefined;
      }
    },
  };
}

async function stillsAround(
  parts: Judging,
  doing: Doing,
  timeS: number,
  index: number,
  width: number,
): Promise<Still[]> {
  const { title, path, folder, signal } = doing;
  const timesS = AROUND_S.map((offsetS) => timeS + offsetS).filter((atS) => atS >= 0 && atS < title.durationS);
  const into = join(folder, `closer-${index}`);
  await mkdir(into);
  return parts.transcoder.stills(path, title.source, { timesS, width }, into, signal);
}
