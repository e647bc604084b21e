import { problem } from "#kernel/errors";

/** In the order in which they are done, one at a time. */
export const STEPS = [
  "scenes",
  "loudness",
  "fingerprint",
  "thumbnails",
  "embedding",
  "subtitles",
  "moderation",
  "text",
] as const;
export type StepName = (typeof STEPS)[number];
export type StepState = "waiting" | "running" | "done" | "skipped" | "failed";

export const isStep = (text: string): text is StepName => (STEPS as readonly string[]).includes(text);

/** The first step goes first, of whichever title. */
export const priorityOf = (step: StepName): number => STEPS.length - STEPS.indexOf(step);

/** What is made from what others heard is made again when they hear anew. */
export const FOLLOWERS: Readonly<Partial<Record<StepName, readonly StepName[]>>> = {
  subtitles: ["moderation", "text"],
};

/** What makes a result, and how sure it is. */
export interface Maker {
  readonly model: string;
  readonly version: string;
  readonly confidence: number;
}

/** What a step comes to. One that is skipped says why and may be asked for again. */
export type Outcome =
  | { readonly state: "done"; readonly by: Maker; readonly value: unknown }
  | { readonly state: "skipped"; readonly reason: string; readonly message: string };

export const skipped = (reason: string, message: string): Outcome => ({ state: "skipped", reason, message });

export interface Chapter {
  readonly startS: number;
  readonly title: string;
}

/** One of a title's best frames, as others show it. */
export interface Picture {
  readonly key: string;
  readonly width: number;
  readonly height: number;
  /** What fills its place until it is there: its dominant colour, and a few blurred pixels. */
  readonly color: string;
  readonly blurDataUrl: string;
}

export interface Cue {
  readonly startS: number;
  readonly endS: number;
  readonly text: string;
  /** 0 to 1; 1 where a person wrote it. */
  readonly confidence: number;
}

export interface Subtitles {
  readonly language: string;
  readonly cues: readonly Cue[];
}

/** What people may say about a title, and in place of which step's member it stands. */
export const CORRECTIONS = {
  chapters: { step: "scenes", member: "chapters" },
  subtitles: { step: "subtitles", member: undefined },
  thumbnails: { step: "thumbnails", member: "pictures" },
  tags: { step: "text", member: "tags" },
  summary: { step: "text", member: "summary" },
} as const satisfies Readonly<Record<string, { readonly step: StepName; readonly member: string | undefined }>>;
export type Correctable = keyof typeof CORRECTIONS;
export const isCorrectable = (text: string): text is Correctable => Object.hasOwn(CORRECTIONS, text);

const CHAPTERS_MAX = 200;
const CHAPTER_TITLE_MAX = 120;
const CUES_MAX = 20_000;
const CUE_MAX = 1_000;
const TAGS_MAX = 30;
const TAG_MAX = 60;
const SUMMARY_MAX = 2_000;
const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;

/** What a correction is checked against. */
interface Known {
  readonly durationS: number;
  /** What the step has found. */
  readonly made: unknown;
}

