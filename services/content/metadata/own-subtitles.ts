import { toProblem } from "#kernel";
import { FormatError } from "#media/format";
import { parseWebvtt, plainText } from "#media/webvtt";
import type { Subtitles } from "./domain.ts";
import type { Doing, Parts } from "./parts.ts";

const CUES_MAX = 20_000;

/** The subtitles that came with the film, the first that can be read; whoever wrote them is sure of them. */
export async function ownSubtitles(parts: Parts, { title, path, signal }: Doing): Promise<Subtitles | undefined> {
  const { source, sidecars } = title;
  for (const { key, language } of sidecars) {
    const text = await parts.objects.withFile(key, (file) =>
      parts.transcoder.extractText(path, source, { file }, signal).catch(unreadable),
    );
    const found = subtitlesIn(text, language);
    if (found) return found;
  }
  for (const { index, language, isForced } of source.text) {
    if (isForced) continue;
    const text = await parts.transcoder.extractText(path, source, { streamIndex: index }, signal).catch(unreadable);
    const found = subtitlesIn(text, language);
    if (found) return found;
  }
  return undefined;
}

function unreadable(error: unknown): string {
  if (toProblem(error).code !== "unsupported_media") throw error;
  return "";
}

function subtitlesIn(text: string, language: string): Subtitles | undefined {
  if (text === "") return undefined;
  try {
    const { cues } = parseWebvtt(text, { lenient: true });
    if (cues.length === 0) return undefined;
    return {
      language,
      cues: cues.slice(0, CUES_MAX).map((cue) => ({
        ...{ startS: cue.startMs / 1_000, endS: cue.endMs / 1_000, text: plainText(cue.text), confidence: 1 },
      })),
    };
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
