import { useState } from "react";

export interface Draft<T> {
  readonly draft: T;
  readonly isDirty: boolean;
  set(next: T): void;
  /** Back to what the product has. */
  reset(): void;
}

/** What somebody edits. News from the product takes its place only while nothing was changed. */
export function useDraft<T>(value: T): Draft<T> {
  const text = JSON.stringify(value);
  const [state, setState] = useState({ base: text, draft: value });
  const isDirty = JSON.stringify(state.draft) !== state.base;
  // What was saved comes back as news: then the draft is what the product has.
  const isSaved = JSON.stringify(state.draft) === text;
  if (state.base !== text && (!isDirty || isSaved)) setState({ base: text, draft: isSaved ? state.draft : value });
  return {
    draft: state.draft,
    isDirty,
    set: (draft) => setState((before) => ({ ...before, draft })),
    reset: () => setState({ base: text, draft: value }),
  };
}
