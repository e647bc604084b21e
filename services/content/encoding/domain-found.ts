import { languageName, languageOf, slug } from "./domain.ts";

export interface FoundText {
  /** Holds a part of the text's hash: segments are kept in caches under it. */
  readonly profile: string;
  readonly language: string;
  readonly label: string;
  /** The object that holds them as WebVTT. */
  readonly key: string;
}

/** A key ends with a part of its object's hash, which the track's name takes over. */
export function foundTextOf(of: {
  readonly key: string;
  readonly language: string;
  readonly isAutomatic: boolean;
}): FoundText {
  const language = languageOf(of.language);
  const hash = /([0-9a-f]{16})\.vtt$/.exec(of.key)?.[1] ?? "";
  const name = languageName(language);
  return {
    profile: `text-${slug(language)}-${hash}${of.isAutomatic ? "-auto" : ""}`,
    label: of.isAutomatic ? `${name} (automatic)` : name,
    ...{ language, key: of.key },
  };
}
