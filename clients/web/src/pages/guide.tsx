import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Link, useLoaderData, useSearchParams } from "react-router";
import { StatePage } from "../../../ui/feedback.tsx";
import { useWords } from "../../../ui/words.tsx";
import { type GridHandle, GuideGrid } from "../guide-grid.tsx";
import { addDays, DAYS, timelineOf } from "../guide-model.ts";
import { ProgrammeSheet } from "../guide-sheet.tsx";
import type { LoaderData } from "../loaders.ts";

const NOW_MS = 30_000;
const never = () => () => {};

/** False on the server and while its page is taken over: it knows neither the reader's zone nor the size of the window. */
const useIsHere = (): boolean =>
  useSyncExternalStore(
    never,
    () => true,
    () => false,
  );

export function Component() {
  const first = useLoaderData<LoaderData<"guide">>();
  const { m } = useWords();
  const isHere = useIsHere();
  if (first.total === 0) {
    const action = (
      <Link to="/" className="button button-primary">
        {m.browseTitles}
      </Link>
    );
    return <StatePage title={m.guide.empty} text={m.guide.emptyText} actions={action} />;
  }
  // In another order it is another grid: what was loaded has other places.
  return isHere ? <Guide key={first.order} /> : <Plain />;
}

/** What is on now, for who has no script, and until it is there. */
function Plain() {
  const { channels } = useLoaderData<LoaderData<"guide">>();
  const { m } = useWords();
  return (
    <div className="gutter pt-24">
      <h1 className="display text-28 sm:text-40">{m.guide.title}</h1>
      <ul className="mt-6 grid gap-px">
        {channels.map(({ id, number, name, now, next }) => (
          <li key={id} className="flex min-h-18 items-center gap-4 bg-lift-1 px-4 py-2">
            <span className="w-32 flex-none text-14 text-ink-2">
              {number !== null && `${number} `}
              {name}
            </span>
            <span>
              <span className="block text-16">
                {now?.locked === true ? m.guide.locked : (now?.title ?? m.guide.nothingKnown)}
              </span>
              {next != null && next.locked !== true && (
                <span className="block text-14 text-ink-3">{m.guide.comesNext(next.title)}</span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Guide() {
  const first = useLoaderData<LoaderData<"guide">>();
  const { m, locale } = useWords();
  const [nowMs, setNowMs] = useState(() => Date.now());
  const timeline = useMemo(() => timelineOf(first.nowMs), [first.nowMs]);
  const grid = useRef<GridHandle>(null);
  const [day, setDay] = useState(0);
  const [search, setSearch] = useSearchParams();
  const programmeId = search.get("programme");
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), NOW_MS);
    return () => clearInterval(timer);
  }, []);
  const days = useMemo(() => Array.from({ length: DAYS }, (_, i) => addDays(timeline.startMs, i)), [timeline.startMs]);
  const onMove = useCallback(
    (atMs: number) =>
      setDay(
        Math.max(
          0,
          days.findLastIndex((startMs) => startMs <= atMs + 3_600_000),
        ),
      ),
    [days],
  );
  const { order } = first;
  const kept = useMemo((): Record<string, string> => (order === "number" ? { order } : {}), [order]);
  const open = useCallback(
    (id: string) => setSearch({ ...kept, programme: id }, { preventScrollReset: true }),
    [kept, setSearch],
  );
  const close = useCallback(() => setSearch(kept, { preventScrollReset: true, replace: true }), [kept, setSearch]);
  const nameOf = (startMs: number, i: number): string =>
    i === 0
      ? m.guide.today
      : i === 1
        ? m.guide.tomorrow
        : new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric" }).format(startMs);
  return (
    <div className="guide-page">
      <div className="gutter flex flex-col gap-x-8 gap-y-2 pb-3 sm:flex-row sm:items-center">
        <h1 className="display text-28 sm:text-40">{m.guide.title}</h1>
        <div role="group" aria-label={m.guide.order} className="flex flex-none items-center">
          {(["mine", "number"] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={order === each}
              className="guide-order"
              onClick={() =>
                setSearch(each === "number" ? { order: each } : {}, { preventScrollReset: true, replace: true })
              }
            >
              {each === "mine" ? m.guide.orderMine : m.guide.orderNumber}
            </button>
          ))}
          {first.partial && (
            <span role="status" className="ms-2 text-14 text-ink-3">
              {m.guide.orderPartial}
            </span>
          )}
        </div>
        <div className="flex max-w-full min-w-0 items-center gap-2">
          <button
            type="button"
            className="button button-primary button-small flex-none"
            onClick={() => grid.current?.showTime(Date.now())}
          >
            {m.guide.now}
          </button>
          <nav aria-label={m.guide.days} className="guide-days">
            {days.map((startMs, i) => (
              <button
                key={startMs}
                type="button"
                aria-current={i === day ? "date" : undefined}
                className="guide-day tabular"
                onClick={() => grid.current?.showTime(i === 0 ? Date.now() : startMs + 18 * 3_600_000)}
              >
                {nameOf(startMs, i)}
              </button>
            ))}
          </nav>
        </div>
      </div>
      {!first.partial && first.orderedBy !== "number" && (
        <p className="gutter pb-2 text-14 text-ink-3">
          {first.orderedBy === "own" ? m.guide.orderOwn : m.guide.orderLearned}
        </p>
      )}
      <GuideGrid {...{ first, timeline, nowMs, onMove }} handle={grid} onOpen={open} />
      {programmeId !== null && <ProgrammeSheet id={programmeId} onClose={close} onOpen={open} />}
    </div>
  );
}
