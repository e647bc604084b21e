import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Problem } from "#kernel/errors";
import { type Asr, SPEECH_HZ } from "#kernel/ports/asr";

export interface Subject {
  readonly asr: Asr;
  close(): Promise<void>;
}

/** What every recogniser keeps to, whatever it hears. */
export function asrContract(name: string, open: () => Promise<Subject>): void {
  const never = new AbortController().signal;
  const noise = (seconds: number): Float32Array =>
    Float32Array.from({ length: seconds * SPEECH_HZ }, (_, at) => Math.sin(at * at * 0.0001) / 4);
  const using = async (use: (asr: Asr) => Promise<void>): Promise<void> => {
    const { asr, close } = await open();
    try {
      await use(asr);
    } finally {
      await asr.close();
      await close();
    }
  };

  describe(`asr contract: ${name}`, () => {
    test("says what it is", () =>
      using(async (asr) => {
        const about = await asr.about();
        assert.ok(about && about.model !== "" && about.version !== "");
        assert.ok((await asr.state()).ok);
      }));

    test("what is said lies within the piece, in order, with how sure it is", () =>
      using(async (asr) => {
        const { segments } = await asr.transcribe({ samples: noise(3), language: "en" }, never);
        for (const [index, { startS, endS, text, confidence }] of segments.entries()) {
          assert.ok(
            startS >= (segments[index - 1]?.startS ?? 0) && startS <= endS && endS <= 3,
            `${startS} to ${endS}`,
          );
          assert.ok(text.trim() !== "" && text === text.trim());
          assert.ok(confidence >= 0 && confidence <= 1, `${confidence}`);
        }
      }));

    test("the same piece is heard the same way, also after a rest", () =>
      using(async (asr) => {
        const sound = { samples: noise(2), language: "en" };
        const first = await asr.transcribe(sound, never);
        await asr.rest();
        assert.deepEqual(await asr.transcribe(sound, never), first);
      }));

    test("gives up when nobody waits any more, and hears the next one", () =>
      using(async (asr) => {
        const sound = { samples: noise(2), language: "en" };
        await assert.rejects(asr.transcribe(sound, AbortSignal.abort(new Problem("canceled", "enough"))));
        await asr.transcribe(sound, never);
      }));
  });
}
