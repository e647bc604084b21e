import { FormatError } from "#media/format";
import { applySplice, type SpliceRange } from "#media/scte35";
import type { StationPlatform } from "./station.ts";
import { removeSplice, saveSplice } from "./store-splices.ts";

/** Splices are announced some seconds ahead; what is so far away is not of this channel's time. */
const FAR_MS = 3_600_000;

/** What a channel's input asked for, in the channel's own time. */
export interface Splices {
  /** In the order in which they were heard of. */
  ranges(): readonly SpliceRange[];
  /** Takes a section; `wallMs` says when a time of the input's clock is shown, and null is at once. */
  hear(section: Uint8Array, wallMs: (ticks: number | null) => number): void;
  forgetBefore(timeMs: number): void;
}

export interface SplicesOptions {
  readonly tenant: string;
  readonly channelId: string;
  readonly stored: readonly SpliceRange[];
  /** They are others than before. */
  readonly onChange: () => void;
}

export function openSplices(
  { db, clock, logger }: Pick<StationPlatform, "db" | "clock" | "logger">,
  { tenant, channelId, stored, onChange }: SplicesOptions,
): Splices {
  let ranges = stored;
  // One after the other: the end of a break is written after its begin.
  let written = Promise.resolve();

  /** The state and its events together; who plays the channel does not wait for either. */
  function keep(before: readonly SpliceRange[], after: readonly SpliceRange[]): void {
    const changed = after.filter((range) => !before.includes(range));
    const taken = before.filter(({ id }) => !after.some((range) => range.id === id));
    written = written
      .then(() =>
        db.tx({ tenant }, async (tx) => {
          for (const range of changed) {
            await saveSplice(tx, channelId, range);
            tx.emit("spliceDetected", toEvent(channelId, range, actionOf(range)));
          }
          for (const range of taken) {
            await removeSplice(tx, channelId, range.id);
            tx.emit("spliceDetected", toEvent(channelId, range, "cancel"));
          }
        }),
      )
      .catch((error: unknown) => logger.error("a splice was not kept", { channel_id: channelId, error }));
  }

  return {
    ranges: () => ranges,
    hear(section, wallMs) {
      const before = ranges;
      try {
        const after = applySplice(before, section, ({ pts }) => wallMs(pts));
        const nowMs = clock.nowMs();
        const isFar = ({ startMs, endMs }: SpliceRange): boolean => Math.abs((endMs ?? startMs) - nowMs) > FAR_MS;
        const far = after.find((range) => !before.includes(range) && isFar(range));
        if (far)
          return logger.warn("a splice far from now was passed over", { channel_id: channelId, splice_id: far.id });
        if (after.length === before.length && after.every((range) => before.includes(range))) return;
        ranges = after;
        keep(before, after);
        onChange();
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        logger.warn("a splice could not be read", { channel_id: channelId, error });
      }
    },
    forgetBefore(timeMs) {
      if (ranges.some((range) => isOver(range, timeMs))) ranges = ranges.filter((range) => !isOver(range, timeMs));
    },
  };
}

const isOver = ({ startMs, endMs, plannedDurationS }: SpliceRange, timeMs: number): boolean =>
  Math.max(startMs + (plannedDurationS ?? 0) * 1_000, endMs ?? startMs) < timeMs;

const actionOf = ({ outHex, inHex }: SpliceRange): "out" | "in" | "mark" =>
  inHex === null ? (outHex === null ? "mark" : "out") : "in";

const toEvent = (channelId: string, range: SpliceRange, action: "out" | "in" | "mark" | "cancel") => ({
  ...{ contentId: channelId, spliceId: range.id, action, startMs: range.startMs, endMs: range.endMs ?? 0 },
  plannedDurationS: range.plannedDurationS ?? 0,
});
