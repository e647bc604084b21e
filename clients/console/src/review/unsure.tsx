import { Check, Pencil, Trash2 } from "lucide-react";
import { Link } from "react-router";
import { api, type Unsure } from "../api.ts";
import { moment } from "../format.ts";
import { nameOf, useTitles } from "../names.ts";
import { Chip, Empty, Loaded, RowSkeletons, Sure } from "../parts.tsx";
import { currentOf, noneOf } from "../title/values.ts";
import { useDeeds } from "../undo.tsx";
import { useQueue } from "./frame.tsx";

const NAMES: Readonly<Record<string, string>> = {
  chapters: "Chapters",
  thumbnails: "Best frames",
  subtitles: "Draft of subtitles",
  tags: "Tags",
  summary: "Summary",
};

/** Results that their models are not sure of, and that nobody has looked at. */
export function UnsurePage() {
  const queue = useQueue();
  return (
    <section aria-label="Unsure">
      <p className="mt-6 max-w-[70ch] text-14 text-ink-2">
        Results below 60 % that nobody has looked at, the least sure first. What you accept counts as yours and stays as
        it is.
      </p>
      <Loaded of={queue} skeleton={<RowSkeletons count={4} />}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty title="Every model is sure enough">
              <p>Results below 60 % appear here when titles are enriched, until somebody accepts or corrects them.</p>
            </Empty>
          ) : (
            <Results results={results} onDone={() => queue.reload()} />
          )
        }
      </Loaded>
    </section>
  );
}

function Results({ results, onDone }: { results: readonly Unsure[]; onDone(): Promise<void> }) {
  const titles = useTitles(results.map(({ contentId }) => contentId));
  return (
    <ul className="rows">
      {results.map((result) => (
        <li key={`${result.contentId}/${result.what}`}>
          <Row result={result} name={nameOf(titles, result.contentId)} onDone={onDone} />
        </li>
      ))}
    </ul>
  );
}

function Row({ result, name, onDone }: { result: Unsure; name: string; onDone(): Promise<void> }) {
  const { attempt } = useDeeds();
  const { contentId, what, confidence, model, version, atMs } = result;
  const kind = NAMES[what] ?? what;
  const say = async (verb: string, choose: typeof currentOf) => {
    const work = async () => {
      const { title } = await api.title(contentId);
      await api.correct(contentId, what, choose(title, what));
    };
    const undo = () => api.correct(contentId, what, undefined).finally(() => void onDone());
    if (await attempt(work, { text: `${verb}: ${kind.toLowerCase()} of ${name}`, undo })) await onDone();
  };
  return (
    <article className="row" aria-label={`${kind} of ${name}`}>
      <div className="min-w-0 flex-1">
        <p>
          <Chip>{kind}</Chip>
        </p>
        <h2 className="mt-2 text-16 font-semibold">
          <Link to={`/titles/${contentId}#${sectionOf(what)}`} className="hover:underline">
            {name}
          </Link>
        </h2>
        <p className="tabular mt-1 text-14 text-ink-2">
          {model} {version} · {moment(atMs)}
        </p>
      </div>
      <Sure value={confidence} />
      <div className="flex flex-wrap gap-2">
        <button
          type="button"
          className="button button-quiet button-small"
          onClick={() => void say("Accepted", currentOf)}
        >
          <Check size={16} aria-hidden="true" />
          Accept
        </button>
        <Link to={`/titles/${contentId}#${sectionOf(what)}`} className="button button-quiet button-small">
          <Pencil size={16} aria-hidden="true" />
          Correct
        </Link>
        <button type="button" className="button button-plain button-small" onClick={() => void say("Rejected", noneOf)}>
          <Trash2 size={16} aria-hidden="true" />
          Reject
        </button>
      </div>
    </article>
  );
}

const SECTIONS: Readonly<Record<string, string>> = { tags: "words", summary: "words", thumbnails: "pictures" };
const sectionOf = (what: string): string => SECTIONS[what] ?? what;
