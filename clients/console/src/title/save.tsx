import { Check, RotateCcw, Save } from "lucide-react";
import { api, type EnrichedTitle } from "../api.ts";
import { useDeeds } from "../undo.tsx";

/** Says something of a title, with what stood there before as the way back. */
export function useSaying(title: EnrichedTitle, what: string, onSaved: () => Promise<void>) {
  const { attempt } = useDeeds();
  return async (next: unknown, text: string, before: { readonly value: unknown; readonly corrected: boolean }) => {
    const say = (value: unknown) => api.correct(title.contentId, what, value).finally(() => void onSaved());
    await attempt(() => say(next), { text, undo: () => say(before.corrected ? before.value : undefined) });
  };
}

/** What can be done with something that a model made and a person may change. */
export function SaveBar(props: {
  /** `chapters`: what the buttons are about. */
  of: string;
  /** A summary is one thing. */
  isOne?: boolean;
  isDirty: boolean;
  corrected: boolean;
  hasValue: boolean;
  problem: string | undefined;
  onSave(): void;
  onAccept(): void;
  onReset(): void;
  onRestore(): void;
}) {
  const { of, isDirty, corrected, hasValue, problem } = props;
  return (
    <div className="mt-5 flex flex-wrap items-center gap-3">
      {isDirty ? (
        <>
          <button
            type="button"
            className="button button-primary button-small"
            disabled={problem !== undefined}
            onClick={props.onSave}
          >
            <Save size={16} aria-hidden="true" />
            Save {of}
          </button>
          <button type="button" className="button button-plain button-small" onClick={props.onReset}>
            Discard changes
          </button>
        </>
      ) : corrected ? (
        <button type="button" className="button button-plain button-small" onClick={props.onRestore}>
          <RotateCcw size={16} aria-hidden="true" />
          Back to the model’s {of}
        </button>
      ) : (
        hasValue && (
          <button type="button" className="button button-quiet button-small" onClick={props.onAccept}>
            <Check size={16} aria-hidden="true" />
            Accept {of} as {props.isOne === true ? "it is" : "they are"}
          </button>
        )
      )}
      {problem !== undefined && (
        <p className="text-14 text-warn" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

export const whose = (corrected: boolean, hasValue: boolean): string =>
  corrected ? "Yours" : hasValue ? "A model’s" : "None yet";
