import {
  type KeyboardEvent,
  memo,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { GridProgramme, GuideChannel, GuideNow } from "../../../contracts/web/index.ts";
import { useWords } from "../../ui/words.tsx";
import { useGuideData } from "./guide-data.ts";
import {
  daysFor,
  neighbour,
  programmesOf,
  type Scale,
  scaleOf,
  type Segment,
  segmentsOf,
  SLOT_MS,
  type Timeline,
} from "./guide-model.ts";
import { Flag } from "./guide-sheet.tsx";

/** What is drawn beyond what is seen, so that a scroll finds something there. */
const AHEAD_PX = 720;
const ROWS_AHEAD = 5;
/** The view moves in steps: within one of them nothing is drawn anew, and the browser scrolls what is there. */
const STEP_PX = 240;
/** What the keyboard goes to stands so far into the view, in parts of its width. */
const LEAD = 0.2;
/** Less of a programme than that has no room for words. */
const WORDS_PX_MIN = 56;

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
  first: GuideNow;
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
  useLayoutEffect(() => showTime(nowMs), []);
  useEffect(() => onMove(timeline.startMs + view.left * scale.msPerPx), [view.left, timeline.startMs, scale, onMove]);

  const segmentsIn = useCallback(
    (row: number): Segment[] | null => {
      const channel = data.channels.get(row);
      const programmes = channel === undefined ? null : programmesOf(data, channel.id, days);
      return programmes === null ? null : segmentsOf(programmes, fromMs, toMs);
    },
    [data, days, fromMs, toMs],
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

  useEffect(() => {
    const element = scroller.current;
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

interface TimeHeadProps {
  fromMs: number;
  toMs: number;
  timeline: Timeline;
  scale: Scale;
  nowPx: number;
}

const TimeHead = memo(function TimeHead({ fromMs, toMs, timeline, scale, nowPx }: TimeHeadProps) {
  const { locale, m } = useWords();
  const clock = useMemo(() => new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }), [locale]);
  const ticks: number[] = [];
  for (
    let at = timeline.startMs + Math.floor((fromMs - timeline.startMs) / SLOT_MS) * SLOT_MS;
    at < toMs;
    at += SLOT_MS
  )
    ticks.push(at);
  return (
    <div role="row" aria-rowindex={1} className="guide-head" style={{ height: scale.headPx }}>
      <div role="columnheader" className="guide-corner" style={{ width: scale.channelPx }}>
        <span className="sr-only">{m.guide.channel}</span>
      </div>
      {ticks.map((at) => (
        <div
          key={at}
          role="columnheader"
          className="tabular absolute top-0 flex h-full items-center text-14 text-ink-2"
          style={{ left: (at - timeline.startMs) / scale.msPerPx + scale.channelPx + 12 }}
        >
          {clock.format(at)}
        </div>
      ))}
      <div aria-hidden="true" className="guide-now-mark" style={{ left: nowPx }} />
    </div>
  );
});

interface RowProps {
  row: number;
  channel: GuideChannel | undefined;
  /** Null while they are not there. */
  segments: readonly Segment[] | null;
  /** Where the keyboard is, if it is in this row. */
  cursorMs: number | null;
  scale: Scale;
  timeline: Timeline;
  nowMs: number;
  restPx: number;
  onOpen(id: string): void;
}

function Row({ row, channel, segments, cursorMs, scale, timeline, nowMs, restPx, onOpen }: RowProps) {
  const { m } = useWords();
  /** How much of a cell lies hidden where the sheet rests; 0 where too little is seen for words. */
  const hiddenPx = (leftPx: number, widthPx: number): number => {
    const hidden = Math.round(restPx + scale.channelPx - leftPx);
    return hidden > 0 && widthPx - hidden > WORDS_PX_MIN ? hidden : 0;
  };
  return (
    <div
      role="row"
      aria-rowindex={row + 2}
      className="guide-row"
      style={{ transform: `translateY(${scale.headPx + row * scale.rowPx}px)`, height: scale.rowPx }}
    >
      <div role="rowheader" className="guide-channel" style={{ width: scale.channelPx }}>
        {channel === undefined ? (
          <span className="skeleton h-5 w-3/4" />
        ) : (
          <>
            {channel.number !== null && <span className="tabular guide-number">{channel.number}</span>}
            <span className="guide-name" dir="auto">
              {channel.name}
            </span>
          </>
        )}
      </div>
      {segments === null ? (
        <div role="gridcell" className="guide-waiting skeleton" style={{ left: scale.channelPx }}>
          <span className="sr-only">{m.loading}</span>
        </div>
      ) : (
        segments.map((segment) => {
          const startMs = Math.max(segment.startMs, timeline.startMs);
          const leftPx = (startMs - timeline.startMs) / scale.msPerPx + scale.channelPx;
          const widthPx = (segment.stopMs - startMs) / scale.msPerPx;
          return (
            <Cell
              key={segment.startMs}
              {...{ segment, leftPx, widthPx, onOpen }}
              hiddenPx={hiddenPx(leftPx, widthPx)}
              stickyPx={scale.channelPx}
              state={segment.stopMs <= nowMs ? "over" : segment.startMs <= nowMs ? "on" : "later"}
              isCursor={cursorMs !== null && segment.startMs <= cursorMs && cursorMs < segment.stopMs}
            />
          );
        })
      )}
    </div>
  );
}

interface CellProps {
  segment: Segment;
  leftPx: number;
  widthPx: number;
  hiddenPx: number;
  stickyPx: number;
  state: "over" | "on" | "later";
  isCursor: boolean;
  onOpen(id: string): void;
}

/** A programme. Its words stay in sight while any of it does. */
const Cell = memo(
  function Cell({ segment, leftPx, widthPx, hiddenPx, stickyPx, state, isCursor, onOpen }: CellProps) {
    const { m } = useWords();
    const { programme } = segment;
    const place = { left: leftPx, width: widthPx };
    const words = { left: stickyPx + 12, maxWidth: widthPx - hiddenPx - 26 };
    const focus = { tabIndex: isCursor ? 0 : -1, "data-cursor": isCursor };
    if (programme === null || programme.locked === true)
      return (
        <div role="gridcell" className="guide-cell" style={place}>
          <span {...focus} className="guide-nothing">
            <span className="guide-words" style={words}>
              {programme === null ? m.guide.nothingKnown : m.guide.locked}
            </span>
          </span>
        </div>
      );
    return (
      <div role="gridcell" className="guide-cell" style={place}>
        <button
          type="button"
          {...focus}
          data-state={state}
          className="guide-programme"
          onClick={() => onOpen(programme.id)}
        >
          <span className="guide-words" style={words}>
            <Words of={programme} widthPx={widthPx - hiddenPx} />
          </span>
        </button>
      </div>
    );
  },
  (before, after) =>
    before.segment.programme === after.segment.programme &&
    before.segment.stopMs === after.segment.stopMs &&
    before.leftPx === after.leftPx &&
    before.widthPx === after.widthPx &&
    before.hiddenPx === after.hiddenPx &&
    before.state === after.state &&
    before.isCursor === after.isCursor &&
    before.stickyPx === after.stickyPx &&
    before.onOpen === after.onOpen,
);

function Words({ of, widthPx }: { of: GridProgramme; widthPx: number }) {
  const { locale } = useWords();
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const title = of.titles?.[locale] ?? of.title;
  const number =
    of.episode === undefined ? "" : of.season === undefined ? `E${of.episode}` : `S${of.season} E${of.episode}`;
  const second = [number, of.subtitle ?? of.category ?? ""].filter((text) => text !== "").join(" · ");
  return (
    <>
      <span className="flex items-center gap-2">
        <span className="guide-title" dir="auto">
          {title}
        </span>
        {of.flag !== undefined && of.flag !== "repeat" && widthPx > 130 && <Flag flag={of.flag} />}
      </span>
      <span className="guide-second" dir="auto">
        <span className="sr-only">{`${clock.format(of.startMs)}–${clock.format(of.stopMs)} `}</span>
        {second}
      </span>
    </>
  );
}
