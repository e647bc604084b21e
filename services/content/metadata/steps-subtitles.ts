import { open } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "#kernel";
import { SPEECH_HZ } from "#kernel/ports/asr";
import type { Stretch } from "#kernel/ports/transcoder";
import { type Cue, skipped } from "./domain.ts";
import { CONTEXT_SAMPLES, cuesOf, languageOf, piecesOf, speechOf, WINDOW_SAMPLES } from "./domain-speech.ts";
import { type Detector, openDetector } from "./detect.ts";
import type { Doing, Parts, Perform } from "./parts.ts";

const SAMPLE_BYTES = 2;
/** Read at once: a minute. */
const READ_SAMPLES = 60 * SPEECH_HZ;
const DETECT_SHARE = 0.3;
const UNKNOWN = new Set(["", "und", "mul", "zxx"]);

/** Drafts: where somebody speaks, and what the recogniser makes of it. A person's subtitles win over them. */
export const draftSubtitles: Perform = async (parts, doing) => {
  const { title, isAsked } = doing;
  const { audio, text } = title.source;
  const track = audio.find(({ isDefault }) => isDefault) ?? audio[0];
  if (!track) return { outcome: skipped("no_sound", "the film has no sound") };
  const spoken = UNKNOWN.has(track.language) ? "" : track.language;
  const written = [...text, ...title.sidecars].map(({ language }) => language);
  if (!isAsked && written.some((language) => spoken === "" || language.split("-")[0] === spoken))
    return {
      outcome: skipped(
        "has_subtitles",
        "the film brings subtitles of its own language; ask for this step to draft some all the same",
      ),
    };
  const about = await parts.asr.about();
  const hearing = await openDetector(parts, "speech");
  if (!about || !hearing)
    return { outcome: skipped("no_model", "no model for speech is here: ./marquee model pull asr speech") };
  if (spoken !== "" && about.languages.length > 0 && !about.languages.includes(spoken))
    return {
      outcome: skipped(
        "language_unknown",
        `${about.model} knows ${about.languages.join(", ")}; the film speaks '${spoken}'`,
      ),
    };
  const out = join(doing.folder, "speech.raw");
  await parts.transcoder.speech(doing.path, title.source, track.index, out, doing.signal);
  const sound = await openSound(out);
  try {
    const speech = await findSpeech(hearing, sound, doing);
    const heard = await transcribe(parts, sound, piecesOf(speech), { ...doing, language: spoken });
    const cues = cuesOf(heard.cues, title.durationS);
    const looksLike = languageOf(cues.map((cue) => cue.text).join(" "));
    const language = spoken || heard.language || looksLike || "und";
    return {
      outcome: {
        state: "done",
        by: { model: about.model, version: about.version, confidence: meanConfidence(cues) },
        value: {
          ...{ language, isDraft: true, cues },
          // What another language's model makes of a film is words of its own language, with little confidence.
          languageDoubted: looksLike !== undefined && looksLike !== language.split("-")[0],
          speechS: speech.reduce((sum, { startS, endS }) => sum + endS - startS, 0),
        },
      },
    };
  } finally {
    await sound.close();
    await hearing.close();
    await parts.asr.rest();
  }
};

const meanConfidence = (cues: readonly Cue[]): number => {
  const letters = cues.reduce((sum, { text }) => sum + text.length, 0);
  return letters === 0 ? 0 : cues.reduce((sum, { text, confidence }) => sum + confidence * text.length, 0) / letters;
};

interface Sound {
  readonly samples: number;
  read(from: number, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

async function openSound(path: string): Promise<Sound> {
  const file = await open(path, "r");
  const { size } = await file.stat();
  return {
    samples: Math.floor(size / SAMPLE_BYTES),
    async read(from, count) {
      const bytes = Buffer.alloc(count * SAMPLE_BYTES);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, from * SAMPLE_BYTES);
      return Float32Array.from(
        { length: Math.floor(bytesRead / SAMPLE_BYTES) },
        (_, index) => bytes.readInt16LE(index * SAMPLE_BYTES) / 32_768,
      );
    },
    close: () => file.close(),
  };
}

async function findSpeech(detector: Detector, sound: Sound, { signal, progress }: Doing): Promise<Stretch[]> {
  const likelihoods: number[] = [];
  let state: readonly number[] = new Array<number>(2 * 128).fill(0);
  let context = new Float32Array(CONTEXT_SAMPLES);
  for (let from = 0; from < sound.samples; from += READ_SAMPLES) {
    const part = await sound.read(from, READ_SAMPLES);
    for (let at = 0; at + WINDOW_SAMPLES <= part.length; at += WINDOW_SAMPLES) {
      signal.throwIfAborted();
      const window = part.subarray(at, at + WINDOW_SAMPLES);
      const { output, stateN } = await detector.ask([
        {
          name: "input",
          shape: [1, CONTEXT_SAMPLES + WINDOW_SAMPLES],
          datatype: "FP32",
          data: [...context, ...window],
        },
        { name: "state", shape: [2, 1, 128], datatype: "FP32", data: state },
        { name: "sr", shape: [1], datatype: "INT64", data: [SPEECH_HZ] },
      ]);
      likelihoods.push(output?.[0] ?? 0);
      state = stateN ?? state;
      context = window.slice(-CONTEXT_SAMPLES);
    }
    progress((DETECT_SHARE * Math.min(sound.samples, from + READ_SAMPLES)) / sound.samples);
  }
  return speechOf(likelihoods, sound.samples / SPEECH_HZ);
}

async function transcribe(
  parts: Parts,
  sound: Sound,
  pieces: readonly Stretch[],
  { signal, progress, language }: Doing & { readonly language: string },
): Promise<{ readonly language: string; readonly cues: Cue[] }> {
  const cues: Cue[] = [];
  const languages = new Map<string, number>();
  for (const [index, { startS, endS }] of pieces.entries()) {
    signal.throwIfAborted();
    const from = Math.floor(startS * SPEECH_HZ);
    const samples = await sound.read(from, Math.floor((endS - startS) * SPEECH_HZ));
    if (samples.length === 0) throw problem.internal("the sound is shorter than it was");
    const heard = await parts.asr.transcribe({ samples, language }, signal);
    for (const segment of heard.segments)
      cues.push({ ...segment, startS: startS + segment.startS, endS: startS + segment.endS });
    if (heard.segments.length > 0) languages.set(heard.language, (languages.get(heard.language) ?? 0) + 1);
    progress(DETECT_SHARE + ((1 - DETECT_SHARE) * (index + 1)) / pieces.length);
  }
  const [most] = [...languages].sort(([, a], [, b]) => b - a);
  return { language: most?.[0] ?? "", cues };
}
