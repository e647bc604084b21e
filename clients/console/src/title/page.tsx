import { ExternalLink, RotateCw } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useLocation, useParams } from "react-router";
import { ProgressLine } from "../../../ui/feedback.tsx";
import { durationInWords } from "../../../ui/time.ts";
import { useWords } from "../../../ui/words.tsx";
import { api, type CatalogTitle, type EnrichedTitle, type Step } from "../api.ts";
import { moment, percent } from "../format.ts";
import { useLive } from "../live.ts";
import { BackTo, Chip, Loaded, PageHead, RowSkeletons, type Tone } from "../parts.tsx";
import { useSession } from "../session.tsx";
import { useDeeds } from "../undo.tsx";
import { Chapters } from "./chapters.tsx";
import { LooksLike } from "./looks.tsx";
import { Pictures, SeriesPictures } from "./pictures.tsx";
import { SubtitleCues } from "./subtitles.tsx";
import { lookedIn } from "./values.ts";
import { Summary, Tags } from "./words.tsx";

interface Found {
  /** None of a series: it has no file to look at. */
  readonly title: EnrichedTitle | undefined;
  readonly catalog: CatalogTitle | undefined;
}

/** Everything that was found in one title, and what people say of it. */
export function TitlePage() {
  const { id = "" } = useParams();
  const found = useLive(`title/${id}`, async (signal): Promise<Found> => {
    // Without the catalogue a title has no name and no artwork; all else of it is here.
    const names = await api.names([id], signal).catch(() => undefined);
    const catalog = names?.titles[0];
    if (catalog?.kind === "series") return { title: undefined, catalog };
    const { title } = await api.title(id, signal);
    if (title === undefined) throw new Error(`'${id}' was not taken in`);
    return { title, catalog };
  });
  const { session } = useSession();
  const { m } = useWords();
  const { data } = found;
  return (
    <div className="page">
      <PageHead
        above={<BackTo to="/review/titles">Titles</BackTo>}
        title={data?.catalog?.title ?? id}
        text={
          data?.title
            ? `${durationInWords(data.title.durationS, m)} · taken in ${moment(data.title.begunAtMs)} · ${id}`
            : data && `Series · ${id}`
        }
        actions={
          data?.catalog && (
            <a
              href={`${session.publicUrl}/title/${encodeURIComponent(id)}`}
              target="_blank"
              rel="noreferrer"
              className="button button-quiet button-small"
            >
              As viewers see it
              <ExternalLink size={16} aria-hidden="true" />
            </a>
          )
        }
      />
      <Loaded of={found} skeleton={<RowSkeletons count={4} className="h-40" />}>
        {({ title, catalog }) => {
          const rest = { onSaved: () => found.reload(), publicUrl: session.publicUrl };
          if (title) return <Sections title={title} catalog={catalog} {...rest} />;
          return catalog && <SeriesPictures catalog={catalog} {...rest} />;
        }}
      </Loaded>
    </div>
  );
}

interface SectionsProps {
  title: EnrichedTitle;
  catalog: CatalogTitle | undefined;
  onSaved(): Promise<void>;
  publicUrl: string;
}

function Sections({ title, catalog, onSaved, publicUrl }: SectionsProps) {
  const { hash } = useLocation();
  const [hasJumped, setHasJumped] = useState(false);
  useEffect(() => {
    if (hasJumped || hash === "") return;
    document.getElementById(hash.slice(1))?.scrollIntoView();
    setHasJumped(true);
  }, [hash, hasJumped]);
  return (
    <>
      <Steps title={title} onAsked={onSaved} />
      {catalog && <Pictures title={title} catalog={catalog} publicUrl={publicUrl} onSaved={onSaved} />}
      <LooksLike title={title} publicUrl={publicUrl} />
      <Chapters title={title} onSaved={onSaved} />
      <SubtitleCues title={title} onSaved={onSaved} />
      <section className="section" id="words" aria-labelledby="words-title">
        <h2 id="words-title" className="section-title">
          Words
        </h2>
        <div className="mt-4 grid gap-8 lg:grid-cols-2">
          <Tags title={title} onSaved={onSaved} />
          <Summary title={title} onSaved={onSaved} />
        </div>
      </section>
    </>
  );
}

const TONES: Readonly<Record<string, Tone>> = { done: "good", running: "live", failed: "warn" };

function Steps({ title, onAsked }: { title: EnrichedTitle; onAsked(): Promise<void> }) {
  return (
    <section className="section" aria-labelledby="steps-title">
      <h2 id="steps-title" className="section-title">
        What was looked at
      </h2>
      <ul className="steps">
        {title.steps.map((step) => (
          <StepLine key={step.name} step={step} contentId={title.contentId} onAsked={onAsked} />
        ))}
      </ul>
    </section>
  );
}

function stepText({ state, message, model, version, confidence, corrected, atMs }: Step): ReactNode {
  if (message !== "") return message;
  if (state !== "done") return "";
  return `${model} ${version}${confidence < 1 ? `, ${percent(confidence)} sure` : ""}, ${moment(atMs)}${corrected ? "; your words stand in its place" : ""}`;
}

/** What moderation looked for. What it did not is no finding, and says why. */
function LookedFor({ step }: { step: Step }) {
  const found = step.name === "moderation" ? lookedIn(step) : undefined;
  if (!found) return null;
  return (
    <>
      {found.looked.length > 0 && <span className="mt-1 block">Looked for {found.looked.join(", ")}</span>}
      {found.notLooked.map(({ names, reason }) => (
        <span key={reason} className="mt-1 block break-words">
          Not looked for <span className="text-ink">{names.join(", ")}</span>
          {reason !== "" && `: ${reason}`}
        </span>
      ))}
    </>
  );
}

function StepLine({ step, contentId, onAsked }: { step: Step; contentId: string; onAsked(): Promise<void> }) {
  const { attempt } = useDeeds();
  const again = async () => {
    if (await attempt(() => api.enrich(contentId, step.name), { text: `Asked for: ${step.name}` })) await onAsked();
  };
  return (
    <li className="step">
      <span className="font-semibold capitalize">{step.name}</span>
      <span>
        <Chip tone={TONES[step.state] ?? "plain"}>{step.state}</Chip>
      </span>
      <span className="min-w-0 py-1 text-14 text-ink-2">
        {step.state === "running" ? (
          <ProgressLine value={step.progress} label={`Progress of ${step.name}`} className="max-w-60" />
        ) : (
          <>
            {stepText(step)}
            <LookedFor step={step} />
          </>
        )}
      </span>
      <button
        type="button"
        className="button button-plain button-small"
        disabled={step.state === "running"}
        aria-label={`Do ${step.name} ${step.state === "done" ? "again" : "now"}`}
        onClick={() => void again()}
      >
        <RotateCw size={16} aria-hidden="true" />
        {step.state === "done" ? "Again" : "Now"}
      </button>
    </li>
  );
}
