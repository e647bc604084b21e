/** What an XMLTV document says. Texts are trimmed, their white space is one space; nothing in them is markup. */
export interface LocalText {
  readonly text: string;
  /** BCP 47 as far as the document obeys it; empty where it did not say. */
  readonly language: string;
}

export interface Icon {
  readonly url: string;
  readonly widthPx: number | null;
  readonly heightPx: number | null;
}

export interface Channel {
  readonly id: string;
  /** The most common name first; a number may be among them. */
  readonly names: readonly LocalText[];
  readonly icons: readonly Icon[];
  readonly urls: readonly string[];
}

export interface Credit {
  readonly name: string;
  /** The element's name: director, actor, writer, adapter, producer, composer, editor, presenter, commentator, guest. */
  readonly role: string;
  /** Whom an actor plays. */
  readonly character: string;
}

export interface Rating {
  readonly system: string;
  readonly value: string;
}

/** One `episode-num` as it was written. */
export interface EpisodeNumber {
  readonly system: string;
  readonly text: string;
}

export interface Image {
  readonly url: string;
  /** poster, backdrop, still, person, character. */
  readonly type: string;
}

export interface Programme {
  readonly channelId: string;
  readonly startMs: number;
  /** Null where the document names none. It may be equal to the start; never before it. */
  readonly stopMs: number | null;
  /** The place among programmes that share a slot, and how many they are. */
  readonly clump: { readonly index: number; readonly count: number };
  readonly titles: readonly LocalText[];
  readonly subtitles: readonly LocalText[];
  readonly descriptions: readonly LocalText[];
  readonly credits: readonly Credit[];
  /** When it was made, as written: a year at least, where it is one at all. */
  readonly date: string;
  readonly categories: readonly LocalText[];
  readonly keywords: readonly LocalText[];
  readonly languages: readonly string[];
  readonly originalLanguage: string;
  /** Without advertisements; null where not said. */
  readonly lengthS: number | null;
  readonly icons: readonly Icon[];
  readonly images: readonly Image[];
  readonly urls: readonly string[];
  readonly countries: readonly string[];
  readonly episodeNumbers: readonly EpisodeNumber[];
  readonly isNew: boolean;
  readonly isPremiere: boolean;
  readonly isLastChance: boolean;
  readonly isPreviouslyShown: boolean;
  /** When it was shown before, where that was said and can be read. */
  readonly previousStartMs: number | null;
  readonly ratings: readonly Rating[];
  readonly starRatings: readonly Rating[];
  readonly subtitleTypes: readonly string[];
  readonly aspect: string;
  readonly quality: string;
  readonly stereo: string;
}

/** What was not as it should be and did not end the reading. */
export type FindingCode =
  | "encoding_broken"
  | "encoding_mismatch"
  | "xml_mended"
  | "channel_without_id"
  | "channel_repeated"
  | "programme_without_channel"
  | "programme_without_title"
  | "time_missing"
  | "time_unreadable"
  | "zone_unknown"
  | "duration_negative"
  | "text_shortened"
  | "list_shortened";
