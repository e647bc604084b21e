import { Check, Copy } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useWords } from "./words.tsx";

/** A state that fills a page: what happened, what to do, one obvious action. */
export function StatePage(props: {
  title: string;
  text: string;
  actions?: ReactNode;
  children?: ReactNode;
  isAlert?: boolean;
}) {
  return (
    <div
      className="gutter arrive mx-auto flex min-h-[70dvh] max-w-3xl flex-col items-start justify-center gap-5 py-24"
      role={props.isAlert === true ? "alert" : undefined}
    >
      <h1 className="display text-40 sm:text-64">{props.title}</h1>
      <p className="max-w-prose text-16 text-ink-2 sm:text-20">{props.text}</p>
      {props.children}
      {props.actions !== undefined && <div className="mt-2 flex flex-wrap gap-3">{props.actions}</div>}
    </div>
  );
}

/** The code that support asks for, with a button that copies it. */
export function TraceId({ traceId }: { traceId: string }) {
  const { m } = useWords();
  const [copied, setCopied] = useState(false);
  if (traceId === "") return null;
  const copy = () => {
    navigator.clipboard.writeText(traceId).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <p className="flex flex-wrap items-center gap-x-3 text-14 text-ink-2">
      <span>
        {m.traceId} <code className="tabular select-all text-ink">{traceId}</code>
      </span>
      <button type="button" className="button button-plain button-small needs-script" onClick={copy}>
        {copied ? <Check size={16} aria-hidden="true" /> : <Copy size={16} aria-hidden="true" />}
        <span aria-live="polite">{copied ? m.copied : m.copy}</span>
      </button>
    </p>
  );
}

/** How far something has come, 0 to 1: a line that people and machines can read. */
export function ProgressLine({ value, label, className = "" }: { value: number; label: string; className?: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className={`h-[3px] overflow-hidden rounded-full bg-ink/25 ${className}`}
    >
      <div
        className="h-full rounded-full bg-accent-line transition-[width] duration-240"
        style={{ width: `${percent}%` }}
      />
    </div>
  );
}

/** `16`, in the shape in which people know it. */
export function AgeBadge({ age }: { age: string }) {
  const { m } = useWords();
  return (
    <span className="tabular inline-flex h-6 min-w-6 items-center justify-center rounded bg-ink/12 px-1.5 text-12 font-semibold text-ink">
      <span aria-hidden="true" dir="ltr">
        {age === "0" ? "0+" : `${age}+`}
      </span>
      <span className="sr-only">{m.agesFrom(age)}</span>
    </span>
  );
}
