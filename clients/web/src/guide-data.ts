import { useCallback, useEffect, useRef, useState } from "react";
import type { GridProgramme, GuideChannel, GuideNow } from "../../../contracts/web/index.ts";
import { browserApi } from "./api.ts";
import type { GuideOrder, Loaded } from "./guide-model.ts";

/** The guide comes in pieces: some channels on some days, asked for when they come near. */
const PAGE = 20;
const DAYS_MAX = 4;
const AT_ONCE_MAX = 4;
const SETTLED_MS = 60;

export interface Wanted {
  readonly firstRow: number;
  readonly lastRow: number;
  readonly days: readonly string[];
}

export interface GuideData extends Loaded {
  /** Whether something that is looked at could not be had. */
  readonly hasFailed: boolean;
  again(): void;
}

/** Keeps what was loaded, and loads what is looked at once the hand rests for a moment: what flies past is not asked for. */
export function useGuideData(first: GuideNow & { readonly order: GuideOrder }, wanted: Wanted): GuideData {
  const [loaded, setLoaded] = useState<Loaded>(() => ({
    channels: new Map(first.channels.map((channel, i) => [i, channel])),
    days: new Map(),
    total: first.total,
  }));
  const [hasFailed, setHasFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);
  /** Pieces that are there or on their way, by `page/day`. */
  const asked = useRef(new Set<string>());
  const underWay = useRef(0);
  const { firstRow, lastRow } = wanted;
  const { order } = first;
  const days = wanted.days.join(",");

  const load = useCallback(
    async (page: number, missing: readonly string[]): Promise<void> => {
      underWay.current++;
      try {
        const guide = await browserApi.guide(missing, { offset: page * PAGE, limit: PAGE, order });
        setLoaded((before) => {
          const channels = new Map<number, GuideChannel>(before.channels);
          const all = new Map<string, readonly GridProgramme[]>(before.days);
          for (const [i, { days: own, ...channel }] of guide.channels.entries()) {
            channels.set(page * PAGE + i, channel);
            for (const [j, day] of missing.entries()) all.set(`${channel.id}/${day}`, own[j] ?? []);
          }
          return { channels, days: all, total: guide.total };
        });
      } catch {
        for (const day of missing) asked.current.delete(`${page}/${day}`);
        setHasFailed(true);
      } finally {
        underWay.current--;
      }
    },
    [order],
  );

  useEffect(() => {
    const ask = (): void => {
      const all = days.split(",");
      for (let page = Math.floor(firstRow / PAGE); page * PAGE <= lastRow && page * PAGE < loaded.total; page++) {
        const missing = all.filter((day) => !asked.current.has(`${page}/${day}`)).slice(0, DAYS_MAX);
        if (missing.length === 0 || underWay.current >= AT_ONCE_MAX) continue;
        for (const day of missing) asked.current.add(`${page}/${day}`);
        void load(page, missing);
      }
    };
    const timer = setTimeout(ask, attempt === 0 && loaded.days.size === 0 ? 0 : SETTLED_MS);
    return () => clearTimeout(timer);
    // What has arrived makes room for what is still missing.
  }, [firstRow, lastRow, days, attempt, loaded, load]);

  return {
    ...loaded,
    hasFailed,
    again: () => {
      setHasFailed(false);
      setAttempt((before) => before + 1);
    },
  };
}
