/** One spoken line: from, until (seconds) and its words. */
export interface Cue {
  readonly fromS: number;
  readonly untilS: number;
  readonly text: string;
}

export type Narration = Readonly<Record<string, readonly Cue[]>>;

const LINE_S = 4.6;

/** Lays the lines of every language on the same moments. */
export function narrate(startsS: readonly number[], lines: Readonly<Record<string, readonly string[]>>): Narration {
  const languages = Object.entries(lines).map(([language, texts]) => [
    language,
    texts.map((text, index) => ({ fromS: startsS[index] ?? 0, untilS: (startsS[index] ?? 0) + LINE_S, text })),
  ]);
  return Object.fromEntries(languages) as Narration;
}

/** A WebVTT file (W3C WebVTT, 4.1). */
export function toWebVtt(cues: readonly Cue[]): string {
  const blocks = cues.map(
    (cue, index) => `${index + 1}\n${timestamp(cue.fromS)} --> ${timestamp(cue.untilS)}\n${cue.text}\n`,
  );
  return `WEBVTT\n\n${blocks.join("\n")}`;
}

function timestamp(seconds: number): string {
  const whole = Math.floor(seconds);
  const part = (value: number): string => String(value).padStart(2, "0");
  const milliseconds = String(Math.round((seconds - whole) * 1000)).padStart(3, "0");
  return `${part(Math.floor(whole / 3600))}:${part(Math.floor(whole / 60) % 60)}:${part(whole % 60)}.${milliseconds}`;
}
