/**
 * Numbers of episodes (xmltv.dtd, `episode-num`):
 *
 *   xmltv_ns   = part "." part "." part        season, episode, part of an episode; all counted from 0
 *   part       = [ number [ "/" count ] ]
 *   dd_progid  = ("EP"|"SH"|"MV"|"SP") 8DIGIT [ "." ] 4DIGIT      series and episode of Gracenote
 *   onscreen   = whatever a screen shows, such as S01E05, 1x05 or "Episode 5"
 */
import type { EpisodeNumber } from "./model.ts";

/** Counted from 1; null where it was not said. */
export interface Numbering {
  readonly season: number | null;
  readonly episode: number | null;
  readonly part: number | null;
  readonly seasons: number | null;
  readonly episodes: number | null;
  readonly parts: number | null;
}

export interface ProgramId {
  /** EP, SH, MV or SP: an episode, a show as such, a film, a sports event. */
  readonly kind: string;
  /** What all episodes have in common. */
  readonly series: string;
  /** 0000 stands for no episode in particular. */
  readonly episode: string;
}

const NUMBER_MAX = 99_999;
const PART = /^(\d{1,8})?(?:\/(\d{1,8}))?$/;

export function parseXmltvNs(text: string): Numbering | null {
  const parts = text.replace(/\s+/g, "").split(".");
  if (parts.length < 2 || parts.length > 3) return null;
  const read = parts.map((part) => PART.exec(part));
  if (read.some((part) => part === null)) return null;
  const [season, episode, part] = read.map((one) => numberOf(one?.[1], 1));
  const [seasons, episodes, parts3] = read.map((one) => numberOf(one?.[2], 0));
  const numbering = { season, episode, part, seasons, episodes, parts: parts3 };
  const all = Object.fromEntries(Object.entries(numbering).map(([key, value]) => [key, value ?? null]));
  return Object.values(all).every((value) => value === null) ? null : (all as unknown as Numbering);
}

function numberOf(digits: string | undefined, countedFrom: number): number | null {
  if (digits === undefined) return null;
  const number = Number(digits) + countedFrom;
  return number <= NUMBER_MAX && number > 0 ? number : null;
}

const ONSCREEN = [
  /\bs(?:eason|eries|taffel)?\s*\.?\s*(?<season>\d{1,4})\s*[,.:-]?\s*(?:e|ep|episode|folge)\s*\.?\s*(?<episode>\d{1,5})/i,
  /\b(?<season>\d{1,3})\s*x\s*(?<episode>\d{1,4})\b/i,
  /\b(?:e|ep|episode|folge)\s*\.?\s*(?<episode>\d{1,5})(?:\s*(?:\/|of|von)\s*(?<episodes>\d{1,5}))?/i,
  /^\s*(?<episode>\d{1,5})\s*\/\s*(?<episodes>\d{1,5})\s*$/,
] as const;

export function parseOnscreen(text: string): Numbering | null {
  for (const pattern of ONSCREEN) {
    const groups = pattern.exec(text)?.groups;
    if (!groups) continue;
    const { season, episode, episodes } = groups;
    return {
      ...{ season: numberOf(season, 0), episode: numberOf(episode, 0), part: null },
      ...{ seasons: null, episodes: numberOf(episodes, 0), parts: null },
    };
  }
  return null;
}

const PROGRAM_ID = /^(EP|SH|MV|SP)(\d{8})\.?(\d{4})$/;

export function parseProgramId(text: string): ProgramId | null {
  const [, kind, digits, episode] = PROGRAM_ID.exec(text.trim().toUpperCase()) ?? [];
  return kind === undefined || digits === undefined || episode === undefined
    ? null
    : { kind, series: `${kind}${digits}`, episode };
}

/** What the numbers of a programme say together: `xmltv_ns` before what a screen shows, and each fills what the other leaves open. */
export function numberingOf(numbers: readonly EpisodeNumber[]): Numbering | null {
  const inOrder = [
    ...numbers.filter(({ system }) => system === "xmltv_ns").map(({ text }) => parseXmltvNs(text)),
    ...numbers.filter(({ system }) => system === "onscreen" || system === "").map(({ text }) => parseOnscreen(text)),
  ].filter((one) => one !== null);
  const [first] = inOrder;
  if (!first) return null;
  return inOrder.reduce<Numbering>(
    (all, one) => ({
      season: all.season ?? one.season,
      episode: all.episode ?? one.episode,
      part: all.part ?? one.part,
      seasons: all.seasons ?? one.seasons,
      episodes: all.episodes ?? one.episodes,
      parts: all.parts ?? one.parts,
    }),
    first,
  );
}