/** A person's words, checked; the error names what is wrong and what would be right. */
export function correctionOf(what: Correctable, json: string, { durationS, made }: Known): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw problem.invalid(`${what} is not JSON`);
  }
  if (json.includes("\\u0000")) throw problem.invalid(`${what} holds a null character`);
  switch (what) {
    case "chapters":
      return chaptersIn(value, durationS);
    case "subtitles":
      return subtitlesIn(value, durationS);
    case "thumbnails":
      return picturesIn(value, made);
    case "tags":
      return wordsIn(value);
    case "summary":
      if (typeof value !== "string" || value.length > SUMMARY_MAX)
        throw problem.invalid(`summary must be a text of at most ${SUMMARY_MAX} characters`);
      return value.trim();
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function chaptersIn(value: unknown, durationS: number): Chapter[] {
  if (!Array.isArray(value) || value.length > CHAPTERS_MAX)
    throw problem.invalid(`chapters must be a list of at most ${CHAPTERS_MAX}`);
  return value.map((each: unknown, index) => {
    const before = index === 0 ? -1 : (value[index - 1] as Chapter).startS;
    if (!isRecord(each) || typeof each["startS"] !== "number" || typeof each["title"] !== "string")
      throw problem.invalid(`chapter ${index + 1} is not of the form {"startS": 0, "title": "…"}`);
    const { startS, title } = each as { startS: number; title: string };
    if (!(startS >= 0 && startS < durationS && startS > before))
      throw problem.invalid(`chapter ${index + 1} starts at ${startS} s: starts rise from 0 to ${durationS}`);
    if (title.length > CHAPTER_TITLE_MAX)
      throw problem.invalid(`chapter ${index + 1} has a title of more than ${CHAPTER_TITLE_MAX} characters`);
    return { startS, title: title.trim() };
  });
}

function subtitlesIn(value: unknown, durationS: number): Subtitles {
  if (!isRecord(value) || typeof value["language"] !== "string" || !LANGUAGE.test(value["language"]))
    throw problem.invalid(`subtitles need a language tag such as en or pt-BR`);
  const cues = value["cues"];
  if (!Array.isArray(cues) || cues.length > CUES_MAX)
    throw problem.invalid(`subtitles must have a list of at most ${CUES_MAX} cues`);
  return {
    language: value["language"],
    cues: cues.map((each: unknown, index) => {
      if (!isRecord(each) || typeof each["text"] !== "string")
        throw problem.invalid(`cue ${index + 1} is not of the form {"startS": 0, "endS": 2, "text": "…"}`);
      const { startS, endS, text } = each as { startS: number; endS: number; text: string };
      if (!(startS >= 0 && endS > startS && startS <= durationS))
        throw problem.invalid(`cue ${index + 1} lasts from ${startS} to ${endS} s: the title has ${durationS}`);
      if (text.trim() === "" || text.length > CUE_MAX)
        throw problem.invalid(`cue ${index + 1} must have 1 to ${CUE_MAX} characters`);
      return { startS, endS, text: text.trim(), confidence: 1 };
    }),
  };
}

/** Those of the frames that were found which a person wants to be shown, the best first. */
function picturesIn(value: unknown, made: unknown): Picture[] {
  const found = ((isRecord(made) ? made["pictures"] : undefined) ?? []) as readonly Picture[];
  if (!Array.isArray(value) || value.length > found.length)
    throw problem.invalid(`thumbnails must be a list of keys, of at most the ${found.length} that were found`);
  return [...new Set(value as readonly unknown[])].map((key) => {
    const picture = found.find((each) => each.key === key);
    if (!picture) throw problem.invalid(`'${String(key).slice(0, 120)}' is none of the frames that were found`);
    return picture;
  });
}

function wordsIn(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > TAGS_MAX)
    throw problem.invalid(`tags must be a list of at most ${TAGS_MAX}`);
  const tags = value.map((each: unknown) => {
    if (typeof each !== "string" || each.trim() === "" || each.length > TAG_MAX)
      throw problem.invalid(`a tag must be a word of at most ${TAG_MAX} characters`);
    return each.trim();
  });
  return [...new Set(tags)];
}

/** A step's result with a person's words in place of the model's. */
export function effective(
  step: StepName,
  value: unknown,
  corrections: ReadonlyMap<Correctable, unknown>,
): { readonly value: unknown; readonly corrected: boolean } {
  let result = value;
  let corrected = false;
  for (const [what, said] of corrections) {
    const { step: of, member } = CORRECTIONS[what];
    if (of !== step) continue;
    corrected = true;
    result = {
      ...(isRecord(result) ? result : {}),
      ...(member === undefined && isRecord(said) ? said : { [member ?? "value"]: said }),
    };
  }
  return { value: result, corrected };
}
