import { basename, extname } from "node:path";

export type Preset = "quick" | "full";

export const presetOf = (text: string): Preset | null => (text === "" ? "full" : text === "quick" || text === "full" ? text : null);

/** A title that a person would give: the file's name without its ending, with spaces for dots and underscores. */
export function titleFromFile(path: string): string {
  const name = basename(path, extname(path))
    .replace(/[._]+/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return (name || "Untitled").slice(0, 200);
}

/** Where a source and the files beside it are kept. The ending helps nobody, so it is the same for all. */
export const sourceKey = (tenant: string, contentId: string): string => `sources/${tenant}/${contentId}/source`;
export const sidecarKey = (tenant: string, contentId: string, number: number, extension: string): string =>
  `sources/${tenant}/${contentId}/text-${number}${/^\.(srt|vtt|ass|ssa|ttml)$/.test(extension.toLowerCase()) ? extension.toLowerCase() : ".txt"}`;
export const sourceFolder = (tenant: string, contentId: string): string => `sources/${tenant}/${contentId}/`;

/** Two films are the same when their lengths are close and most of their frames look alike. */
export const DURATION_TOLERANCE_S = 3;
export const DUPLICATE_SIMILARITY_MIN = 0.9;

const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/;
export const isLanguage = (text: string): boolean => LANGUAGE.test(text);

/** What an operator asked for with a file. */
export interface Wishes {
  readonly title: string;
  readonly subtitles: readonly { readonly path: string; readonly language: string }[];
  /** Members of a catalogue title, as the caller gave them. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly allowDuplicate: boolean;
  readonly publish: boolean;
}

/** The share of frames that look alike, 0 to 1: hashes of equal position that differ in a few bits at most. */
export function similarity(a: readonly string[], b: readonly string[]): number {
  const pairs = Math.min(a.length, b.length);
  if (pairs === 0) return 0;
  let alike = 0;
  for (let i = 0; i < pairs; i++) if (distance(a[i] ?? "", b[i] ?? "") <= ALIKE_BITS_MAX) alike++;
  return alike / Math.max(a.length, b.length);
}

const ALIKE_BITS_MAX = 10;

function distance(a: string, b: string): number {
  let different = BigInt(`0x${a || "0"}`) ^ BigInt(`0x${b || "0"}`);
  let bits = 0;
  while (different > 0n) {
    bits += Number(different & 1n);
    different >>= 1n;
  }
  return bits;
}
