import type { InputHTMLAttributes, ReactNode } from "react";
import { useId } from "react";
import { useWords } from "../../ui/words.tsx";

/** One column in the middle of the dark: the pages before the cinema. */
export function FormPage({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <div className="gutter flex min-h-dvh flex-col items-center justify-center pt-24 pb-16">
      <div className="arrive w-full max-w-md">
        <h1 className="display text-40">{title}</h1>
        {text !== undefined && <p className="mt-3 text-16 text-ink-2">{text}</p>}
        <div className="mt-8 flex flex-col gap-5">{children}</div>
      </div>
    </div>
  );
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
}

export function Field({ label, hint, ...input }: FieldProps) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block text-14 font-medium text-ink-2">
        {label}
      </label>
      <input id={id} className="field" aria-describedby={hint === undefined ? undefined : `${id}-hint`} {...input} />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1.5 text-14 text-ink-3">
          {hint}
        </p>
      )}
    </div>
  );
}

/** What the server found wrong, as its redirect says in `?error=`. */
export function FormError({ error }: { error: string | null }) {
  const { m } = useWords();
  if (error === null) return null;
  const texts = new Map(Object.entries(m.authErrors));
  return (
    <p role="alert" className="rounded-xl bg-lift-2 px-4 py-3 text-16 text-warn">
      {texts.get(error) ?? m.authErrors.other}
    </p>
  );
}

export const textLink =
  "inline-flex min-h-11 items-center font-semibold text-ink underline underline-offset-4 hover:text-accent-line";
