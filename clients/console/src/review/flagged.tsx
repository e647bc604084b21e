import { Check, Eye, EyeOff, Pencil, ShieldAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { clock } from "../../../ui/time.ts";
import { api, type Finding, pictureUrl } from "../api.ts";
import { moment } from "../format.ts";
import { useLive } from "../live.ts";
import { nameOf, useTitles } from "../names.ts";
import { Chip, Empty, Loaded, RowSkeletons, Sure } from "../parts.tsx";
import { type Cue, subtitlesIn } from "../title/values.ts";
import { useDeeds } from "../undo.tsx";
import { useQueue } from "./frame.tsx";

const STATES = { waiting: "Waiting", accepted: "Harmful", rejected: "Harmless" } as const;
type State = keyof typeof STATES;
const KINDS: Readonly<Record<string, string>> = {
  nudity: "Nudity",
  violence: "Violence",
  language: "Language",
  threats: "Violent words",
};
/** What is seen is covered, what is said is quoted. */
const SPOKEN = new Set(["language", "threats"]);

const isState = (text: string | null): text is State => text !== null && Object.hasOwn(STATES, text);

/** What moderation has flagged: the frame or the words, how sure the model was, and two buttons. */
export function FlaggedPage() {
  const queue = useQueue();
  const [search, setSearch] = useSearchParams();
  const asked = search.get("state");
  const state: State = isState(asked) ? asked : "waiting";
  const found = useLive(`findings/${state}`, async (signal) => (await api.findings(state, signal)).findings);
  return (
    <section aria-label="Flagged">
      <fieldset className="choices">
        <legend className="sr-only">Which</legend>
        {Object.entries(STATES).map(([value, name]) => (
          <label key={value} className="choice">
            <input
              type="radio"
              name="state"
              checked={state === value}
              onChange={() => setSearch(value === "waiting" ? {} : { state: value }, { replace: true })}
            />
            {name}
          </label>
        ))}
      </fieldset>
      <Loaded of={found} skeleton={<RowSkeletons count={3} className="h-40" />}>
        {(findings) =>
          findings.length === 0 ? (
            <Nothing state={state} />
          ) : (
            <Findings
              findings={findings}
              onDecided={(id) => {
                found.set((before) => before.filter((one) => one.id !== id));
                void queue.reload();
              }}
              onChanged={() => {
                void found.reload();
                void queue.reload();
              }}
            />
          )
        }
      </Loaded>
    </section>
  );
}

function Nothing({ state }: { state: State }) {
  if (state !== "waiting")
    return (
      <Empty title={`Nothing was found ${STATES[state].toLowerCase()}`}>
        <p>What you decide is listed here, and can be decided anew.</p>
      </Empty>
    );
  return (
    <Empty title="Nothing waits for you">
      <p>
        Moderation has flagged nothing that is not decided. That is not the same as nothing being there:{" "}
        <Link to="/review/titles">each title</Link> says what it was looked at for. Violence takes a moderation server.
      </p>
    </Empty>
  );
}

interface Actions {
  /** Gone from this list. */
  onDecided(id: string): void;
  /** The list has to be read anew. */
  onChanged(): void;
}

function Findings({ findings, ...actions }: { findings: readonly Finding[] } & Actions) {
  const titles = useTitles(findings.map(({ contentId }) => contentId));
  const spoken = useCues(findings.filter(({ kind }) => SPOKEN.has(kind)).map(({ contentId }) => contentId));
  return (
    <ul className="rows">
      {findings.map((finding) => (
        <li key={finding.id}>
          <Row
            {...actions}
            finding={finding}
            name={nameOf(titles, finding.contentId)}
            cues={(SPOKEN.has(finding.kind) ? (spoken.get(finding.contentId) ?? []) : []).filter(
              ({ startS, endS }) => endS > finding.startS && startS < finding.endS,
            )}
          />
        </li>
      ))}
    </ul>
  );
}

/** What is said in titles, so that words can be read where they were flagged. */
function useCues(ids: readonly string[]): ReadonlyMap<string, readonly Cue[]> {
  const [known, setKnown] = useState<ReadonlyMap<string, readonly Cue[]>>(new Map());
  const missing = [...new Set(ids)].filter((id) => !known.has(id)).join(",");
  useEffect(() => {
    if (missing === "") return;
    const leaving = new AbortController();
    for (const id of missing.split(","))
      api.title(id, leaving.signal).then(
        ({ title }) => setKnown((before) => new Map(before).set(id, subtitlesIn(title)?.value.cues ?? [])),
        () => undefined,
      );
    return () => leaving.abort();
  }, [missing]);
  return known;
}

type RowProps = Actions & { finding: Finding; name: string; cues: readonly Cue[] };

function Row({ finding, name, cues, onDecided, onChanged }: RowProps) {
  const { attempt } = useDeeds();
  const { id, kind, label, contentId, startS, endS, state } = finding;
  const what = `${KINDS[kind] ?? kind} in ${name} at ${clock(startS)}`;
  const decide = async (verdict: "accepted" | "rejected" | "waiting") => {
    const text = { accepted: "Harmful", rejected: "Harmless", waiting: "Waits again" }[verdict];
    const before = state === "accepted" || state === "rejected" ? state : "waiting";
    const undo = () => api.decide(id, before).finally(onChanged);
    if (await attempt(() => api.decide(id, verdict), { text: `${text}: ${what}`, undo })) onDecided(id);
  };
  return (
    <article className="finding" aria-label={what}>
      <Frame contentId={contentId} atS={(startS + endS) / 2} isCovered={!SPOKEN.has(kind)} what={what} />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <Chip tone="warn">{KINDS[kind] ?? kind}</Chip>
          <span className="text-14 text-ink-2">{label}</span>
        </p>
        <h2 className="mt-2 text-20 font-semibold">
          <Link to={`/titles/${contentId}`} className="hover:underline">
            {name}
          </Link>
        </h2>
        <p className="tabular mt-1 text-14 text-ink-2">
          {clock(startS)} – {clock(endS)} · {finding.model} {finding.version} · found {moment(finding.foundAtMs)}
        </p>
        {cues.map((cue) => (
          <blockquote key={cue.startS} className="mt-2 max-w-[60ch] border-s-2 border-ink-3 ps-3 text-16">
            {cue.text}
          </blockquote>
        ))}
        <p className="mt-2">
          <Sure value={finding.score} />
        </p>
      </div>
      <div className="finding-actions">
        {state !== "accepted" && (
          <button type="button" className="button button-quiet button-small" onClick={() => void decide("accepted")}>
            <ShieldAlert size={16} aria-hidden="true" />
            Harmful
          </button>
        )}
        {state !== "rejected" && (
          <button type="button" className="button button-quiet button-small" onClick={() => void decide("rejected")}>
            <Check size={16} aria-hidden="true" />
            Harmless
          </button>
        )}
        {state !== "waiting" && (
          <button type="button" className="button button-plain button-small" onClick={() => void decide("waiting")}>
            Decide later
          </button>
        )}
        {SPOKEN.has(kind) && cues.length > 0 && (
          <Link to={`/titles/${contentId}?at=${startS}#subtitles`} className="button button-plain button-small">
            <Pencil size={16} aria-hidden="true" />
            Correct the words
          </Link>
        )}
      </div>
    </article>
  );
}

/** A moment of a title. What was flagged in a picture is covered until somebody wants to see it. */
function Frame(props: { contentId: string; atS: number; isCovered: boolean; what: string }) {
  const [isCovered, setIsCovered] = useState(props.isCovered);
  const [hasFailed, setHasFailed] = useState(false);
  const Icon = isCovered ? Eye : EyeOff;
  return (
    <div className="slot finding-frame bg-lift-2">
      {hasFailed ? (
        <p className="flex h-full items-center justify-center p-3 text-center text-14 text-ink-3">No picture</p>
      ) : (
        <img
          src={pictureUrl(props.contentId, props.atS)}
          alt={isCovered ? "Covered frame" : `Frame: ${props.what}`}
          loading="lazy"
          decoding="async"
          className={isCovered ? "covered" : ""}
          onError={() => setHasFailed(true)}
        />
      )}
      {props.isCovered && !hasFailed && (
        <button
          type="button"
          className="button button-quiet button-small absolute end-2 bottom-2"
          onClick={() => setIsCovered(!isCovered)}
        >
          <Icon size={16} aria-hidden="true" />
          {isCovered ? "Show" : "Cover"}
        </button>
      )}
    </div>
  );
}
