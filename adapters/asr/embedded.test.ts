import assert from "node:assert/strict";
import { test } from "node:test";
import { SPEECH_HZ } from "#kernel/ports/asr";
import { randomNormal, seededRandom } from "#learning/random";
import { whisperGraphs } from "#learning/whisper";
import { asrContract } from "./contract.ts";
import { openEmbeddedAsr } from "./embedded.ts";
import type { AsrFiles } from "./messages.ts";

/** A Whisper of a few numbers, drawn by chance: it hears nothing that was said, but in every way that a real one does. */
function tiny(): AsrFiles {
  const shape = { melBands: 80, positions: 1_500, width: 8, heads: 2, encoderLayers: 1, decoderLayers: 1 };
  const special = ["<|endoftext|>", "<|startoftranscript|>", "<|nocaptions|>", "<|notimestamps|>"];
  const times = Array.from({ length: 1_501 }, (_, at) => `<|${(at * 0.02).toFixed(2)}|>`);
  const words = ["Ġsea", "Ġnight", "Ġharbour", "Ġship", ...special, ...times];
  const random = seededRandom(17);
  const sides: Readonly<Record<string, readonly number[]>> = {
    "conv1/weight": [8, 80, 3],
    "conv2/weight": [8, 8, 3],
    "ffn/linear_0/weight": [16, 8],
    "ffn/linear_0/bias": [16],
    "ffn/linear_1/weight": [8, 16],
    "self_attention/linear_0/weight": [24, 8],
    "self_attention/linear_0/bias": [24],
    "/attention/linear_1/weight": [16, 8],
    "/attention/linear_1/bias": [16],
    "encoder/position_encodings/encodings": [1_500, 8],
    "decoder/position_encodings/encodings": [448, 8],
    "decoder/embeddings/weight": [words.length, 8],
  };
  const graphs = whisperGraphs({ ...shape, vocabulary: words.length }, (name) => {
    const known = Object.keys(sides).find((end) => name.endsWith(end));
    const side = sides[known ?? ""] ?? (name.endsWith("weight") ? [8, 8] : [8]);
    const size = side.reduce((product, length) => product * length, 1);
    return { shape: side, data: Float32Array.from({ length: size }, () => randomNormal(random)) };
  });
  return { ...graphs, words, suppressed: [], suppressedFirst: [] };
}
const files = tiny();
const open = () =>
  openEmbeddedAsr({
    about: async () => ({ model: "tiny", version: "1", languages: ["en"] }),
    read: async () => files,
  });

asrContract("embedded", async () => ({ asr: open(), close: async () => {} }));

test("a language that the model does not know, too long a piece and no model at all are refused", async () => {
  const asr = open();
  const never = new AbortController().signal;
  const samples = new Float32Array(SPEECH_HZ);
  await assert.rejects(asr.transcribe({ samples, language: "de" }, never), { reason: "language_unknown" });
  await assert.rejects(asr.transcribe({ samples: new Float32Array(31 * SPEECH_HZ), language: "en" }, never), /30 s/);
  const without = openEmbeddedAsr({ about: async () => undefined, read: () => Promise.reject(new Error("none")) });
  await assert.rejects(without.transcribe({ samples, language: "en" }, never), { reason: "no_model" });
  assert.match((await asr.state()).detail, /not started/);
});

test("weights that are none end the step and not the recogniser", async () => {
  let given: AsrFiles = { ...files, encoder: new Uint8Array([1, 2, 3]) };
  const asr = openEmbeddedAsr({
    about: async () => ({ model: "tiny", version: "1", languages: ["en"] }),
    read: async () => given,
  });
  const sound = { samples: new Float32Array(SPEECH_HZ), language: "en" };
  const never = new AbortController().signal;
  await assert.rejects(asr.transcribe(sound, never), /recogniser failed/);
  given = files;
  await asr.transcribe(sound, never);
  await asr.close();
});
