import { X } from "lucide-react";
import { Link } from "react-router";
import type { SearchResults } from "../../../../contracts/web/search/index.ts";
import { useWords } from "../../../ui/words.tsx";
import { type Asked, isNarrowed, pathOf } from "./asked.ts";
import { decadeWord, genreWord, kindWord, languageWord, understoodWord } from "./words.ts";

/** Chips are links: the address says what is chosen, they work without a script, and going back takes one back. */
const stay = { replace: true, preventScrollReset: true } as const;

/** How a question was understood, part by part; a press takes a part back. */
export function UnderstoodChips({ asked, parts }: { asked: Asked; parts: SearchResults["understood"] }) {
  const { m, locale } = useWords();
  if (parts.length === 0) return null;
  return (
    <ul aria-label={m.find.understood} className="flex flex-wrap items-center gap-2">
      <li aria-hidden="true" className="text-14 text-ink-3">
        {m.find.understood}
      </li>
      {parts.map((part) => {
        const word = understoodWord(part, m, locale);
        return (
          <li key={part.id}>
            <Link
              {...stay}
              to={pathOf({ ...asked, without: [...asked.without, part.id] })}
              aria-label={m.find.takeBack(word)}
              className="chip chip-chosen"
            >
              <bdi>{word}</bdi>
              <X size={16} aria-hidden="true" />
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

const GENRES_SHOWN = 8;
const DECADES_SHOWN = 5;
const LANGUAGES_SHOWN = 4;

interface Choice {
  readonly key: string;
  readonly word: string;
  readonly count: number | null;
  readonly isChosen: boolean;
  readonly to: string;
}

/** What narrows the results down, with how many there are; what is chosen stays, and a press lets go of it. */
export function FacetChips({ asked, facets }: { asked: Asked; facets: SearchResults["facets"] }) {
  const { m, locale } = useWords();
  const one = (
    name: "kind" | "decade" | "language",
    counts: SearchResults["facets"]["kinds"],
    shownMax: number,
    wordOf: (value: string) => string,
  ): Choice[] => {
    const chosen = asked[name];
    const there = counts.filter(({ value }) => value !== chosen).slice(0, shownMax);
    // A choice among one is none.
    const others = chosen === "" && counts.length > 1 ? there : [];
    return [...(chosen === "" ? [] : [{ value: chosen, count: null }]), ...others].map(({ value, count }) => ({
      ...{ key: `${name}/${value}`, word: wordOf(value), count, isChosen: value === chosen },
      to: pathOf({ ...asked, [name]: value === chosen ? "" : value }),
    }));
  };
  const open = asked.genres.length > 0 ? [] : facets.genres.slice(0, GENRES_SHOWN);
  const genres: Choice[] = [...asked.genres.map((value) => ({ value, count: null })), ...open].map(
    ({ value, count }) => {
      const isChosen = asked.genres.includes(value);
      const next = isChosen ? asked.genres.filter((genre) => genre !== value) : [...asked.genres, value];
      const to = pathOf({ ...asked, genres: next });
      return { key: `genre/${value}`, word: genreWord(m, value), count, isChosen, to };
    },
  );
  const decades = facets.decades.toSorted((a, b) => Number(b.value) - Number(a.value));
  const choices = [
    ...one("kind", facets.kinds, 2, (kind) => kindWord(m, kind)),
    ...genres,
    ...one("decade", decades, DECADES_SHOWN, (year) => decadeWord(m, year)),
    ...one("language", facets.languages, LANGUAGES_SHOWN, (code) => languageWord(locale, code)),
  ];
  if (choices.length === 0) return null;
  return (
    <ul aria-label={m.find.narrow} className="chips-row">
      {choices.map(({ key, word, count, isChosen, to }) => (
        <li key={key}>
          <Link
            {...stay}
            to={to}
            aria-current={isChosen ? "true" : undefined}
            className={`chip ${isChosen ? "chip-chosen" : ""}`}
          >
            <bdi>{word}</bdi>
            {isChosen ? (
              <X size={16} aria-hidden="true" />
            ) : (
              <span className="tabular text-12 text-ink-3">{count}</span>
            )}
          </Link>
        </li>
      ))}
      {isNarrowed(asked) && (
        <li>
          <Link
            {...stay}
            to={pathOf({ ...asked, genres: [], kind: "", decade: "", language: "" })}
            className="chip chip-plain"
          >
            {m.find.everything}
          </Link>
        </li>
      )}
    </ul>
  );
}
