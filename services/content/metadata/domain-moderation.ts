import type { Cue } from "./domain.ts";

/** The classes of nsfwjs, in the order of its answer. */
export const CLASSES = ["drawing", "hentai", "neutral", "porn", "sexy"] as const;
export type ClassName = (typeof CLASSES)[number];

export interface Seen {
  readonly timeS: number;
  readonly classes: Readonly<Record<ClassName, number>>;
}

/** From here on a person looks. One frame in a row may be an accident of light; two within the reach of a glance are none. */
export const NUDITY_MIN = 0.7;
const SINGLE_FRAME_MIN = 0.9;
/** Frames so close belong to one finding. */
const GAP_STEPS_MAX = 2;

export interface Suspicion {
  readonly kind: "nudity" | "language";
  readonly startS: number;
  readonly endS: number;
  readonly score: number;
  readonly label: string;
}

const nudityOf = ({ classes }: Seen): number => classes.porn + classes.hentai;

/** Frames, a step apart, that show what nobody should see unasked, as stretches of the film. */
export function nudityIn(frames: readonly Seen[], stepS: number): Suspicion[] {
  const found: { startS: number; endS: number; score: number; frames: number; label: string }[] = [];
  for (const frame of frames) {
    const score = nudityOf(frame);
    if (score < NUDITY_MIN) continue;
    const label = frame.classes.porn >= frame.classes.hentai ? "nudity" : "drawn nudity";
    const last = found.at(-1);
    if (last && frame.timeS - last.endS <= stepS * GAP_STEPS_MAX) {
      last.endS = frame.timeS;
      last.frames += 1;
      if (score > last.score) Object.assign(last, { score, label });
    } else found.push({ startS: frame.timeS, endS: frame.timeS, score, frames: 1, label });
  }
  return found
    .filter(({ frames: count, score }) => count > 1 || score >= SINGLE_FRAME_MIN)
    .map(({ startS, endS, score, label }) => ({ kind: "nudity", startS, endS: endS + stepS, score, label }));
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

/** What a person has decided of a place holds for what is found there again. */
export function isDecided(
  suspicion: Suspicion,
  decided: readonly { readonly kind: string; readonly startS: number; readonly endS: number }[],
): boolean {
  return decided.some(
    ({ kind, startS, endS }) => kind === suspicion.kind && startS <= suspicion.endS && suspicion.startS <= endS,
  );
}
