/** Small pieces that several pages are made of. */
import { ArrowLeft } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Link } from "react-router";
import { TraceId } from "../../ui/feedback.tsx";
import type { ApiError } from "./api.ts";
import { percent } from "./format.ts";
import type { Live } from "./live.ts";

export function PageHead(props: { title: ReactNode; text?: ReactNode; above?: ReactNode; actions?: ReactNode }) {
  return (
    <header className="page-head">
      <div className="min-w-0">
        {props.above !== undefined && <p className="mb-1 text-14 text-ink-3">{props.above}</p>}
        <h1 className="display text-28 sm:text-40">{props.title}</h1>
        {props.text !== undefined && <p className="mt-2 max-w-[70ch] text-ink-2">{props.text}</p>}
      </div>
      {props.actions !== undefined && <div className="flex flex-wrap items-center gap-3">{props.actions}</div>}
    </header>
  );
}

/** What a page shows of something that is loaded: its shape, then itself; what went wrong stands above what is still known. */
export function Loaded<T>(props: { of: Live<T>; skeleton: ReactNode; children: (data: T) => ReactNode }) {
  const { of } = props;
  return (
    <>
      {of.error !== undefined && (
        <Fault error={of.error} onRetry={() => void of.reload()} isOver={of.data === undefined} />
      )}
      {of.data !== undefined ? props.children(of.data) : of.error === undefined && <Waiting>{props.skeleton}</Waiting>}
    </>
  );
}

function Waiting({ children }: { children: ReactNode }) {
  return (
    <div aria-busy="true">
      <p className="sr-only">Loading</p>
      {children}
    </div>
  );
}

function Fault({ error, onRetry, isOver }: { error: ApiError; onRetry(): void; isOver: boolean }) {
  return (
    <div role="alert" className="fault arrive">
      <p className="text-16 font-semibold">
        {isOver ? "This could not be loaded" : "This is what was known a moment ago"}
      </p>
      <p className="mt-1 text-14 text-ink-2">{error.message}</p>
      <div className="mt-2 flex flex-wrap items-center gap-x-4">
        <button type="button" className="button button-quiet button-small" onClick={onRetry}>
          Try again
        </button>
        <TraceId traceId={error.traceId} />
      </div>
    </div>
  );
}

export function Empty(props: { title: string; children: ReactNode }) {
  return (
    <div className="empty arrive">
      <h2 className="display text-20">{props.title}</h2>
      <div className="mt-2 max-w-[60ch] text-ink-2">{props.children}</div>
    </div>
  );
}

export type Tone = "plain" | "good" | "warn" | "live";

export function Chip({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className="stamp" data-tone={tone}>
      {children}
    </span>
  );
}

/** How sure a model is: a bar and its figure. */
export function Sure({ value }: { value: number }) {
  return (
    <span className="sure">
      <span className="sure-bar" aria-hidden="true">
        <span style={{ width: percent(Math.min(1, Math.max(0, value))).replace(" ", "") }} />
      </span>
      <span className="tabular">{percent(value)} sure</span>
    </span>
  );
}

export interface Field {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  readonly children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode;
}

/** A labelled field with a hint, or what is wrong with it in the hint's place. */
export function FieldRow({ label, hint, error, children }: Field) {
  const id = useId();
  const said = error ?? hint;
  return (
    <div>
      <label htmlFor={id} className="mb-2 block text-14 font-semibold">
        {label}
      </label>
      {children({
        id,
        ...(said === undefined ? {} : { "aria-describedby": `${id}-said` }),
        ...(error === undefined ? {} : { "aria-invalid": true }),
      })}
      {said !== undefined && (
        <p id={`${id}-said`} className={error === undefined ? "mt-2 text-14 text-ink-3" : "mt-2 text-14 text-warn"}>
          {said}
        </p>
      )}
    </div>
  );
}

/** Asks before something that many people would feel. The dialog says what will happen. */
export function Confirm(props: {
  /** The button that opens it, and says yes within it. */
  verb: string;
  title: string;
  children: ReactNode;
  onYes(): Promise<unknown>;
  tone?: "primary" | "quiet";
  isSmall?: boolean;
  icon?: ReactNode;
  disabled?: boolean;
  label?: string;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [isOpen, setIsOpen] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  const yes = async () => {
    setIsBusy(true);
    await props.onYes();
    setIsBusy(false);
    setIsOpen(false);
  };
  return (
    <>
      <button
        type="button"
        className={`button button-${props.tone ?? "quiet"} ${props.isSmall === true ? "button-small" : ""}`}
        disabled={props.disabled}
        aria-label={props.label}
        onClick={() => setIsOpen(true)}
      >
        {props.icon}
        {props.verb}
      </button>
      <dialog ref={dialog} className="dialog" aria-labelledby={titleId} onClose={() => setIsOpen(false)}>
        {isOpen && (
          <>
            <h2 id={titleId} className="display text-28">
              {props.title}
            </h2>
            <div className="mt-3 flex flex-col gap-3 text-ink-2">{props.children}</div>
            <div className="mt-6 flex flex-wrap gap-3">
              <button type="button" className="button button-primary" disabled={isBusy} onClick={() => void yes()}>
                {props.verb}
              </button>
              <button type="button" className="button button-quiet" onClick={() => setIsOpen(false)}>
                Cancel
              </button>
            </div>
          </>
        )}
      </dialog>
    </>
  );
}

/** A table that scrolls by itself where it is wider than its place; the keyboard reaches it then, and only then. */
export function TablePlace({ label, children }: { label: string; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const watch = new ResizeObserver(() => {
      if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return (
    <div ref={place} className="table-place" role="region" aria-label={label}>
      {children}
    </div>
  );
}

export function RowSkeletons({ count, className = "h-24" }: { count: number; className?: string }) {
  return (
    <div className="mt-6 flex flex-col gap-3">
      {Array.from({ length: count }, (_, at) => (
        // The rows are all alike and never change places.
        <div key={`row-${at}`} className={`skeleton ${className}`} />
      ))}
    </div>
  );
}

/** The way back to the list that a page is of. */
export function BackTo({ to, children }: { to: string; children: string }) {
  return (
    <Link to={to} className="back">
      <ArrowLeft size={16} aria-hidden="true" />
      {children}
    </Link>
  );
}
