import { createContext, type ReactNode, useContext, useMemo } from "react";
import type { Locale } from "./locale.ts";
import type { Messages } from "./messages/en.ts";

interface Words {
  m: Messages;
  locale: Locale;
}

const WordsContext = createContext<Words | null>(null);

export function WordsProvider({ m, locale, children }: Words & { children: ReactNode }) {
  const value = useMemo(() => ({ m, locale }), [m, locale]);
  return <WordsContext value={value}>{children}</WordsContext>;
}

/** The catalogue and the language of this page. */
export function useWords(): Words {
  const words = useContext(WordsContext);
  if (words === null) throw new Error("useWords needs a WordsProvider above it.");
  return words;
}
