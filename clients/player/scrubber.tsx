import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { clock } from "../ui/time.ts";
import { useWords } from "../ui/words.tsx";
import { chapterAt } from "./chapters.ts";
import type { Thumbnail } from "./engine.ts";
import type { Playback } from "./playback.ts";
import type { PlayerState } from "./state.ts";

const PREVIEW_WIDTH = 176;

/** The film as a line: where one is, what has arrived, and a look at any other place before going there. */
export function Scrubber({ playback, state }: { playback: Playback; state: PlayerState }) {
  const { m } = useWords();
  const rail = useRef<HTMLDivElement>(null);
  const [hoverS, setHoverS] = useState<number | null>(null);
  const [dragS, setDragS] = useState<number | null>(null);
  const { durationS } = state;
  const chapters = state.session?.content.chapters ?? [];
  const positionS = dragS ?? state.positionS;
  const percent = (seconds: number) => (durationS > 0 ? Math.min(100, Math.max(0, (seconds / durationS) * 100)) : 0);

  const where = m.player.seekValue(clock(positionS, durationS), clock(durationS));
  const chapter = chapterAt(chapters, positionS);
  const secondsAt = (event: PointerEvent) => {
    const box = rail.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return 0;
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * durationS;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: positionS - 5,
      ArrowDown: positionS - 5,
      ArrowRight: positionS + 5,
      ArrowUp: positionS + 5,
      PageDown: positionS - 60,
      PageUp: positionS + 60,
      Home: 0,
      End: durationS,
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
        {chapters
          .filter(({ startS }) => startS > 0 && startS < durationS)
          .map(({ startS }) => (
            <div key={startS} className="scrubber-chapter" style={{ left: `${percent(startS)}%` }} />
          ))}
        <div
          role="slider"
          tabIndex={0}
          aria-label={m.player.seek}
          aria-valuemin={0}
          aria-valuemax={Math.round(durationS)}
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
          durationS={durationS}
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
  durationS: number;
  percent: number;
}

function Preview({ playback, hasThumbnails, chapter, seconds, durationS, percent }: PreviewProps) {
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
        <span className="tabular font-semibold">{clock(seconds, durationS)}</span>
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
