import { RadioTower, UserRound } from "lucide-react";
import type { MouseEvent } from "react";
import { Link, useLoaderData } from "react-router";
import type { Airing } from "../../../../contracts/web/index.ts";
import type { SearchResults } from "../../../../contracts/web/search/index.ts";
import { useWords } from "../../../ui/words.tsx";
import { browserApi } from "../api.ts";
import { timesOf } from "../guide-model.ts";
import type { LoaderData } from "../loaders.ts";
import { askedIn, foundBy, isNarrowed, pathOf } from "../search/asked.ts";
import { SearchBox } from "../search/box.tsx";
import { FacetChips, UnderstoodChips } from "../search/chips.tsx";
import { TileGrid } from "../tile.tsx";

const NOTHING = askedIn(new URLSearchParams());

export function Component() {
  const { asked, found, genres, programmes } = useLoaderData<LoaderData<"search">>();
  const { m } = useWords();
  const isEmpty = found === null || found.cards.length + programmes.length + found.channels.length === 0;
  return (
    <div className="gutter pt-24 sm:pt-32">
      <h1 className="sr-only">{m.search}</h1>
      <SearchBox query={asked.q} />
      <section className="mt-1 flex flex-col gap-4" aria-label={m.find.narrow}>
        {found !== null && <UnderstoodChips asked={asked} parts={found.understood} />}
        {found !== null && <FacetChips asked={asked} facets={found.facets} />}
      </section>
      {found !== null && <Results found={found} programmes={programmes} isEmpty={isEmpty} />}
      {isEmpty && <WhereToBegin genres={genres} />}
    </div>
  );
}

interface ResultsProps {
  readonly found: SearchResults;
  readonly programmes: readonly Airing[];
  readonly isEmpty: boolean;
}

function Results({ found, programmes, isEmpty }: ResultsProps) {
  const { m } = useWords();
  const { asked } = useLoaderData<LoaderData<"search">>();
  const isTooNarrow = isEmpty && (isNarrowed(asked) || found.understood.length > 0);
  /** Says where somebody went from the results. Nobody waits for it: it may outlive the page. */
  const tell = (event: MouseEvent) => {
    const id = /^\/title\/([\w-]+)(?:\?|$)/.exec(
      (event.target as Element).closest("a")?.getAttribute("href") ?? "",
    )?.[1];
    const rank = found.cards.findIndex((card) => card.id === id) + 1;
    if (id !== undefined && rank > 0 && found.searchId !== "")
      browserApi.clickResult(found.searchId, { contentId: id, rank }).catch(() => undefined);
  };
  return (
    <section className="mt-6">
      <div role="status">
        {asked.q !== "" && (
          <h2 className="display mb-5 text-28">
            {isEmpty
              ? m.searchNothing(asked.q)
              : found.corrected !== ""
                ? m.find.corrected(found.corrected)
                : found.understood.length > 0
                  ? m.results(found.total)
                  : m.searchFor(asked.q)}
          </h2>
        )}
        {!isEmpty && <p className="sr-only">{m.results(found.total)}</p>}
      </div>
      {isEmpty && <p className="text-16 text-ink-2">{isTooNarrow ? m.find.nothingFiltered : m.searchNothingText}</p>}
      <People people={found.people} />
      <Channels channels={found.channels} />
      {found.cards.length > 1 && found.orderedBy !== "default" && (
        <p className="mb-4 max-w-prose text-14 text-ink-2">{m.find.orderedBy[found.orderedBy]}</p>
      )}
      <div onClickCapture={tell}>
        <TileGrid cards={found.cards} by={found.orderedBy === "default" ? "" : foundBy(asked)} />
      </div>
      {programmes.length > 0 && <InTheGuide programmes={programmes} />}
    </section>
  );
}

function People({ people }: Pick<SearchResults, "people">) {
  const { m } = useWords();
  if (people.length === 0) return null;
  return (
    <ul aria-label={m.find.people} className="mb-6 flex flex-wrap gap-2">
      {people.map(({ name, titles }) => (
        <li key={name}>
          <Link to={pathOf({ ...NOTHING, q: name })} className="found-row">
            <UserRound size={20} aria-hidden="true" className="text-ink-3" />
            <span>
              <bdi className="block text-16">{name}</bdi>
              <span className="block text-12 text-ink-3">{m.find.titlesWith(titles)}</span>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Channels({ channels }: Pick<SearchResults, "channels">) {
  const { m } = useWords();
  if (channels.length === 0) return null;
  return (
    <ul aria-label={m.find.channels} className="mb-6 flex flex-wrap gap-2">
      {channels.map(({ id, number, name }) => (
        <li key={id}>
          <Link to={`/live/${id}`} className="found-row">
            <RadioTower size={20} aria-hidden="true" className="text-ink-3" />
            <span className="tabular text-14 text-ink-3">{number}</span>
            <bdi className="text-16">{name}</bdi>
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** Where nothing was asked or found: questions to copy, and all genres. */
function WhereToBegin({ genres }: Pick<LoaderData<"search">, "genres">) {
  const { m } = useWords();
  return (
    <>
      <section className="mt-8">
        <h2 className="text-14 text-ink-3">{m.find.examples}</h2>
        <ul className="mt-2 flex flex-wrap gap-2">
          {m.find.asked.map((question) => (
            <li key={question}>
              <Link to={pathOf({ ...NOTHING, q: question })} className="chip">
                <bdi>{question}</bdi>
              </Link>
            </li>
          ))}
        </ul>
      </section>
      {genres.length > 0 && (
        <section className="mt-8">
          <h2 className="text-14 text-ink-3">{m.searchStart}</h2>
          <ul className="mt-3 flex flex-wrap gap-x-8 gap-y-1">
            {genres.map(({ id, title }) => (
              <li key={id}>
                <Link
                  to={`/genre/${id}`}
                  className="display inline-flex min-h-11 items-center text-28 text-ink-2 transition-colors hover:text-accent-line sm:text-40"
                >
                  {title}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

const PROGRAMMES_SHOWN = 12;

/** What will be on, the earliest first. */
function InTheGuide({ programmes }: { programmes: readonly Airing[] }) {
  const { m, locale } = useWords();
  return (
    <div className="mt-10">
      <h3 className="text-14 text-ink-3">{m.guide.title}</h3>
      <ul className="mt-2 grid gap-x-8 sm:grid-cols-2">
        {programmes.slice(0, PROGRAMMES_SHOWN).map((airing) => (
          <li key={airing.id}>
            <Link
              to={`/guide?programme=${airing.id}`}
              className="-mx-3 block min-h-11 rounded-lg px-3 py-2 transition-colors hover:bg-lift-2"
            >
              <span className="block truncate text-16" dir="auto">
                {airing.subtitle === undefined ? airing.title : `${airing.title}: ${airing.subtitle}`}
              </span>
              <span className="tabular block text-14 text-ink-3" suppressHydrationWarning>
                {airing.channel.name} · {timesOf(airing, locale)}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
