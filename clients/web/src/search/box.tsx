import { Search as SearchIcon } from "lucide-react";
import { type KeyboardEvent, useEffect, useEffectEvent, useId, useRef, useState } from "react";
import { Form, useNavigate } from "react-router";
import type { Suggestions } from "../../../../contracts/web/search/index.ts";
import { useWords } from "../../../ui/words.tsx";
import { browserApi } from "../api.ts";
import { pathOf } from "./asked.ts";

type Suggestion = Suggestions["suggestions"][number];

const TYPING_MS = 180;
const NOTHING_ELSE = { genres: [], kind: "", decade: "", language: "", without: [], finished: false };

/**
 * Where one types: results follow by themselves, and suggestions stand below, in one line that covers nothing. It is an editable combobox with a
 * list (WAI-ARIA Authoring Practices): the focus stays in the field, down and up go through the list, Enter takes, Escape closes and then empties.
 */
export function SearchBox({ query }: { query: string }) {
  const { m } = useWords();
  const navigate = useNavigate();
  const listId = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(query);
  const [suggestions, setSuggestions] = useState<readonly Suggestion[]>([]);
  const [active, setActive] = useState(-1);
  /** The query that the address last said, and the one that it was last told. */
  const [shown, setShown] = useState(query);
  const [sent, setSent] = useState(query);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  // The address changed by going back, or by a link. Where it follows what was typed, more may have been typed since.
  if (shown !== query) {
    setShown(query);
    if (query !== sent) {
      setSent(query);
      setText(query);
    }
  }
  useEffect(() => {
    if (input.current !== null && input.current.value === "") input.current.focus({ preventScroll: true });
    return () => clearTimeout(timer.current);
  }, []);
  useSuggestions(text, (found) => {
    setSuggestions(found);
    setActive(-1);
  });

  const go = (q: string) => {
    setSent(q);
    void navigate(pathOf({ ...NOTHING_ELSE, q }), { replace: true, preventScrollReset: true });
  };
  const type = (value: string) => {
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => go(value.trim()), TYPING_MS);
  };
  const take = ({ kind, text: name, contentId }: Suggestion) => {
    clearTimeout(timer.current);
    if (kind === "title" && contentId !== undefined) return void navigate(`/title/${contentId}`);
    setText(name);
    go(name);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing) return;
    const chosen = suggestions[active];
    const count = suggestions.length;
    if (event.key === "ArrowDown" && count > 0) setActive(((active + 2) % (count + 1)) - 1);
    else if (event.key === "ArrowUp" && count > 0) setActive(((active + count + 1) % (count + 1)) - 1);
    else if (event.key === "Enter" && chosen !== undefined) take(chosen);
    else if (event.key === "Escape" && (count > 0 || text !== "")) {
      if (count > 0) setSuggestions([]);
      else type("");
    } else return;
    event.preventDefault();
  };
  const optionId = (index: number) => `${listId}-${index}`;
  useEffect(() => {
    if (active >= 0)
      document.getElementById(`${listId}-${active}`)?.scrollIntoView({ inline: "nearest", block: "nearest" });
  }, [active, listId]);
  return (
    <Form
      method="get"
      action="/search"
      role="search"
      className="max-w-3xl"
      onSubmit={() => {
        clearTimeout(timer.current);
        setSuggestions([]);
      }}
    >
      <div className="relative">
        <SearchIcon
          size={24}
          aria-hidden="true"
          className="pointer-events-none absolute start-4 top-1/2 -translate-y-1/2 text-ink-3"
        />
        <input
          ref={input}
          type="search"
          name="q"
          value={text}
          maxLength={200}
          autoComplete="off"
          role="combobox"
          aria-label={m.search}
          aria-autocomplete="list"
          aria-expanded={suggestions.length > 0}
          aria-controls={listId}
          aria-activedescendant={active >= 0 ? optionId(active) : undefined}
          placeholder={m.searchPlaceholder}
          className="field min-h-16 ps-14 text-20"
          onChange={(event) => type(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <input type="hidden" name="finished" value="true" />
      <div id={listId} role="listbox" aria-label={m.find.suggestions} className="suggestions">
        {suggestions.map((suggestion, index) => (
          <div
            key={`${suggestion.kind}/${suggestion.contentId ?? suggestion.text}`}
            id={optionId(index)}
            role="option"
            // Keys are the field's, which keeps the focus.
            tabIndex={-1}
            aria-selected={index === active}
            className={`suggestion ${index === active ? "bg-lift-3 text-ink" : ""}`}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(suggestion)}
            onKeyDown={(event) => event.key === "Enter" && take(suggestion)}
          >
            <bdi>{suggestion.text}</bdi>
          </div>
        ))}
      </div>
    </Form>
  );
}

/** Asks for suggestions where the typing pauses; what comes after more was typed is not looked at. */
function useSuggestions(text: string, onFound: (found: readonly Suggestion[]) => void): void {
  const found = useEffectEvent(onFound);
  const first = useRef(text);
  useEffect(() => {
    // Whoever comes with a query looks for results.
    if (text === first.current) return;
    first.current = "";
    const leaving = new AbortController();
    const wait = setTimeout(() => {
      if (text.trim() === "") return found([]);
      // A search without suggestions is still a search.
      browserApi.suggest(text.trim(), leaving.signal).then(
        ({ suggestions }) => found(suggestions),
        () => {
          if (!leaving.signal.aborted) found([]);
        },
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(wait);
      leaving.abort();
    };
  }, [text]);
}
