import { Play, X } from "lucide-react";
import { Link } from "react-router";
import type { Card } from "../../../contracts/web/index.ts";
import { AgeBadge, ProgressLine } from "../../ui/feedback.tsx";
import { Picture } from "../../ui/picture.tsx";
import { useWords } from "../../ui/words.tsx";
import { useIntent } from "./hooks.ts";

interface TileProps {
  card: Card;
  /** Live progress of the encoder, where it is newer than the card. */
  processingProgress?: number | undefined;
  /** A way out of the list that the tile is in. */
  onRemove?: { label: string; run(): void } | undefined;
  /** Somebody goes where the tile leads. */
  onOpen?: (() => void) | undefined;
  /** What the title's page is to know of the way to it, as the end of its address. */
  by?: string;
  priority?: boolean;
  /** One below the heading that the tile stands under. */
  heading?: "h2" | "h3";
}

const SIZES = "(min-width: 1600px) 336px, (min-width: 640px) 280px, 68vw";

export function Tile({
  card,
  processingProgress,
  onRemove,
  onOpen,
  by = "",
  priority = false,
  heading: Heading = "h3",
}: TileProps) {
  const { m } = useWords();
  const { isOpen, onEnter, onLeave } = useIntent();
  const preparing = card.state === "processing" ? (processingProgress ?? card.processingProgress ?? 0) : null;
  return (
    <article
      className="tile group relative"
      data-open={isOpen ? "" : undefined}
      onPointerEnter={(event) => event.pointerType === "mouse" && onEnter()}
      onPointerLeave={onLeave}
      onFocus={onEnter}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && onLeave()}
    >
      <div className="tile-frame relative">
        <Picture
          image={card.image}
          sizes={SIZES}
          priority={priority}
          isDecoration
          className={`aspect-video rounded-tile ${card.state === "playable" ? "" : "opacity-50 saturate-50"}`}
        />
        {card.badge !== null && !isOpen && (
          <bdi className="tabular absolute start-2 top-2 rounded bg-black/70 px-2 py-0.5 text-12 font-semibold">
            {card.badge}
          </bdi>
        )}
        {preparing !== null && (
          <div className="absolute inset-x-3 bottom-3 z-[1] flex flex-col gap-1.5">
            <span className="on-picture tabular text-12 font-semibold">
              {m.processing} · {Math.round(preparing * 100)}%
            </span>
            <ProgressLine value={preparing} label={m.processingPercent(Math.round(preparing * 100))} />
          </div>
        )}
        {isOpen && card.state === "playable" && <Facts card={card} onRemove={onRemove} onOpen={onOpen} />}
        {card.progress !== null && card.state === "playable" && (
          <ProgressLine
            value={card.progress}
            label={m.progressWatched(Math.round(card.progress * 100))}
            className="absolute inset-x-2 bottom-2 z-[2]"
          />
        )}
      </div>
      <Heading className="mt-2.5 line-clamp-1 text-14 font-medium text-ink-2 transition-colors group-hover:text-ink">
        <Link to={`/title/${card.id}${by}`} className="tile-link" onClick={onOpen}>
          <bdi>{card.title}</bdi>
        </Link>
      </Heading>
    </article>
  );
}

function Facts({ card, onRemove, onOpen }: Pick<TileProps, "card" | "onRemove" | "onOpen">) {
  const { m } = useWords();
  return (
    <div className="tile-facts arrive absolute inset-0 flex flex-col justify-end gap-1 rounded-tile p-3 pb-4">
      <p className="tabular flex items-center gap-2 text-12 text-ink">
        <AgeBadge age={card.ageRating} />
        <bdi className="line-clamp-1">{card.facts}</bdi>
      </p>
      <p className="line-clamp-2 pe-12 text-12 text-ink-2">
        <bdi>{card.synopsis}</bdi>
      </p>
      <div className="absolute end-3 bottom-4 z-[2] flex flex-col gap-2">
        {onRemove !== undefined && (
          <button
            type="button"
            aria-label={onRemove.label}
            onClick={onRemove.run}
            className="button button-quiet size-11 min-h-11 p-0"
          >
            <X size={18} aria-hidden="true" />
          </button>
        )}
        {card.playId !== null && (
          <Link
            to={`/watch/${card.playId}`}
            onClick={onOpen}
            aria-label={m.playTitle(card.title)}
            className="button button-primary size-11 min-h-11 p-0"
          >
            <Play size={18} fill="currentColor" aria-hidden="true" />
          </Link>
        )}
      </div>
    </div>
  );
}

interface TileGridProps {
  cards: readonly Card[];
  heading?: "h2" | "h3";
  onRemove?: (card: Card) => TileProps["onRemove"];
  by?: string;
}

/** Titles in rows that fill the width. */
export function TileGrid({ cards, heading = "h3", onRemove, by = "" }: TileGridProps) {
  return (
    <ul className="tile-grid">
      {cards.map((card, index) => (
        <li key={card.id}>
          <Tile card={card} heading={heading} by={by} priority={index < 4} onRemove={onRemove?.(card)} />
        </li>
      ))}
    </ul>
  );
}
