/** Whisper in a thread of its own, which gives way to everybody: a piece of 30 s takes seconds, and nobody waits for it. */
import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { SpokenSegment } from "#kernel/ports/asr";
import { logMel, SAMPLE_RATE_HZ } from "#learning/mel";
import {
  logProbabilityOf,
  nextToken,
  segmentsOf,
  textOf,
  type Vocabulary,
  vocabularyOf,
} from "#learning/whisper-tokens";
import type { AsrFiles, Reply, Request } from "./messages.ts";

const NICENESS = 19;
const TOKENS_MAX = 220;
/** OpenAI's decoder takes a piece for silence where the model says so and is not sure of its words. */
const NO_SPEECH_MIN = 0.6;
const LOG_PROBABILITY_MIN = -1;
/** Words that repeat themselves are made up: a text that shrinks so far is none. */
const REPEATS_MAX = 4;

const port = parentPort;
if (!port) throw new Error("this module runs as a worker");
// Elsewhere a thread has no priority of its own.
if (process.platform === "linux") setPriority(NICENESS);

interface Loaded {
  readonly encoder: InferenceSession;
  readonly decoder: InferenceSession;
  readonly vocabulary: Vocabulary;
  readonly layers: number;
  readonly heads: number;
  readonly headWidth: number;
  readonly frames: number;
  readonly bands: number;
}
let loaded: Loaded | undefined;
let last: Promise<unknown> = Promise.resolve();

port.on("message", (request: Request) => {
  last = last.then(async () => port.postMessage(await answer(request)));
});

async function answer(request: Request): Promise<Reply> {
  const { id } = request;
  try {
    if (request.kind === "load") {
      loaded = await load(request.files);
      return { kind: "loaded", id };
    }
    if (!loaded) throw new Error("no model is loaded");
    return { kind: "heard", id, segments: await transcribe(loaded, request.samples) };
  } catch (error) {
    return { kind: "failed", id, message: error instanceof Error ? error.message : String(error) };
  }
}

async function load({ encoder, decoder, words, suppressed, suppressedFirst }: AsrFiles): Promise<Loaded> {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const hearing = await InferenceSession.create(encoder, options);
  const [mel] = hearing.inputMetadata;
  const keys = hearing.outputMetadata.filter(({ name }) => name.startsWith("cross_key_"));
  const [key] = keys;
  if (!mel?.isTensor || !key?.isTensor) throw new Error("the encoder is not Whisper's");
  const side = (shape: readonly (number | string)[], index: number): number => Number(shape[index]);
  return {
    encoder: hearing,
    decoder: await InferenceSession.create(decoder, options),
    vocabulary: vocabularyOf(words, { suppressed, suppressedFirst }),
    ...{ layers: keys.length, heads: side(key.shape, 1), headWidth: side(key.shape, 3) },
    ...{ bands: side(mel.shape, 1), frames: side(mel.shape, 2) },
  };
}

async function transcribe(model: Loaded, samples: Float32Array): Promise<SpokenSegment[]> {
  const { vocabulary, bands, frames } = model;
  const mel = logMel(samples, { bands, frames });
  const heard = await model.encoder.run({ mel: new Tensor("float32", mel, [1, bands, frames]) });
  let past = nothingYet(model);
  let position = 0;
  const step = async (token: number): Promise<Float32Array> => {
    const { logits, ...kept } = await model.decoder.run({
      ...heard,
      ...past,
      token: new Tensor("int64", BigInt64Array.of(BigInt(token)), [1, 1]),
      position: new Tensor("int64", BigInt64Array.of(BigInt(position)), [1]),
    });
    position += 1;
    past = Object.fromEntries(Object.entries(kept).map(([name, value]) => [`past_${name}`, value]));
    return logits?.data as Float32Array;
  };
  let logits = await step(vocabulary.start);
  const isSilent = Math.exp(logProbabilityOf(logits, vocabulary.noSpeech)) > NO_SPEECH_MIN;
  const said: { token: number; logProbability: number }[] = [];
  while (said.length < TOKENS_MAX) {
    const next = nextToken(
      logits,
      said.map(({ token }) => token),
      vocabulary,
    );
    if (next.token === vocabulary.end) break;
    said.push(next);
    logits = await step(next.token);
  }
  const mean = said.reduce((sum, { logProbability }) => sum + logProbability, 0) / Math.max(1, said.length);
  const text = textOf(
    said.map(({ token }) => token),
    vocabulary,
  );
  if ((isSilent && mean < LOG_PROBABILITY_MIN) || isRepetition(text)) return [];
  return segmentsOf(said, vocabulary, samples.length / SAMPLE_RATE_HZ).map(({ logProbability, ...segment }) => ({
    ...segment,
    confidence: Math.exp(logProbability),
  }));
}

function nothingYet({ layers, heads, headWidth }: Loaded): Record<string, Tensor> {
  const empty = (): Tensor => new Tensor("float32", new Float32Array(0), [1, heads, 0, headWidth]);
  return Object.fromEntries(
    Array.from({ length: layers }, (_, layer) => [
      [`past_key_${layer}`, empty()],
      [`past_value_${layer}`, empty()],
    ]).flat() as [string, Tensor][],
  );
}

function isRepetition(text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length >= 12 && words.length / new Set(words).size > REPEATS_MAX;
}
