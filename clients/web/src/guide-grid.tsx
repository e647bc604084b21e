import {
  type KeyboardEvent,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { GuideNow } from "../../../contracts/web/index.ts";
import { useWords } from "../../ui/words.tsx";
import { useGuideData } from "./guide-data.ts";
import {
  type GuideOrder,
  daysFor,
  gather,
  neighbour,
  programmesOf,
  scaleOf,
  type Segment,
  segmentsOf,
  SLOT_MS,
  type Timeline,
} from "./guide-model.ts";
import { Row, TimeHead, WORDS_PX_MIN } from "./guide-row.tsx";

/** What is drawn beyond what is seen, so that a scroll finds something there. */
const AHEAD_PX = 720;
const ROWS_AHEAD = 5;
/** The view moves in steps: within one of them nothing is drawn anew, and the browser scrolls what is there. */
const STEP_PX = 240;
/** What the keyboard goes to stands so far into the view, in parts of its width. */
const LEAD = 0.2;

export interface GridHandle {
  showTime(atMs: number): void;
}

interface View {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}
/** Where the keyboard is: a row, and a moment in it. */
interface Cursor {
  readonly row: number;
  readonly atMs: number;
}

interface GridProps {
  first: GuideNow & { readonly order: GuideOrder };
  timeline: Timeline;
  nowMs: number;
  handle: Ref<GridHandle>;
  onOpen(id: string): void;
  /** The moment at the left edge, where it moves to another step. */
  onMove(atMs: number): void;
}

const EMPTY: View = { left: 0, top: 0, width: 1280, height: 720 };

/** Channels down, time across. It scrolls as one sheet, of which only what is near is drawn. */
export function GuideGrid({ first, timeline, nowMs, handle, onOpen, onMove }: GridProps) {
  const { m } = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>(EMPTY);
  const scale = useMemo(() => scaleOf(view.width), [view.width]);
  /** Where the sheet came to rest, so that words of what is cut at the edge can stand within what is seen of it. */
  const [restPx, setRestPx] = useState(0);
  const [cursor, setCursor] = useState<Cursor>({ row: 0, atMs: nowMs });
  const wantsFocus = useRef(false);
  /** What of the grid has the focus, or had it when it was taken out of the page. */
  const held = useRef<Element | null>(null);
  /** It opens on what is on, once; time goes on under whoever scrolls. */
  const hasBegun = useRef(false);

  const fromMs = timeline.startMs + Math.max(0, view.left - AHEAD_PX) * scale.msPerPx;
  const toMs = Math.min(timeline.stopMs, timeline.startMs + (view.left + view.width + AHEAD_PX) * scale.msPerPx);
  const firstRow = Math.max(0, Math.floor(view.top / scale.rowPx) - ROWS_AHEAD);
  const lastRow = Math.ceil((view.top + view.height) / scale.rowPx) + ROWS_AHEAD;
  const days = useMemo(() => daysFor(fromMs, toMs), [fromMs, toMs]);
  const data = useGuideData(first, { firstRow, lastRow, days });

  const look = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const step = (px: number) => Math.floor(px / STEP_PX) * STEP_PX;
    const next = {
      left: step(element.scrollLeft),
      top: step(element.scrollTop),
      width: element.clientWidth,
      height: element.clientHeight,
    };
    setView((before) =>
      before.left === next.left &&
      before.top === next.top &&
      before.width === next.width &&
      before.height === next.height
        ? before
        : next,
    );
  }, []);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [look]);

  const showTime = useCallback(
    (atMs: number) => {
      const element = scroller.current;
      if (element === null) return;
      const slots = Math.floor((atMs - timeline.startMs) / SLOT_MS);
      element.scrollLeft = (slots * SLOT_MS) / scaleOf(element.clientWidth).msPerPx - 8;
      setRestPx(element.scrollLeft);
      look();
    },
    [timeline.startMs, look],
  );
  useImperativeHandle(handle, () => ({ showTime }), [showTime]);
  useLayoutEffect(() => {
    if (!hasBegun.current) showTime(nowMs);
    hasBegun.current = true;
  }, [showTime, nowMs]);
  useEffect(() => onMove(timeline.startMs + view.left * scale.msPerPx), [view.left, timeline.startMs, scale, onMove]);

  const segmentsIn = useCallback(
    (row: number): Segment[] | null => {
      const channel = data.channels.get(row);
      const programmes = channel === undefined ? null : programmesOf(data, channel.id, days);
      if (programmes === null) return null;
      return gather(segmentsOf(programmes, fromMs, toMs), WORDS_PX_MIN * scale.msPerPx, nowMs);
    },
    [data, days, fromMs, toMs, scale, nowMs],
  );

  /** Moves the keyboard's place into sight, with its channel and the head of times out of its way. */
  const goTo = useCallback(
    (next: Cursor, segment?: Segment) => {
      const element = scroller.current;
      if (element === null) return;
      wantsFocus.current = true;
      setCursor(next);
      const topPx = next.row * scale.rowPx;
      const seenPx = element.clientHeight - scale.headPx;
      if (topPx < element.scrollTop) element.scrollTop = topPx;
      else if (topPx + scale.rowPx > element.scrollTop + seenPx) element.scrollTop = topPx + scale.rowPx - seenPx;
      const leftPx = ((segment?.startMs ?? next.atMs) - timeline.startMs) / scale.msPerPx;
      const widthPx = element.clientWidth - scale.channelPx;
      if (leftPx < element.scrollLeft) element.scrollLeft = leftPx - 24;
      else if (leftPx > element.scrollLeft + widthPx * 0.8) element.scrollLeft = leftPx - widthPx * LEAD;
      look();
    },
    [scale, timeline.startMs, look],
  );

  const onKeyDown = (event: KeyboardEvent): void => {
    const segments = segmentsIn(cursor.row);
    const rows = Math.max(1, Math.floor((view.height - scale.headPx) / scale.rowPx) - 1);
    const toRow = (row: number) => goTo({ ...cursor, row: Math.min(Math.max(0, row), data.total - 1) });
    const along = (step: -1 | 1) => {
      const segment = segments === null ? undefined : neighbour(segments, cursor.atMs, step);
      if (segment !== undefined) goTo({ row: cursor.row, atMs: Math.max(segment.startMs, timeline.startMs) }, segment);
    };
    const moves: Readonly<Record<string, () => void>> = {
      ArrowUp: () => toRow(cursor.row - 1),
      ArrowDown: () => toRow(cursor.row + 1),
      ArrowLeft: () => along(-1),
      ArrowRight: () => along(1),
      PageUp: () => toRow(cursor.row - rows),
      PageDown: () => toRow(cursor.row + rows),
      Home: () => goTo({ row: cursor.row, atMs: nowMs }),
      End: () => goTo({ row: cursor.row, atMs: timeline.stopMs - SLOT_MS }),
    };
    const move = moves[event.key];
    if (move === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move();
  };

  // Before anything else is heard: a key that is pressed while nothing has the focus goes nowhere.
  useLayoutEffect(() => {
    const element = scroller.current;
    // A row whose next day is still on its way has no cells: who stood on one of them stays in the grid.
    if (held.current?.isConnected === false && document.activeElement === document.body) wantsFocus.current = true;
    if (!wantsFocus.current || element === null) return;
    const cell = element.querySelector<HTMLElement>('[data-cursor="true"]');
    // What had the focus may be gone already, and what gets it may still be on its way: the grid hears the keys meanwhile.
    (cell ?? element).focus({ preventScroll: true });
    if (cell !== null) wantsFocus.current = false;
  });

  const widthPx = (timeline.stopMs - timeline.startMs) / scale.msPerPx + scale.channelPx;
  const rows = Array.from({ length: Math.max(0, Math.min(lastRow, data.total) - firstRow) }, (_, i) => firstRow + i);
  const nowPx = (nowMs - timeline.startMs) / scale.msPerPx + scale.channelPx;
  return (
    <>
      <div
        ref={scroller}
        role="grid"
        tabIndex={-1}
        dir="ltr"
        aria-label={m.guide.title}
        aria-rowcount={data.total + 1}
        className="guide-scroller"
        onScroll={look}
        onScrollEnd={(event) => setRestPx(event.currentTarget.scrollLeft)}
        onKeyDown={onKeyDown}
        onFocus={({ target }) => (held.current = target)}
        onBlur={({ target }) => (held.current = target.isConnected ? null : target)}
      >
        <div
          className="relative"
          style={{ width: widthPx, height: data.total * scale.rowPx + scale.headPx }}
          role="presentation"
        >
          <TimeHead {...{ fromMs, toMs, timeline, scale, nowPx }} />
          {rows.map((row) => (
            <Row
              key={row}
              row={row}
              channel={data.channels.get(row)}
              segments={segmentsIn(row)}
              cursorMs={cursor.row === row ? cursor.atMs : null}
              {...{ scale, timeline, nowMs, restPx, onOpen }}
            />
          ))}
          <div
            aria-hidden="true"
            className="guide-now"
            style={{ left: nowPx, top: scale.headPx, height: data.total * scale.rowPx }}
          />
        </div>
      </div>
      {data.hasFailed && (
        <p
          role="alert"
          className="arrive fixed inset-x-0 bottom-20 z-50 mx-auto flex w-fit items-center gap-4 rounded-full bg-lift-3 py-1 ps-5 pe-1 text-14 sm:bottom-6"
        >
          {m.guide.partial}
          <button type="button" className="button button-quiet button-small" onClick={data.again}>
            {m.tryAgain}
          </button>
        </p>
      )}
    </>
  );
}
