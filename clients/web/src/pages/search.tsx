import { Search as SearchIcon } from "lucide-react";
import { useEffect, useRef } from "react";
import { Form, Link, useLoaderData, useSubmit } from "react-router";
import type { Airing } from "../../../../contracts/web/index.ts";
import { useWords } from "../../../ui/words.tsx";
import { timesOf } from "../guide-model.ts";
import type { LoaderData } from "../loaders.ts";
import { TileGrid } from "../tile.tsx";

const TYPING_MS = 180;

export function Component() {
  const { query, cards, genres, programmes } = useLoaderData<LoaderData<"search">>();
  const { m } = useWords();
  const found = cards.length + programmes.length;
  const submit = useSubmit();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current !== null && input.current.value === "") input.current.focus({ preventScroll: true });
    return () => clearTimeout(timer.current);
  }, []);
  return (
    <div className="gutter pt-24 sm:pt-32">
      <h1 className="sr-only">{m.search}</h1>
      <Form method="get" action="/search" role="search" className="relative max-w-3xl">
        <SearchIcon
          size={24}
          aria-hidden="true"
          className="pointer-events-none absolute start-4 top-1/2 -translate-y-1/2 text-ink-3"
        />
        <input
          ref={input}
          type="search"
          name="q"
          defaultValue={query}
          maxLength={200}
          autoComplete="off"
          aria-label={m.search}
          placeholder={m.searchPlaceholder}
          className="field min-h-16 ps-14 text-20"
          onChange={(event) => {
            const { form } = event.currentTarget;
            clearTimeout(timer.current);
            timer.current = setTimeout(
              () => form !== null && void submit(form, { replace: true, preventScrollReset: true }),
              TYPING_MS,
            );
          }}
        />
      </Form>
      <section className="mt-10" aria-live="polite">
        {query !== "" && (
          <h2 className="display mb-5 text-28">{found === 0 ? m.searchNothing(query) : m.searchFor(query)}</h2>
        )}
        {query !== "" && found === 0 && <p className="text-16 text-ink-2">{m.searchNothingText}</p>}
        {found > 0 && <p className="sr-only">{m.results(found)}</p>}
        <TileGrid cards={cards} />
        {programmes.length > 0 && <InTheGuide programmes={programmes} />}
      </section>
      {found === 0 && genres.length > 0 && (
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
    </div>
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
