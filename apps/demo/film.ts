import type { Music } from "./music.ts";
import type { Narration } from "./narration.ts";
import type { Scene } from "./scenes.ts";

/** The product's own cinema: eight titles made of mathematics, for a first start without any film at hand. */
export interface DemoFilm {
  readonly id: string;
  readonly kind: "film" | "series";
  readonly title: string;
  readonly synopsis: string;
  readonly tagline: string;
  readonly genres: readonly string[];
  readonly credits: readonly Credit[];
  readonly year: number;
  /** The lowest age that it suits, as FSK and others rate. */
  readonly ageRating: 0 | 6 | 12 | 16;
  readonly originalLanguage: string;
  /** The line under the title on its card. */
  readonly byline: string;
  readonly rate: 24 | 25 | 30;
  /** One for a film, one an episode for a series. */
  readonly reels: readonly Reel[];
}

export interface Credit {
  readonly role: "director" | "writer" | "composer" | "narrator" | "cast";
  readonly name: string;
  readonly character?: string;
}

export interface Reel {
  readonly id: string;
  /** The words on the title card. */
  readonly card: string;
  readonly durationS: number;
  readonly episode?: {
    readonly season: number;
    readonly number: number;
    readonly title: string;
    readonly synopsis: string;
  };
  readonly scenes: () => Scene[];
  /** A name for each scene; the film has chapters then. */
  readonly chapters?: readonly string[];
  readonly tracks: readonly { readonly language: string; readonly title: string; readonly music: Music }[];
  readonly narration: Narration;
}

/** The house's music, with the changes that a film asks for. */
export const music = (changes: Partial<Music>): Music => ({
  rootHz: 110,
  chords: [
    [0, 7, 12, 16],
    [-4, 8, 12, 15],
    [-7, 5, 12, 14],
    [-2, 7, 10, 14],
  ],
  ...{ chordS: 6, pluckS: 0.75, wind: 0.12, windHz: 420 },
  ...changes,
});
