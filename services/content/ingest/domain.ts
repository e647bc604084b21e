import { basename, extname } from "node:path";

export type Preset = "quick" | "full";

export const presetOf = (text: string): Preset | null =>
  text === "" ? "full" : text === "quick" || text === "full" ? text : null;

/** A title that a person would give: the file's name without its ending, with spaces for dots and underscores. */
export function titleFromFile(path: string): string {
  const name = basename(path, extname(path)).replace(/[._]+/g, " ").replace(/\s+/g, " ").trim();
  return (name || "Untitled").slice(0, 200);
}

/** Where a source and the files beside it are kept. The ending helps nobody, so it is the same for all. */
export const sourceKey = (tenant: string, contentId: string): string => `sources/${tenant}/${contentId}/source`;
export const sidecarKey = (tenant: string, contentId: string, number: number, extension: string): string =>
  `sources/${tenant}/${contentId}/text-${number}${/^\.(srt|vtt|ass|ssa|ttml)$/.test(extension.toLowerCase()) ? extension.toLowerCase() : ".txt"}`;
export const sourceFolder = (tenant: string, contentId: string): string => `sources/${tenant}/${contentId}/`;

/** How much longer or shorter the same film may be in another encode: fingerprints beyond it are not even looked at. */
export const durationToleranceS = (durationS: number): number => Math.max(1, durationS * 0.02);
export const DUPLICATE_SIMILARITY_MIN = 0.8;

/** ISO 639 codes have two or three letters. `english` is well-formed in BCP 47 (RFC 5646) and names no language. */
const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$/;
export function isLanguage(text: string): boolean {
  if (!LANGUAGE.test(text)) return false;
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}

/** What people know are the files that they gave, not the objects that these became. */
export const nameFiles = (message: string, fileName: string, sidecars: readonly string[]): string =>
  message
    .replaceAll(/'(?:[^\s']*\/)?source'/g, () => `'${fileName}'`)
    .replaceAll(/'(?:[^\s']*\/)?text-(\d+)\.\w+'/g, (whole, number: string) => {
      const name = sidecars[Number(number) - 1];
      return name === undefined ? whole : `'${name}'`;
    });

/** What an operator asked for with a file. */
export interface Wishes {
  readonly title: string;
  readonly subtitles: readonly { readonly path: string; readonly language: string }[];
  /** Members of a catalogue title, as the caller gave them. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly allowDuplicate: boolean;
  readonly publish: boolean;
}
