import { memo, useMemo } from "react";
import type { GridProgramme, GuideChannel } from "../../../contracts/web/index.ts";
import { useWords } from "../../ui/words.tsx";
import { type Scale, type Segment, SLOT_MS, type Timeline } from "./guide-model.ts";
import { Flag } from "./guide-sheet.tsx";

/** Less of a programme than that has no room for words. */
export const WORDS_PX_MIN = 56;
const SECOND_PX_MIN = 72;

interface TimeHeadProps {
  fromMs: number;
  toMs: number;
  timeline: Timeline;
  scale: Scale;
  nowPx: number;
}

export const TimeHead = memo(function TimeHead({ fromMs, toMs, timeline, scale, nowPx }: TimeHeadProps) {
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

export function Row({ row, channel, segments, cursorMs, scale, timeline, nowMs, restPx, onOpen }: RowProps) {
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
      style={{ top: scale.headPx + row * scale.rowPx, height: scale.rowPx }}
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
    const { programme, others = 0 } = segment;
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
            <Words of={programme} others={others} widthPx={widthPx - hiddenPx} />
          </span>
        </button>
      </div>
    );
  },
  (before, after) =>
    before.segment.programme === after.segment.programme &&
    before.segment.stopMs === after.segment.stopMs &&
    before.segment.others === after.segment.others &&
    before.leftPx === after.leftPx &&
    before.widthPx === after.widthPx &&
    before.hiddenPx === after.hiddenPx &&
    before.state === after.state &&
    before.isCursor === after.isCursor &&
    before.stickyPx === after.stickyPx &&
    before.onOpen === after.onOpen,
);

function Words({ of, others, widthPx }: { of: GridProgramme; others: number; widthPx: number }) {
  const { locale, m } = useWords();
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const title = of.titles?.[locale] ?? of.title;
  const number =
    of.episode === undefined ? "" : of.season === undefined ? `E${of.episode}` : `S${of.season} E${of.episode}`;
  const more = others === 0 ? "" : m.guide.more(others);
  const second = [more, number, of.subtitle ?? of.category ?? ""].filter((text) => text !== "").join(" · ");
  return (
    <>
      <span className="flex items-center gap-2">
        <span className="guide-title" dir="auto">
          {title}
        </span>
        {of.flag !== undefined && of.flag !== "repeat" && widthPx > 130 && <Flag flag={of.flag} />}
      </span>
      <span className="guide-second" dir="auto">
        <span className="sr-only">{` ${clock.format(of.startMs)}–${clock.format(of.stopMs)} `}</span>
        {widthPx > SECOND_PX_MIN && second}
      </span>
    </>
  );
}
