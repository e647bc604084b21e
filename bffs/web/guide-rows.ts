import { LRUCache } from "lru-cache";
import type { GridProgramme, GuideChannel } from "#contracts/web";
import type { GuideChannel as ChannelMessage } from "#contracts/epg";
import { systemContext } from "#kernel";
import type { WebParts } from "./parts.ts";

const AGE_MAX = 18;
/** Most people open the same guide: what was put together within the last second is what they get. */
const ROWS_MS = 1_000;
/** What is older than that is still given for so long, while it is put together anew for those who come next. */
const ROWS_STALE_MS = 4_000;
const ROWS_BYTES_MAX = 32 * 1_024 * 1_024;

export interface RowsWish {
  /** In the order in which they are shown. */
  readonly channels: readonly ChannelMessage[];
  readonly days: readonly string[];
  readonly ageMax: number;
}

type RowsParts = Pick<WebParts, "call" | "clock">;
interface Job {
  readonly parts: RowsParts;
  readonly wish: RowsWish;
  readonly tenant: string;
}

export const channelOf = ({ id, number, name, logoUrl, playable }: ChannelMessage): GuideChannel => ({
  ...{ id, number: number || null, name, logoUrl: logoUrl || null, playable },
});

/** What a profile is too young for has its time in the guide, and nothing else. */
export const masked = (cell: GridProgramme, ageMax: number): GridProgramme =>
  (cell.age ?? 0) <= ageMax
    ? cell
    : { id: cell.id, startMs: cell.startMs, stopMs: cell.stopMs, title: "", locked: true };

/**
 * The grid's rows as bytes: days come composed, and are put together as they are. Two hundred channels are a megabyte, which to read and
 * write again would take longer than all the rest. For children they are read, because something must be left out.
 */
async function composeRows({ parts, wish: { channels, days, ageMax }, tenant }: Job): Promise<Buffer> {
  // They are for more people than the one who asked first, whose request may be over before they are there.
  const context = systemContext(tenant, "web", { clock: parts.clock });
  const channelIds = channels.map(({ id }) => id);
  const { days: composed } = await parts.call.epg.composedDays({ channelIds, days: [...days] }, context);
  const show =
    ageMax >= AGE_MAX
      ? (json: string) => json
      : (json: string) => JSON.stringify((JSON.parse(json) as GridProgramme[]).map((cell) => masked(cell, ageMax)));
  const rows = channels.map((channel, i) => {
    const own = composed.slice(i * days.length, (i + 1) * days.length).map(({ json }) => show(json));
    return `${JSON.stringify(channelOf(channel)).slice(0, -1)},"days":[${own.join(",")}]}`;
  });
  return Buffer.from(`{"channels":[${rows.join(",")}],`);
}

export type GuideRows = (wish: RowsWish, tenant: string) => Promise<Buffer>;

/** Rows that were put together lately; `perf` is the clock by which they grow old, in milliseconds. */
export function openGuideRows(parts: RowsParts, perf: { now(): number } = performance): GuideRows {
  const recent = new LRUCache<string, Buffer, Job>({
    ...{ ttl: ROWS_MS, maxSize: ROWS_BYTES_MAX, sizeCalculation: (rows) => rows.length, perf, ttlResolution: 0 },
    fetchMethod: (_key, _stale, { context }) => composeRows(context),
  });
  return async (wish, tenant) => {
    const { channels, days, ageMax } = wish;
    const key = JSON.stringify([tenant, Math.min(ageMax, AGE_MAX), days, channels.map(({ id }) => id)]);
    const allowStale = recent.getRemainingTTL(key) > -ROWS_STALE_MS;
    const rows = await recent.fetch(key, { allowStale, context: { parts, wish, tenant } });
    return rows ?? composeRows({ parts, wish, tenant });
  };
}
