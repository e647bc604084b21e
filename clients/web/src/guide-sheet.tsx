import { Bell, BellRing, Play, X, RotateCcw } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import type { GuideProgramme } from "../../../contracts/web/index.ts";
import { AgeBadge } from "../../ui/feedback.tsx";
import { useWords } from "../../ui/words.tsx";
import { browserApi } from "./api.ts";
import { timesOf } from "./guide-model.ts";
import { RecordButtons } from "./recordings/record-buttons.tsx";

type State = { readonly found: GuideProgramme | null; readonly hasFailed: boolean };

/** Everything about a programme, over the grid; the address says which, and going back closes it. */
export function ProgrammeSheet(props: { id: string; onClose(): void; onOpen(id: string): void }) {
  const { m, locale } = useWords();
  const ref = useRef<HTMLDialogElement>(null);
  const [{ found, hasFailed }, setState] = useState<State>({ found: null, hasFailed: false });
  const { id } = props;
  useEffect(() => {
    const dialog = ref.current;
    if (dialog !== null && !dialog.open) dialog.showModal();
  }, []);
  useEffect(() => {
    const leaving = new AbortController();
    setState({ found: null, hasFailed: false });
    browserApi.guideProgramme(id, leaving.signal).then(
      (programme) => setState({ found: programme, hasFailed: false }),
      () => {
        if (!leaving.signal.aborted) setState({ found: null, hasFailed: true });
      },
    );
    return () => leaving.abort();
  }, [id]);
  return (
    <dialog
      ref={ref}
      aria-labelledby="programme-title"
      className="programme-sheet"
      onClose={props.onClose}
      // A press beside the sheet is one on the dialog itself.
      onPointerDown={(event) => event.target === event.currentTarget && ref.current?.close()}
    >
      <div className="relative flex max-h-[inherit] flex-col overflow-y-auto overscroll-contain p-6 sm:p-8">
        <button
          type="button"
          className="button button-quiet button-round absolute end-4 top-4 z-10"
          aria-label={m.guide.close}
          onClick={() => ref.current?.close()}
        >
          <X size={22} aria-hidden="true" />
        </button>
        {hasFailed ? (
          <p id="programme-title" className="pe-14 text-16 text-ink-2" role="alert">
            {m.guide.gone}
          </p>
        ) : found === null ? (
          <div aria-busy="true">
            <p id="programme-title" className="sr-only">
              {m.loading}
            </p>
            <div className="skeleton h-5 w-40" />
            <div className="skeleton mt-3 h-9 w-64" />
            <div className="skeleton mt-6 h-24 w-full" />
          </div>
        ) : (
          <Details of={found} times={timesOf(found, locale)} onOpen={props.onOpen} />
        )}
      </div>
    </dialog>
  );
}

function Details({ of, times, onOpen }: { of: GuideProgramme; times: string; onOpen(id: string): void }) {
  const { m, locale } = useWords();
  const people = of.credits.slice(0, 8);
  return (
    <>
      <p className="tabular pe-14 text-14 text-ink-2">
        {of.channel.name} · {times}
      </p>
      <h2 id="programme-title" className="display mt-2 pe-10 text-28" dir="auto">
        {of.title}
      </h2>
      {of.subtitle !== undefined && (
        <p className="mt-1 text-20 text-ink-2" dir="auto">
          {of.subtitle}
        </p>
      )}
      <p className="mt-3 flex flex-wrap items-center gap-2 text-14 text-ink-2">
        {of.flag !== undefined && <Flag flag={of.flag} />}
        {of.age !== undefined && <AgeBadge age={String(of.age)} />}
        <span className="tabular">{of.facts}</span>
      </p>
      <div className="mt-6 flex flex-wrap gap-3 empty:hidden">
        {of.canWatch && (
          <Link to={`/live/${of.channel.id}`} className="button button-primary">
            <Play size={20} aria-hidden="true" fill="currentColor" />
            {m.guide.watchLive}
          </Link>
        )}
        {of.canStartOver && (
          <Link to={`/live/${of.channel.id}?over=1`} className="button button-quiet">
            <RotateCcw size={20} aria-hidden="true" />
            {m.live.startOver}
          </Link>
        )}
        {of.canRemind && <Remind key={of.id} id={of.id} initial={of.isReminded} />}
        {of.canRecord && of.channel.playable && of.stopMs > of.nowMs && (
          <RecordButtons key={`record ${of.id}`} of={of} />
        )}
      </div>
      {!of.channel.playable && <p className="mt-5 text-14 text-ink-3">{m.guide.onlyInGuide}</p>}
      {of.description !== "" && (
        <p className="mt-5 text-16 text-ink-2" dir="auto">
          {of.description}
        </p>
      )}
      {people.length > 0 && (
        <ul className="mt-5 flex flex-wrap gap-x-5 gap-y-1 text-14" aria-label={m.guide.people}>
          {people.map(({ name, role }) => (
            <li key={`${name}/${role}`}>
              <span className="text-ink">{name}</span> <span className="text-ink-3">{role}</span>
            </li>
          ))}
        </ul>
      )}
      {of.airings.length > 0 && (
        <section className="mt-7">
          <h3 className="text-14 text-ink-3">{m.guide.alsoShown}</h3>
          <ul className="mt-2">
            {of.airings.slice(0, 6).map((airing) => (
              <li key={airing.id}>
                <button
                  type="button"
                  className="-mx-3 block min-h-11 w-[calc(100%+1.5rem)] rounded-lg px-3 py-2 text-start transition-colors hover:bg-lift-3"
                  onClick={() => onOpen(airing.id)}
                >
                  <span className="block text-16" dir="auto">
                    {airing.subtitle ?? airing.title}
                  </span>
                  <span className="tabular block text-14 text-ink-3">
                    {airing.channel.name} · {timesOf(airing, locale)}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {of.identity !== "" && of.seriesId !== null && (
        <p className="mt-6 text-12 text-ink-3">{m.guide.whySeries(of.identity)}</p>
      )}
    </>
  );
}

/** Answers at once, and goes back where the server refuses. */
function Remind({ id, initial }: { id: string; initial: boolean }) {
  const { m } = useWords();
  const [isReminded, setIsReminded] = useState(initial);
  const [hasFailed, setHasFailed] = useState(false);
  const toggle = () => {
    const next = !isReminded;
    setIsReminded(next);
    setHasFailed(false);
    browserApi.setReminded(id, next).catch(() => {
      setIsReminded(!next);
      setHasFailed(true);
    });
  };
  return (
    <>
      <button type="button" className="button button-quiet" aria-pressed={isReminded} onClick={toggle}>
        {isReminded ? <BellRing size={20} aria-hidden="true" /> : <Bell size={20} aria-hidden="true" />}
        {isReminded ? m.guide.reminded : m.guide.remind}
      </button>
      {hasFailed && (
        <p role="alert" className="w-full text-14 text-warn">
          {m.couldNotSave}
        </p>
      )}
    </>
  );
}

export function Flag({ flag }: { flag: "new" | "premiere" | "repeat" }) {
  const { m } = useWords();
  const words = { new: m.guide.isNew, premiere: m.guide.premiere, repeat: m.guide.repeat };
  const look = flag === "repeat" ? "bg-ink/12 text-ink-2" : "bg-accent text-accent-ink";
  return (
    <span className={`inline-flex h-5 items-center rounded px-1.5 text-12 font-semibold ${look}`}>{words[flag]}</span>
  );
}
