import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { clock } from "../ui/time.ts";
import { useWords } from "../ui/words.tsx";
import { spansOf } from "./breaks.ts";
import { chapterAt } from "./chapters.ts";
import type { Thumbnail } from "./engine.ts";
import type { Playback } from "./playback.ts";
import type { PlayerState } from "./state.ts";

const PREVIEW_WIDTH = 176;

/** What a line stands for: a film from its beginning to its end, or a channel's window. */
function spanOf({ live, durationS }: PlayerState): { readonly startS: number; readonly endS: number } {
  return live === null ? { startS: 0, endS: durationS } : { startS: live.startS, endS: live.edgeS };
}

/** The time of a place as its line tells it: since the beginning of a film, before now on a channel. */
function timeOf(placeS: number, { live, durationS }: PlayerState): string {
  return live === null ? clock(placeS, durationS) : `-${clock(Math.max(0, live.edgeS - placeS))}`;
}

/** The film as a line: where one is, what has arrived, and a look at any other place before going there. */
export function Scrubber({ playback, state }: { playback: Playback; state: PlayerState }) {
  const { m } = useWords();
  const rail = useRef<HTMLDivElement>(null);
  const [hoverS, setHoverS] = useState<number | null>(null);
  const [dragS, setDragS] = useState<number | null>(null);
  const { startS, endS } = spanOf(state);
  const lengthS = endS - startS;
  const chapters = state.session?.content.chapters ?? [];
  // Who is with the world is at the end of the line, whatever the player keeps back.
  const positionS = dragS ?? (state.live?.isAtEdge === true ? endS : state.positionS);
  const percent = (placeS: number) =>
    lengthS > 0 ? Math.min(100, Math.max(0, ((placeS - startS) / lengthS) * 100)) : 0;

  const where =
    state.live === null
      ? m.player.seekValue(timeOf(positionS, state), clock(endS))
      : m.live.behind(clock(Math.max(0, endS - positionS)));
  const chapter = chapterAt(chapters, positionS);
  const secondsAt = (event: PointerEvent) => {
    const box = rail.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return 0;
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * lengthS + startS;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: positionS - 5,
      ArrowDown: positionS - 5,
      ArrowRight: positionS + 5,
      ArrowUp: positionS + 5,
      PageDown: positionS - 60,
      PageUp: positionS + 60,
      Home: startS,
      End: endS,
    };
    const target = steps[event.key];
    if (target === undefined) return;
    event.preventDefault();
    playback.seekTo(target);
  };
  const previewS = dragS ?? hoverS;
  return (
    <div
      className="scrubber"
      data-dragging={dragS === null ? undefined : ""}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDragS(secondsAt(event));
      }}
      onPointerMove={(event) => {
        const seconds = secondsAt(event);
        if (event.pointerType === "mouse") setHoverS(seconds);
        if (dragS !== null) setDragS(seconds);
      }}
      onPointerUp={(event) => {
        if (dragS !== null) playback.seekTo(secondsAt(event));
        setDragS(null);
      }}
      onPointerCancel={() => setDragS(null)}
      onPointerLeave={() => setHoverS(null)}
    >
      <div ref={rail} className="scrubber-rail">
        <div className="scrubber-fill bg-ink/35" style={{ width: `${percent(state.bufferedEndS)}%` }} />
        <div className="scrubber-fill bg-accent-line" style={{ width: `${percent(positionS)}%` }} />
        {spansOf(state.session?.adBreaks ?? []).map((each) => (
          <div
            key={each.startS}
            className="scrubber-break"
            style={{ left: `${percent(each.startS)}%`, width: `${percent(each.endS) - percent(each.startS)}%` }}
          />
        ))}
        {chapters
          .filter((each) => each.startS > 0 && each.startS < endS)
          .map((each) => (
            <div key={each.startS} className="scrubber-chapter" style={{ left: `${percent(each.startS)}%` }} />
          ))}
        <div
          role="slider"
          tabIndex={0}
          aria-label={m.player.seek}
          aria-valuemin={Math.round(startS)}
          aria-valuemax={Math.round(endS)}
          aria-valuenow={Math.round(positionS)}
          aria-valuetext={chapter ? m.player.seekValueInChapter(where, chapter.title) : where}
          className="scrubber-thumb"
          style={{ left: `${percent(positionS)}%` }}
          onKeyDown={onKeyDown}
        />
      </div>
      {previewS !== null && (
        <Preview
          playback={playback}
          hasThumbnails={state.hasThumbnails}
          chapter={chapterAt(chapters, previewS)?.title ?? null}
          seconds={previewS}
          time={timeOf(previewS, state)}
          percent={percent(previewS)}
        />
      )}
    </div>
  );
}

interface PreviewProps {
  playback: Playback;
  hasThumbnails: boolean;
  chapter: string | null;
  seconds: number;
  time: string;
  percent: number;
}

function Preview({ playback, hasThumbnails, chapter, seconds, time, percent }: PreviewProps) {
  const [thumbnail, setThumbnail] = useState<Thumbnail | null>(null);
  // Thumbnails are seconds apart: asking once a second is enough.
  const wholeS = Math.floor(seconds);
  useEffect(() => {
    if (!hasThumbnails) return;
    let isCurrent = true;
    void playback.thumbnailAt(wholeS).then((found) => {
      if (isCurrent) setThumbnail(found);
    });
    return () => {
      isCurrent = false;
    };
  }, [playback, hasThumbnails, wholeS]);
  const half = PREVIEW_WIDTH / 2;
  return (
    <div className="scrubber-preview" style={{ left: `clamp(${half}px, ${percent}%, calc(100% - ${half}px))` }}>
      {thumbnail !== null && <Frame thumbnail={thumbnail} />}
      <span className="flex max-w-full flex-col items-center rounded bg-black/75 px-2 py-0.5 text-14">
        {chapter !== null && <bdi className="max-w-full truncate">{chapter}</bdi>}
        <span className="tabular font-semibold">{time}</span>
      </span>
    </div>
  );
}

/** One tile of a sheet, scaled to the preview's width. */
function Frame({ thumbnail }: { thumbnail: Thumbnail }) {
  const { url, x, y, width, height, sheetWidth, sheetHeight } = thumbnail;
  if (width === 0 || height === 0) return null;
  const scale = PREVIEW_WIDTH / width;
  return (
    <div
      className="overflow-hidden rounded-md bg-lift-2 shadow-[0_8px_24px_rgb(0_0_0/0.6)] ring-1 ring-ink/20"
      style={{
        width: PREVIEW_WIDTH,
        height: height * scale,
        backgroundImage: `url("${url}")`,
        backgroundPosition: `${-x * scale}px ${-y * scale}px`,
        backgroundSize: `${(sheetWidth || width) * scale}px ${(sheetHeight || height) * scale}px`,
      }}
    />
  );
}
