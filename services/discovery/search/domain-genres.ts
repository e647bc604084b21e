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
  biography: ["biography", "biographical", "biopic", "biopics", "biografie", "biografia"],
  comedy: ["comedy", "comedies", "komodie", "komodien", "comedia", "comedias", "comedie"],
  crime: ["crime", "gangster", "krimi", "krimis", "crimen", "policiaca", "policier", "policiers", "policiere"],
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
  drama: ["drama", "dramas", "dramen", "drame", "drames"],
  family: ["family", "familie", "familien", "familiar", "children", "kids"],
  fantasy: ["fantasy", "fantasia"],
  history: ["history", "historical", "historie", "historisch", "historia", "historica"],
  horror: ["horror", "slasher", "terror", "horreur"],
  music: ["music", "musical", "musicals", "musik", "musica"],
  mystery: ["mystery", "mysteries", "whodunit", "whodunnit", "misterio"],
  noir: ["noir", "film noir"],
  romance: ["romance", "romances", "romantic comedy", "romcom", "rom com", "liebes", "romanze", "romantica"],
  "science-fiction": ["science fiction", "sci fi", "scifi", "sf", "ciencia ficcion"],
  sport: ["sport", "sports", "deporte", "deportes"],
  spy: ["spy", "espionage", "agenten", "espias", "espionnage"],
  superhero: ["superhero", "superheroes", "superhelden", "superheroes"],
  thriller: ["thriller", "thrillers", "suspense"],
  war: ["war", "krieg", "guerra", "belica", "guerre"],
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
