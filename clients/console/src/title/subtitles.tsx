import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { clock, languageInWords } from "../../../ui/time.ts";
import { api, type EnrichedTitle } from "../api.ts";
import { Chip } from "../parts.tsx";
import { useDeeds } from "../undo.tsx";
import { useDraft } from "./draft.ts";
import { SaveBar, useSaying, whose } from "./save.tsx";
import { type Cue, stepOf, subtitlesIn } from "./values.ts";

const PAGE = 50;
const CUE_MAX = 1_000;
/** Below it a cue is marked, so that the eye finds it. */
const SURE_FROM = 0.6;

/** Whether viewers see them. */
const SHOWN: Readonly<Record<string, string>> = {
  accepted: "Shown to viewers",
  automatic: "Shown to viewers as automatic",
};

/** The cues of a draft, or of what a person made of it. */
export function SubtitleCues({ title, onSaved }: { title: EnrichedTitle; onSaved(): Promise<void> }) {
  const found = subtitlesIn(title);
  const step = stepOf(title, "subtitles");
  return (
    <section className="section" id="subtitles" aria-labelledby="subtitles-title">
      <h2 id="subtitles-title" className="section-title">
        Subtitles{" "}
        <Chip tone={found?.corrected === true ? "good" : "plain"}>
          {found && !found.corrected ? "A draft" : whose(found?.corrected ?? false, found !== undefined)}
        </Chip>
        {SHOWN[title.subtitlesShown] !== undefined && <Chip tone="live">{SHOWN[title.subtitlesShown]}</Chip>}
      </h2>
      {found === undefined ? (
        <p className="mt-3 max-w-[70ch] text-ink-2">
          {step?.message ||
            "Nobody has listened to this title yet. Subtitles that came with its file are not drafts and do not stand here."}
        </p>
      ) : (
        <Editor title={title} found={found} onSaved={onSaved} />
      )}
    </section>
  );
}

type EditorProps = {
  title: EnrichedTitle;
  found: NonNullable<ReturnType<typeof subtitlesIn>>;
  onSaved(): Promise<void>;
};

function Editor({ title, found, onSaved }: EditorProps) {
  const { language, cues } = found.value;
  const { draft, isDirty, set, reset } = useDraft<readonly Cue[]>(cues);
  const [search] = useSearchParams();
  const wanted = search.get("at");
  const first = wanted === null ? -1 : draft.findIndex(({ endS }) => endS > Number(wanted));
  const [page, setPage] = useState(Math.max(0, Math.floor(first / PAGE)));
  const say = useSaying(title, "subtitles", onSaved);
  const before = { value: found.value, corrected: found.corrected };
  const pages = Math.max(1, Math.ceil(draft.length / PAGE));
  const shown = draft.slice(page * PAGE, (page + 1) * PAGE);
  const unsure = draft.filter(({ confidence }) => confidence < SURE_FROM).length;
  const empty = draft.findIndex(({ text }) => text.trim() === "");
  const change = (index: number, text: string) => set(draft.map((cue, at) => (at === index ? { ...cue, text } : cue)));
  const name = languageInWords(language, "en");
  return (
    <>
      <p className="mt-3 text-ink-2">
        {draft.length} cues in {name}
        {unsure > 0 && `; ${unsure} of them are marked, because the model was not sure`}.
      </p>
      <ol className="mt-4 flex flex-col gap-2" start={page * PAGE + 1}>
        {shown.map((cue, at) => (
          <CueLine
            // Cues have no identity of their own but their place.
            key={`cue-${page * PAGE + at}`}
            cue={cue}
            number={page * PAGE + at + 1}
            isWanted={page * PAGE + at === first}
            onChange={(text) => change(page * PAGE + at, text)}
            onRemove={() => set(draft.filter((_, index) => index !== page * PAGE + at))}
          />
        ))}
      </ol>
      {pages > 1 && (
        <nav aria-label="Pages of cues" className="mt-4 flex flex-wrap items-center gap-3">
          <button
            type="button"
            className="button button-quiet button-small"
            disabled={page === 0}
            onClick={() => setPage(page - 1)}
          >
            Earlier
          </button>
          <span className="tabular text-14 text-ink-2">
            {page + 1} of {pages}
          </span>
          <button
            type="button"
            className="button button-quiet button-small"
            disabled={page >= pages - 1}
            onClick={() => setPage(page + 1)}
          >
            Later
          </button>
        </nav>
      )}
      <SaveBar
        {...{ of: "subtitles", isDirty, corrected: found.corrected, hasValue: cues.length > 0 }}
        problem={empty < 0 ? undefined : `Cue ${empty + 1} has no words: write some, or remove it`}
        onSave={() => void say({ language, cues: draft }, "Subtitles saved", before)}
        onAccept={() => void say(found.value, "Subtitles accepted", before)}
        onReset={reset}
        onRestore={() => void say(undefined, "The draft stands again", before)}
      />
      {!isDirty && cues.length > 0 && <ToViewers title={title} onSaved={onSaved} />}
    </>
  );
}

/** What viewers see is a copy: it changes when somebody shows them anew. */
function ToViewers({ title, onSaved }: { title: EnrichedTitle; onSaved(): Promise<void> }) {
  const { attempt } = useDeeds();
  const isShown = title.subtitlesShown !== "";
  const show = async (wanted: boolean) => {
    const say = (to: boolean) => api.showSubtitles(title.contentId, to).finally(() => void onSaved());
    const text = wanted ? "Viewers see these subtitles" : "Viewers see these subtitles no longer";
    await attempt(() => say(wanted), { text, undo: () => say(!wanted) });
  };
  return (
    <div className="mt-3 flex flex-wrap items-center gap-3">
      <button type="button" className="button button-quiet button-small" onClick={() => void show(true)}>
        {title.subtitlesShown === "accepted" ? "Show viewers the present words" : "Show to viewers"}
      </button>
      {isShown && (
        <button type="button" className="button button-plain button-small" onClick={() => void show(false)}>
          Withdraw from viewers
        </button>
      )}
    </div>
  );
}

interface CueProps {
  cue: Cue;
  number: number;
  isWanted: boolean;
  onChange(text: string): void;
  onRemove(): void;
}

function CueLine({ cue, number, isWanted, onChange, onRemove }: CueProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (isWanted) field.current?.focus();
  }, [isWanted]);
  const isUnsure = cue.confidence < SURE_FROM;
  return (
    <li className={isUnsure ? "cue cue-unsure" : "cue"}>
      <span className="tabular cue-time">
        {clock(cue.startS)}
        {isUnsure && <span className="block text-12 text-warn">{Math.round(cue.confidence * 100)} %</span>}
      </span>
      <textarea
        ref={field}
        className="field cue-text"
        rows={Math.min(4, cue.text.split("\n").length)}
        aria-label={`Cue ${number}, at ${clock(cue.startS)}${isUnsure ? ", unsure" : ""}`}
        maxLength={CUE_MAX}
        value={cue.text}
        onChange={(event) => onChange(event.target.value)}
      />
      <button
        type="button"
        className="button button-plain button-small"
        aria-label={`Remove cue ${number}`}
        onClick={onRemove}
      >
        Remove
      </button>
    </li>
  );
}
