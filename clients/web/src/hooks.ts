import { type RefObject, useCallback, useEffect, useEffectEvent, useRef, useState, useSyncExternalStore } from "react";
import { useLocation, useRevalidator, useRouteLoaderData } from "react-router";
import type { Card, Viewer } from "../../../contracts/web/index.ts";
import { browserApi, browserHttp } from "./api.ts";
import type { LoaderData } from "./loaders.ts";

/** Who is looking; null on an error page that came before this was known. */
export function useViewer(): Viewer | null {
  return useRouteLoaderData<LoaderData<"root">>("root")?.viewer ?? null;
}

function subscribeToConnection(changed: () => void): () => void {
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}

export function useIsOnline(): boolean {
  return useSyncExternalStore(
    subscribeToConnection,
    () => navigator.onLine,
    () => true,
  );
}

/** True once something has gone on for `delayMs`: what is quick needs no sign that it is under way. */
export function useDelayed(isActive: boolean, delayMs: number): boolean {
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    if (!isActive) {
      setIsLate(false);
      return;
    }
    const id = setTimeout(() => setIsLate(true), delayMs);
    return () => clearTimeout(id);
  }, [isActive, delayMs]);
  return isActive && isLate;
}

/** Pointer or focus that stays for 400 ms opens; leaving closes at once. */
export function useIntent(): { isOpen: boolean; onEnter(): void; onLeave(): void } {
  const [isOpen, setIsOpen] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    isOpen,
    onEnter: useCallback(() => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setIsOpen(true), 400);
    }, []),
    onLeave: useCallback(() => {
      clearTimeout(timer.current);
      setIsOpen(false);
    }, []),
  };
}

/** Keeps a scroller's place for the way back: same entry of the history, same place. */
export function useKeptScroll(name: string): RefObject<HTMLUListElement | null> {
  const ref = useRef<HTMLUListElement>(null);
  const { key } = useLocation();
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const storageKey = `scroll:${key}:${name}`;
    const kept = Number(sessionStorage.getItem(storageKey));
    if (Number.isFinite(kept) && kept !== 0) element.scrollLeft = kept;
    const keep = () => sessionStorage.setItem(storageKey, String(Math.round(element.scrollLeft)));
    element.addEventListener("scrollend", keep);
    return () => element.removeEventListener("scrollend", keep);
  }, [key, name]);
  return ref;
}

interface Processing {
  state: Card["state"];
  progress: number;
}

function parseProcessing(text: string): (Processing & { id: string }) | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const [id, state, progress] = ["id", "state", "progress"].map((key): unknown => Reflect.get(value, key));
    if (typeof id !== "string") return null;
    const isState = state === "playable" || state === "processing" || state === "unavailable";
    return {
      id,
      state: isState ? state : "processing",
      progress: typeof progress === "number" ? Math.min(1, Math.max(0, progress)) : 0,
    };
  } catch {
    return null;
  }
}

const POLL_MS = 10_000;
const AGAIN_MS = 3_000;

/**
 * Follows titles while they are encoded: progress arrives as it is made, and when one becomes playable the page loads its
 * data anew, so that it appears by itself. Where the event stream does not hold, the page is asked for every ten seconds.
 */
export function useProcessing(ids: readonly string[]): ReadonlyMap<string, Processing> {
  const [states, setStates] = useState<ReadonlyMap<string, Processing>>(new Map());
  const { revalidate } = useRevalidator();
  const reload = useEffectEvent(() => void revalidate());
  const joined = ids.join(",");
  useEffect(() => {
    if (joined === "") return;
    const followed = new Set(joined.split(","));
    let poll: ReturnType<typeof setInterval> | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    const source = new EventSource(`${browserHttp.base}/events?contentId=${encodeURIComponent(joined)}`);
    source.addEventListener("processing", (event) => {
      const change = parseProcessing(String(event.data));
      if (change === null || !followed.has(change.id)) return;
      setStates((before) => new Map(before).set(change.id, change));
      if (change.state !== "playable") return;
      reload();
      // The catalogue may learn of it a moment after us: once more, unless the page knows by then.
      clearTimeout(again);
      again = setTimeout(() => reload(), AGAIN_MS);
    });
    source.addEventListener("error", () => {
      poll ??= setInterval(() => reload(), POLL_MS);
    });
    source.addEventListener("open", () => {
      clearInterval(poll);
      poll = undefined;
    });
    return () => {
      source.close();
      clearInterval(poll);
      clearTimeout(again);
    };
  }, [joined]);
  return states;
}

/** The list's plus and check: answers at once, goes back where the server refuses. */
export function useMyList(id: string, initial: boolean): { isIn: boolean; toggle(): void; hasFailed: boolean } {
  const [isIn, setIsIn] = useState(initial);
  const [loaded, setLoaded] = useState(initial);
  const [hasFailed, setHasFailed] = useState(false);
  // Only news from the server counts. An effect would also run on mount, after a press that React replayed, and undo it.
  if (loaded !== initial) {
    setLoaded(initial);
    setIsIn(initial);
  }
  const toggle = () => {
    const next = !isIn;
    setIsIn(next);
    setHasFailed(false);
    browserApi.setInMyList(id, next).catch(() => {
      setIsIn(!next);
      setHasFailed(true);
    });
  };
  return { isIn, toggle, hasFailed };
}
