import { Plus, Trash2 } from "lucide-react";
import { type EnrichedTitle, pictureUrl } from "../api.ts";
import { clockText, secondsOf } from "../format.ts";
import { Chip } from "../parts.tsx";
import { useDraft } from "./draft.ts";
import { SaveBar, useSaying, whose } from "./save.tsx";
import { chaptersIn } from "./values.ts";

/** As they are typed. */
interface Line {
  readonly start: string;
  readonly title: string;
}

const NAME_MAX = 120;

/** Why chapters cannot be saved; undefined where they can. The product checks the same. */
function problemOf(lines: readonly Line[], durationS: number): string | undefined {
  let before = -1;
  for (const [index, { start }] of lines.entries()) {
    const startS = secondsOf(start);
    if (startS === undefined) return `Chapter ${index + 1} starts at “${start}”, which is no time: write 1:02.5`;
    if (startS <= before) return `Chapter ${index + 1} must start after the one before it`;
    if (startS >= durationS) return `Chapter ${index + 1} starts behind the end, ${clockText(durationS)}`;
    before = startS;
  }
  return undefined;
}

export function Chapters({ title, onSaved }: { title: EnrichedTitle; onSaved(): Promise<void> }) {
  const found = chaptersIn(title);
  const chapters = found?.value ?? [];
  const corrected = found?.corrected ?? false;
  const lines = chapters.map(({ startS, title: name }): Line => ({ start: clockText(startS), title: name }));
  const { draft, isDirty, set, reset } = useDraft<readonly Line[]>(lines);
  const say = useSaying(title, "chapters", onSaved);
  const before = { value: chapters, corrected };
  const change = (index: number, part: Partial<Line>) =>
    set(draft.map((line, at) => (at === index ? { ...line, ...part } : line)));
  // A chapter that was not moved keeps its start to the millisecond.
  const next = draft.map(({ start, title: name }) => ({
    startS: chapters.find(({ startS }) => clockText(startS) === start)?.startS ?? secondsOf(start) ?? 0,
    title: name,
  }));
  const problem = problemOf(draft, title.durationS);
  return (
    <section className="section" id="chapters" aria-labelledby="chapters-title">
      <h2 id="chapters-title" className="section-title">
        Chapters <Chip tone={corrected ? "good" : "plain"}>{whose(corrected, chapters.length > 0)}</Chip>
      </h2>
      {draft.length === 0 && <p className="mt-3 text-ink-2">This title has no chapters.</p>}
      <ol className="mt-4 flex flex-col gap-3">
        {draft.map((line, index) => (
          // Lines have no identity of their own but their place.
          <li key={`chapter-${index}`} className="chapter">
            <div className="slot chapter-frame bg-lift-2">
              <img
                src={pictureUrl(title.contentId, Math.min((secondsOf(line.start) ?? 0) + 0.5, title.durationS))}
                alt=""
                loading="lazy"
                decoding="async"
              />
            </div>
            <input
              className="field chapter-start tabular"
              aria-label={`Start of chapter ${index + 1}`}
              value={line.start}
              onChange={(event) => change(index, { start: event.target.value })}
            />
            <input
              className="field min-w-0 flex-1"
              aria-label={`Name of chapter ${index + 1}`}
              placeholder="No name"
              maxLength={NAME_MAX}
              value={line.title}
              onChange={(event) => change(index, { title: event.target.value })}
            />
            <button
              type="button"
              className="button button-plain button-round"
              aria-label={`Remove chapter ${index + 1}`}
              onClick={() => set(draft.filter((_, at) => at !== index))}
            >
              <Trash2 size={18} aria-hidden="true" />
            </button>
          </li>
        ))}
      </ol>
      <button
        type="button"
        className="button button-plain button-small mt-3 -ms-3"
        onClick={() => set([...draft, { start: clockText(nextStart(draft)), title: "" }])}
      >
        <Plus size={16} aria-hidden="true" />
        Add a chapter
      </button>
      <SaveBar
        {...{ of: "chapters", isDirty, corrected, hasValue: chapters.length > 0 }}
        problem={isDirty ? problem : undefined}
        onSave={() => void say(next, "Chapters saved", before)}
        onAccept={() => void say(chapters, "Chapters accepted", before)}
        onReset={reset}
        onRestore={() => void say(undefined, "The model’s chapters stand again", before)}
      />
    </section>
  );
}

/** Ten seconds behind the last one. */
const nextStart = (lines: readonly Line[]): number => {
  const last = lines.at(-1);
  return last === undefined ? 0 : (secondsOf(last.start) ?? 0) + 10;
};
