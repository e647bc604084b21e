import { z } from "zod";
import { problem } from "#kernel/errors";
import { type Asr, SPEECH_HZ } from "#kernel/ports/asr";
import { openOpenAiApi } from "../shared/openai-api.ts";

export interface OpenAiAsrOptions {
  /** Up to and including the version: `https://speech.example.org/v1`. */
  readonly url: string;
  readonly model: string;
  readonly key?: string;
}

const TIMEOUT_MS = 120_000;
const BYTES_MAX = 4 * 1024 * 1024;
const SEGMENTS_MAX = 1_000;
/** What a server that gives no figure is taken to be sure of. */
const CONFIDENCE_UNKNOWN = 0.5;

const Transcription = z.object({
  text: z.string(),
  language: z.string().optional(),
  segments: z
    .array(z.object({ start: z.number(), end: z.number(), text: z.string(), avg_logprob: z.number().optional() }))
    .max(SEGMENTS_MAX)
    .optional(),
});

/** A recogniser behind the transcriptions of OpenAI's API, as vLLM, whisper.cpp's server, faster-whisper's and gateways to others have them, too. */
export function openOpenAiAsr({ url, model, key }: OpenAiAsrOptions): Asr {
  const at = `the speech recogniser at ${new URL(url).host}`;
  const api = openOpenAiApi({ url, key, at, variables: "MARQUEE_ASR", timeoutMs: TIMEOUT_MS, bytesMax: BYTES_MAX });
  return {
    about: async () => ({ model, version: "remote", languages: [] }),
    async transcribe({ samples, language }, signal) {
      signal.throwIfAborted();
      const form = new FormData();
      form.set("file", new Blob([wav(samples)], { type: "audio/wav" }), "speech.wav");
      form.set("model", model);
      form.set("response_format", "verbose_json");
      form.set("temperature", "0");
      if (language !== "") form.set("language", language);
      const answer = await api.post("/audio/transcriptions", form, signal).catch((error: unknown) => {
        // Whoever stopped us knows why.
        signal.throwIfAborted();
        throw error;
      });
      const said = Transcription.safeParse(answer);
      if (!said.success) throw problem.unavailable(`${at} answers with something that is no transcription`);
      const lengthS = samples.length / SPEECH_HZ;
      const { text, segments = [{ start: 0, end: lengthS, text }] } = said.data;
      return {
        language: said.data.language?.slice(0, 40) ?? language,
        segments: segments
          .map((segment) => ({
            startS: Math.min(lengthS, Math.max(0, segment.start)),
            endS: Math.min(lengthS, Math.max(0, segment.end)),
            text: segment.text.trim(),
            confidence: "avg_logprob" in segment ? confidenceOf(segment.avg_logprob) : CONFIDENCE_UNKNOWN,
          }))
          .filter(({ startS, endS, text: words }) => words !== "" && endS > startS),
      };
    },
    rest: async () => {},
    state: async () => ({ ok: true, detail: at }),
    close: async () => {},
  };
}

const confidenceOf = (logProbability: number | undefined): number =>
  logProbability === undefined ? CONFIDENCE_UNKNOWN : Math.min(1, Math.exp(logProbability));

/** RIFF WAVE with 16 bits a sample: what every server reads. */
function wav(samples: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const word = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at);
  word(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SPEECH_HZ, true);
  view.setUint32(28, SPEECH_HZ * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, samples.length * 2, true);
  for (const [index, sample] of samples.entries())
    view.setInt16(44 + index * 2, Math.round(Math.min(1, Math.max(-1, sample)) * 32_767), true);
  return bytes;
}
