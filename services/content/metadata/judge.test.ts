import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Problem, problem } from "#kernel";
import { testClock } from "#kernel/clock";
import { type Judgement, type Moderation, TEXTS_MAX } from "#kernel/ports/moderation";
import { silentLogger } from "#kernel/telemetry";
import { CUES_JUDGED_MAX, judge } from "./judge.ts";
import type { Doing, Parts } from "./parts.ts";

const CALM: Judgement = { violence: { isFlagged: false, score: 0.1 } };
const MINUTE_MS = 60_000;

/** A title of some frames and cues, and a server that takes its time. */
async function stage(
  t: TestContext,
  of: { readonly frames: number; readonly cues: number; readonly takesMs?: number },
) {
  const folder = await mkdtemp(join(tmpdir(), "judge-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "still.jpg");
  await writeFile(file, "a picture");
  const clock = testClock();
  const asked = { pictures: 0, texts: [] as number[] };
  const take = (): Promise<void> => clock.advance(of.takesMs ?? 0);
  const moderation: Moderation = {
    model: "m",
    async picture() {
      asked.pictures += 1;
      await take();
      return CALM;
    },
    async texts(texts) {
      asked.texts.push(texts.length);
      await take();
      return texts.map(() => CALM);
    },
  };
  // Closer looks are made of flagged frames alone, which have tests of the whole service.
  const transcoder: Pick<Parts["transcoder"], never> = {};
  const parts = { clock, logger: silentLogger, transcoder: transcoder as Parts["transcoder"] };
  const doing = (isLastTry: boolean, signal = new AbortController().signal) =>
    ({ signal, isLastTry, progress: () => {}, title: { contentId: "vod_1" } }) as unknown as Doing;
  const evidence = {
    stills: Array.from({ length: of.frames }, (_, index) => ({ file, timeS: index })),
    cues: Array.from({ length: of.cues }, (_, at) => ({ startS: at, endS: at + 1, text: "a", confidence: 1 })),
    width: 320,
  };
  return { asked, moderation, parts, doing, evidence };
}

test("all frames are asked about one by one, and cues in lists, up to a number", async (t) => {
  const { asked, moderation, parts, doing, evidence } = await stage(t, { frames: 3, cues: TEXTS_MAX + 1 });
  const verdicts = await judge(parts, moderation, doing(true), evidence);
  assert.deepEqual([verdicts.hasSeenAll, verdicts.hasReadAll, verdicts.fault], [true, true, undefined]);
  assert.deepEqual(asked, { pictures: 3, texts: [TEXTS_MAX, 1] });

  const long = await stage(t, { frames: 0, cues: CUES_JUDGED_MAX + 1 });
  const some = await judge(long.parts, long.moderation, long.doing(true), long.evidence);
  assert.equal(some.words.length, CUES_JUDGED_MAX);
  assert.deepEqual([some.hasSeenAll, some.hasReadAll], [false, false], "no frame is not every frame");
});

test("a server that needs more than an hour is left out, and not tried again", async (t) => {
  const { asked, moderation, parts, doing, evidence } = await stage(t, { frames: 100, cues: 1, takesMs: MINUTE_MS });
  const { frames, hasSeenAll, hasReadAll, fault } = await judge(parts, moderation, doing(false), evidence);
  assert.deepEqual([asked.pictures, frames.length, hasSeenAll, hasReadAll], [60, 60, false, false]);
  assert.deepEqual([fault?.reason, fault?.retryable], ["moderation_slow", false]);
  assert.deepEqual(asked.texts, [], "nor is anything else asked");
});

test("what another try could mend is thrown until the last one, and whoever stops the step is heard", async (t) => {
  const { moderation, parts, doing, evidence } = await stage(t, { frames: 2, cues: 0 });
  const away = problem.unavailable("away");
  const failing = (fault: Error): Moderation => ({
    ...moderation,
    picture: async () => {
      throw fault;
    },
  });
  await assert.rejects(judge(parts, failing(away), doing(false), evidence), away);
  assert.equal((await judge(parts, failing(away), doing(true), evidence)).fault, away);
  const refused = problem.precondition("no key");
  assert.equal((await judge(parts, failing(refused), doing(false), evidence)).fault, refused);
  const bug = new TypeError("not a server's fault");
  await assert.rejects(judge(parts, failing(bug), doing(true), evidence), bug);
  const enough = new Problem("canceled", "enough");
  await assert.rejects(judge(parts, moderation, doing(true, AbortSignal.abort(enough)), evidence), enough);
});
