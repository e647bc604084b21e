/** What a title's steps came to, read from their JSON. What is not of the expected form counts as nothing. Pure. */
import type { EnrichedTitle, Step } from "../api.ts";

export interface Chapter {
  readonly startS: number;
  readonly title: string;
}
export interface Cue {
  readonly startS: number;
  readonly endS: number;
  readonly text: string;
  readonly confidence: number;
}
export interface Picture {
  readonly key: string;
  readonly timeS: number;
  readonly score: number;
  readonly faces: number | null;
}
/** A value with whether a person said it. */
export interface Said<T> {
  readonly value: T;
  readonly corrected: boolean;
}

export const stepOf = (title: EnrichedTitle | undefined, name: string): Step | undefined =>
  title?.steps.find((step) => step.name === name);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];
const numberIn = (record: Readonly<Record<string, unknown>>, name: string): number =>
  typeof record[name] === "number" ? record[name] : 0;
const textIn = (record: Readonly<Record<string, unknown>>, name: string): string =>
  typeof record[name] === "string" ? record[name] : "";

function valueOf(step: Step | undefined): Readonly<Record<string, unknown>> | undefined {
  if (step === undefined || step.valueJson === "") return undefined;
  try {
    const value: unknown = JSON.parse(step.valueJson);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function said<T>(
  title: EnrichedTitle | undefined,
  name: string,
  read: (value: Readonly<Record<string, unknown>>) => T,
): Said<T> | undefined {
  const step = stepOf(title, name);
  const value = valueOf(step);
  return step && value && { value: read(value), corrected: step.corrected };
}

export const chaptersIn = (title: EnrichedTitle | undefined): Said<readonly Chapter[]> | undefined =>
  said(title, "scenes", (value) =>
    listOf(value["chapters"]).map((each) => ({ startS: numberIn(each, "startS"), title: textIn(each, "title") })),
  );

export interface Subtitles {
  readonly language: string;
  readonly cues: readonly Cue[];
}

export const subtitlesIn = (title: EnrichedTitle | undefined): Said<Subtitles> | undefined =>
  said(title, "subtitles", (value) => ({
    language: textIn(value, "language"),
    cues: listOf(value["cues"]).map((each) => ({
      ...{ startS: numberIn(each, "startS"), endS: numberIn(each, "endS"), text: textIn(each, "text") },
      confidence: numberIn(each, "confidence"),
    })),
  }));

export interface Words {
  readonly tags: readonly string[];
  readonly summary: string;
}

export const wordsIn = (title: EnrichedTitle | undefined): Said<Words> | undefined =>
  said(title, "text", (value) => ({
    tags: Array.isArray(value["tags"]) ? value["tags"].filter((tag) => typeof tag === "string") : [],
    summary: textIn(value, "summary"),
  }));

export const framesIn = (title: EnrichedTitle | undefined): Said<readonly Picture[]> | undefined =>
  said(title, "thumbnails", (value) =>
    listOf(value["pictures"]).map((each) => ({
      key: textIn(each, "key"),
      ...{ timeS: numberIn(each, "timeS"), score: numberIn(each, "score") },
      faces: typeof each["faces"] === "number" ? each["faces"] : null,
    })),
  );

/** What moderation looked for, and why not for the rest; undefined where it has not ended. */
export interface Looked {
  readonly looked: readonly string[];
  readonly notLooked: readonly { readonly names: readonly string[]; readonly reason: string }[];
}

const LOOKS: Readonly<Record<string, string>> = { threats: "violent words" };
const lookName = (kind: string): string => LOOKS[kind] ?? kind;

export function lookedIn(step: Step | undefined): Looked | undefined {
  const value = valueOf(step);
  const looked = value?.["looked"];
  if (!value || !isRecord(looked)) return undefined;
  const reasons = isRecord(value["notLooked"]) ? value["notLooked"] : {};
  const kinds = (is: boolean): readonly string[] => Object.keys(looked).filter((kind) => looked[kind] === is);
  const notLooked = Map.groupBy(kinds(false), (kind) => textIn(reasons, kind));
  return {
    looked: kinds(true).map(lookName),
    notLooked: [...notLooked].map(([reason, missing]) => ({ names: missing.map(lookName), reason })),
  };
}

/** What can be corrected of a title, as it stands now; undefined where there is nothing yet. */
export function currentOf(title: EnrichedTitle | undefined, what: string): unknown {
  switch (what) {
    case "chapters":
      return chaptersIn(title)?.value;
    case "subtitles":
      return subtitlesIn(title)?.value;
    case "thumbnails":
      return framesIn(title)?.value.map(({ key }) => key);
    case "tags":
      return wordsIn(title)?.value.tags;
    case "summary":
      return wordsIn(title)?.value.summary;
    default:
      return undefined;
  }
}

/** What a person says who takes none of it. */
export function noneOf(title: EnrichedTitle | undefined, what: string): unknown {
  switch (what) {
    case "subtitles":
      return { language: subtitlesIn(title)?.value.language || "en", cues: [] };
    case "summary":
      return "";
    default:
      return [];
  }
}
