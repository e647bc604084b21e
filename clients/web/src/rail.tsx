import { ChevronLeft, ChevronRight } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import type { Card, Rail as RailData } from "../../../contracts/web/index.ts";
import { useWords } from "../../ui/words.tsx";
import { useKeptScroll } from "./hooks.ts";
import { Tile } from "./tile.tsx";

interface RailProps {
  rail: RailData;
  processing?: ReadonlyMap<string, { progress: number }>;
  onRemove?: ((card: Card) => { label: string; run(): void }) | undefined;
  /** Somebody goes where a tile leads. */
  onOpen?: ((card: Card, position: number) => void) | undefined;
  priority?: boolean;
}

/** Left and right go from tile to tile the way the eye does, also where the page reads from the right. */
function moveByArrow(event: KeyboardEvent<HTMLUListElement>): void {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>(".tile-link")];
  const from = links.findIndex((link) => link.closest("li")?.contains(document.activeElement) === true);
  if (from < 0) return;
  const isForward = (event.key === "ArrowRight") === (getComputedStyle(event.currentTarget).direction === "ltr");
  const next = links[from + (isForward ? 1 : -1)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.closest("li")?.scrollIntoView({ behavior: "smooth", inline: "nearest", block: "nearest" });
}

function titleOf({ kind, title, about }: RailData, m: ReturnType<typeof useWords>["m"]): string {
  if (kind === "continue") return m.continueWatching;
  if (kind === "for_you") return m.forYou;
  if (kind === "popular") return m.popular;
  return kind === "because" && about !== null ? m.becauseYouWatched(about.title) : title;
}

export function Rail({ rail, processing, onRemove, onOpen, priority = false }: RailProps) {
  const { m } = useWords();
  const titleId = useId();
  const track = useKeptScroll(rail.id);
  const [edge, setEdge] = useState({ atStart: true, atEnd: false });
  const title = titleOf(rail, m);

  useEffect(() => {
    const element = track.current;
    if (element === null) return;
    const measure = () => {
      const offset = Math.abs(element.scrollLeft);
      setEdge({ atStart: offset < 8, atEnd: offset + element.clientWidth > element.scrollWidth - 8 });
    };
    measure();
    element.addEventListener("scroll", measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", measure);
      observer.disconnect();
    };
  }, [track]);

  const page = (pages: number) => {
    const element = track.current;
    if (element === null) return;
    const sign = getComputedStyle(element).direction === "rtl" ? -1 : 1;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollBy({ left: sign * pages * element.clientWidth * 0.85, behavior: isStill ? "instant" : "smooth" });
  };
  const arrow =
    "rail-arrow needs-script absolute inset-y-0 z-10 hidden w-[clamp(2rem,4vw,4.5rem)] items-center justify-center text-ink transition-opacity sm:flex disabled:pointer-events-none disabled:opacity-0";
  return (
    <section aria-labelledby={titleId} className="rail mt-8 sm:mt-10">
      <h2 id={titleId} className="gutter display text-20">
        <bdi>{title}</bdi>
      </h2>
      <div className="relative">
        <button
          type="button"
          aria-label={`${m.scrollBack}: ${title}`}
          disabled={edge.atStart}
          onClick={() => page(-1)}
          className={`${arrow} start-0 bg-linear-to-r from-ground/90 to-transparent rtl:bg-linear-to-l`}
        >
          <ChevronLeft size={32} aria-hidden="true" className="rtl:rotate-180" />
        </button>
        <ul ref={track} className="rail-track" onKeyDown={moveByArrow}>
          {rail.cards.map((card, index) => (
            <li key={card.id}>
              <Tile
                card={card}
                priority={priority && index < 5}
                processingProgress={processing?.get(card.id)?.progress}
                onRemove={onRemove?.(card)}
                onOpen={onOpen && (() => onOpen(card, index))}
              />
            </li>
          ))}
        </ul>
        <button
          type="button"
          aria-label={`${m.scrollForward}: ${title}`}
          disabled={edge.atEnd}
          onClick={() => page(1)}
          className={`${arrow} end-0 bg-linear-to-l from-ground/90 to-transparent rtl:bg-linear-to-r`}
        >
          <ChevronRight size={32} aria-hidden="true" className="rtl:rotate-180" />
        </button>
      </div>
    </section>
  );
}
