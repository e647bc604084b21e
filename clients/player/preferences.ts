/** What a viewer chose once and should not have to choose again. Kept by the browser, validated when read. */

export interface Preferences {
  /** Null: the title's own. */
  audioLanguage: string | null;
  /** Null: no subtitles. */
  subtitleLanguage: string | null;
  volume: number;
  muted: boolean;
}

const KEY = "marquee.player";
const defaults: Preferences = { audioLanguage: null, subtitleLanguage: null, volume: 1, muted: false };

/** Anything that is not what we wrote is what we would have written first. */
export function parsePreferences(text: string | null): Preferences {
  let value: unknown;
  try {
    value = text === null ? null : JSON.parse(text);
  } catch {
    return defaults;
  }
  if (typeof value !== "object" || value === null) return defaults;
  const member = (key: string): unknown => Reflect.get(value, key);
  const language = (key: string) => {
    const tag = member(key);
    return typeof tag === "string" && tag.length <= 35 ? tag : null;
  };
  const volume = member("volume");
  return {
    audioLanguage: language("audioLanguage"),
    subtitleLanguage: language("subtitleLanguage"),
    volume: typeof volume === "number" && volume >= 0 && volume <= 1 ? volume : 1,
    muted: member("muted") === true,
  };
}

export function loadPreferences(): Preferences {
  try {
    return parsePreferences(localStorage.getItem(KEY));
  } catch {
    return defaults;
  }
}

export function savePreferences(change: Partial<Preferences>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...loadPreferences(), ...change }));
  } catch {
    // Storage is refused: the choice holds for this film, which is all that can be had.
  }
}
