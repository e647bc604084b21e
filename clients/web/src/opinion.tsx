import { ThumbsDown, ThumbsUp, X } from "lucide-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import type { Opinion } from "../../../contracts/web/recommendations/index.ts";
import { useWords } from "../../ui/words.tsx";
import { browserApi } from "./api.ts";
import { askedIn, foundBy } from "./search/asked.ts";

/** What the profile says of a title, as buttons of which one may be pressed; pressing it again takes it back. */
export function OpinionButtons({ contentId, initial }: { contentId: string; initial: Opinion }) {
  const { m } = useWords();
  const [query] = useSearchParams();
  const [opinion, setOpinion] = useState(initial);
  const [hasFailed, setHasFailed] = useState(false);
  const say = (pressed: Opinion) => {
    const next = pressed === opinion ? "none" : pressed;
    setOpinion(next);
    setHasFailed(false);
    browserApi.setOpinion(contentId, next).catch(() => {
      setOpinion(opinion);
      setHasFailed(true);
    });
  };
  const choices = [
    ["up", m.opinions.up, ThumbsUp],
    ["down", m.opinions.down, ThumbsDown],
    ["not_interested", m.opinions.notInterested, X],
  ] as const;
  return (
    <>
      {choices.map(([value, label, Icon]) => (
        <button
          key={value}
          type="button"
          aria-pressed={opinion === value}
          aria-label={label}
          title={label}
          onClick={() => say(value)}
          className={`button button-round needs-script ${opinion === value ? "button-primary" : "button-quiet"}`}
        >
          <Icon size={20} aria-hidden="true" />
        </button>
      ))}
      <Link
        to={`/why/${contentId}${foundBy(askedIn(query))}`}
        className="min-h-11 content-center text-14 text-ink-2 underline underline-offset-4 hover:text-ink"
      >
        {m.why.title}
      </Link>
      {hasFailed && (
        <p role="alert" className="w-full text-14 text-warn">
          {m.couldNotSave}
        </p>
      )}
    </>
  );
}
