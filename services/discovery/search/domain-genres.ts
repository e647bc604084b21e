import { wordsOf } from "./domain-words.ts";

/**
 * Genres by their canonical names, with the words that catalogues and people have for them in English, German and Spanish, accents left out. Words
 * that describe rather than name (`funny`) are the question's business.
 */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  action: ["action", "accion"],
  adventure: ["adventure", "adventures", "abenteuer", "aventura", "aventuras", "aventure", "aventures"],
  animation: [
    "animation",
    "animated",
    "anime",
    "cartoon",
    "cartoons",
    "animiert",
    "zeichentrick",
    "animacion",
    "animada",
    "animado",
    "dibujos animados",
    "dessin anime",
    "dessins animes",
  ],
  biography: ["biography", "biographical", "biopic", "biopics", "biografie", "biografia", "biographie", "biographique"],
  comedy: [
    "comedy",
    "comedies",
    "komodie",
    "komodien",
    "comedia",
    "comedias",
    "comedie",
    "comica",
    "comicas",
    "comique",
  ],
  crime: [
    "crime",
    "gangster",
    "krimi",
    "krimis",
    "crimen",
    "policiaca",
    "policiaco",
    "policiacas",
    "policial",
    "policier",
    "policiers",
    "policiere",
    "polar",
    "polars",
  ],
  documentary: [
    "documentary",
    "documentaries",
    "doku",
    "dokus",
    "dokumentation",
    "dokumentar",
    "documental",
    "documentales",
    "documentaire",
    "documentaires",
  ],
  drama: ["drama", "dramas", "dramen", "drame", "drames", "dramatique", "dramatica"],
  family: ["family", "familie", "familien", "familiar", "children", "kids"],
  fantasy: ["fantasy", "fantasia", "fantastique", "fantastiques", "fantastico"],
  history: ["history", "historical", "historie", "historisch", "historia", "historica"],
  horror: ["horror", "slasher", "terror", "horreur", "grusel", "epouvante"],
  music: ["music", "musical", "musicals", "musik", "musica", "musicales", "comedie musicale", "comedies musicales"],
  mystery: ["mystery", "mysteries", "whodunit", "whodunnit", "misterio", "misterios", "mystere", "mysteres"],
  noir: ["noir", "film noir"],
  romance: [
    "romance",
    "romances",
    "romantik",
    "romantic comedy",
    "romcom",
    "rom com",
    "liebes",
    "romanze",
    "romantica",
  ],
  "science-fiction": ["science fiction", "sci fi", "scifi", "sf", "ciencia ficcion"],
  sport: ["sport", "sports", "deporte", "deportes", "deportiva", "deportivas"],
  spy: ["spy", "espionage", "agenten", "espias", "espionnage", "espionaje", "spionage"],
  superhero: ["superhero", "superheroes", "superhelden", "superheroe", "superheros", "super heros"],
  thriller: ["thriller", "thrillers", "suspense", "suspenso"],
  war: ["war", "krieg", "guerra", "belica", "belicas", "belico", "guerre"],
  western: ["western", "westerns"],
};

const canonicalOf = new Map(
  Object.entries(NAMES).flatMap(([genre, names]) => names.map((name) => [name, genre] as const)),
);

/** The canonical name of a genre as somebody wrote it; one of its own where we know none. */
export function genreOf(name: string): string {
  const words = wordsOf(name);
  return knownGenre(words) ?? words.join("-");
}

/** The canonical name of a genre that we know. */
export const knownGenre = (words: readonly string[]): string | undefined => canonicalOf.get(words.join(" "));

/** All names of genres. */
export const genreWords = (): Iterable<string> => canonicalOf.keys();
