import type { Cue } from "./domain.ts";

/** The classes of nsfwjs, in the order of its answer. */
export const CLASSES = ["drawing", "hentai", "neutral", "porn", "sexy"] as const;
export type ClassName = (typeof CLASSES)[number];

export interface Seen {
  readonly timeS: number;
  readonly classes: Readonly<Record<ClassName, number>>;
  /** What a closer look came to: the mean of several looks at the two seconds around it. Absent where the frame gave no reason to. */
  readonly around?: Readonly<Record<ClassName, number>>;
}

/** From here on the two seconds around a frame are looked at. */
const NUDITY_DOUBTED_MIN = 0.7;
/**
 * From here on a person looks. The classifier takes single frames of dunes, fur and bare walls for nudity with .9 and more; what it is sure of in each of
 * several looks over two seconds is another matter. Set so that none of our test films is flagged, the nearest of which comes to .78; how much it
 * misses nobody has measured.
 */
export const NUDITY_MIN = 0.85;
/** Closer looks are at moments so far from the frame. */
export const AROUND_S: readonly number[] = [-0.75, -0.25, 0.25, 0.75];
/** A film in which more is doubtful is doubtful as it is. */
export const DOUBTED_MAX = 100;
/** Frames so close belong to one finding. */
const GAP_STEPS_MAX = 2;

/** What is looked for: the first two in pictures, the others in words, of which `threats` are threats and tales of violence. */
export const KINDS = ["nudity", "violence", "language", "threats"] as const;
export type Kind = (typeof KINDS)[number];
export const SPOKEN_KINDS: readonly Kind[] = ["language", "threats"];

export interface Suspicion {
  readonly kind: Kind;
  readonly startS: number;
  readonly endS: number;
  readonly score: number;
  readonly label: string;
}

export const nudityOf = ({ porn, hentai }: Seen["classes"]): number => porn + hentai;

/** The frames that deserve a closer look, those that are likeliest harmful first. */
export const doubtedOf = (frames: readonly Seen[]): Seen[] =>
  frames
    .filter(({ classes }) => nudityOf(classes) >= NUDITY_DOUBTED_MIN)
    .toSorted((a, b) => nudityOf(b.classes) - nudityOf(a.classes))
    .slice(0, DOUBTED_MAX);

/** The mean of several looks. */
export function meanOf(looks: readonly Seen["classes"][]): Seen["classes"] {
  const mean = CLASSES.map((name) => [name, looks.reduce((sum, look) => sum + look[name], 0) / looks.length] as const);
  return Object.fromEntries(mean) as Record<ClassName, number>;
}

/** Frames, a step apart, that show beyond a first doubt what nobody should see unasked, as stretches of the film. */
export function nudityIn(frames: readonly Seen[], stepS: number): Suspicion[] {
  const moments = frames.flatMap(({ timeS, around }) => {
    const score = around ? nudityOf(around) : 0;
    if (!around || score < NUDITY_MIN) return [];
    return [{ timeS, score, label: around.porn >= around.hentai ? "nudity" : "drawn nudity" }];
  });
  return stretchesOf("nudity", moments, stepS);
}

export interface Moment {
  readonly timeS: number;
  readonly score: number;
  readonly label: string;
}

/** Moments, in order and a step apart, as stretches; each is called what its worst moment is. */
export function stretchesOf(kind: Kind, moments: readonly Moment[], stepS: number): Suspicion[] {
  const found: { startS: number; endS: number; score: number; label: string }[] = [];
  for (const { timeS, score, label } of moments) {
    const last = found.at(-1);
    if (last && timeS - last.endS <= stepS * GAP_STEPS_MAX) {
      last.endS = timeS;
      if (score > last.score) Object.assign(last, { score, label });
    } else found.push({ startS: timeS, endS: timeS, score, label });
  }
  return found.map(({ startS, endS, score, label }) => ({
    ...{ kind, startS, endS: endS + stepS, score, label },
  }));
}

/**
 * Words that make a film one for grown-ups by themselves, by language; slurs first. A bounded list knows neither irony nor what is meant kindly, so that it asks a person and decides
 * nothing. Stems: what begins with one counts.
 */
const STEMS: Readonly<Record<string, readonly string[]>> = {
  en: [
    "fuck",
    "motherfuck",
    "cunt",
    "nigger",
    "faggot",
    "cocksuck",
    "bullshit",
    "shit",
    "asshole",
    "whore",
    "slut",
    "bitch",
  ],
  de: [
    "fick",
    "fotze",
    "hurensohn",
    "neger",
    "schwuchtel",
    "arschloch",
    "scheiß",
    "scheiss",
    "wichser",
    "nutte",
    "schlampe",
  ],
  es: ["joder", "follar", "puta", "puto", "coño", "maricon", "maricón", "cabrón", "cabron", "gilipollas", "mierda"],
  fr: ["putain", "enculé", "encule", "connard", "connasse", "salope", "pute", "merde", "bougnoule", "pédé"],
};
export const LANGUAGES_KNOWN: readonly string[] = Object.keys(STEMS);
/** What begins like one and is none. */
const INNOCENT = new Set(["shitake", "shiitake", "putative", "putain-les", "ficken", "negeri", "cuntline"]);
const STRONG_STEMS = 6;

/** A cue with such a word; those of the first rank weigh more. */
export function languageIn(cues: readonly Cue[], language: string): Suspicion[] {
  const stems = STEMS[language.split("-")[0] ?? ""] ?? [];
  return cues.flatMap(({ startS, endS, text, confidence }) => {
    const words = text.toLowerCase().match(/[\p{L}'’-]+/gu) ?? [];
    const ranks = words
      .filter((word) => !INNOCENT.has(word))
      .map((word) => stems.findIndex((stem) => word.startsWith(stem)))
      .filter((rank) => rank >= 0);
    if (ranks.length === 0) return [];
    const strength = Math.min(...ranks) < STRONG_STEMS ? 1 : 0.75;
    return [
      {
        kind: "language" as const,
        startS,
        endS,
        score: strength * confidence,
        label: `${ranks.length} strong word(s)`,
      },
    ];
  });
}

/** What a person has decided of a place, or has yet to, holds for what is found there again. */
export function isDecided(
  suspicion: Suspicion,
  decided: readonly { readonly kind: string; readonly startS: number; readonly endS: number }[],
): boolean {
  return decided.some(
    ({ kind, startS, endS }) => kind === suspicion.kind && startS <= suspicion.endS && suspicion.startS <= endS,
  );
}
