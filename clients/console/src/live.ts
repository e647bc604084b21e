import { useCallback, useEffect, useEffectEvent, useState } from "react";
import { ApiError } from "./api.ts";

export interface Live<T> {
  /** The last that was loaded; it stays while the next is on its way, and when that fails. */
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
  /** Loads now. Resolves when it is there. */
  reload(): Promise<void>;
  /** Puts in place what a press has made true, before it is asked for again. */
  set(change: (before: T) => T): void;
}

const EVERY_MS = 5_000;

const toFault = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError({ status: 500, reason: "broken_page", detail: String(error), traceId: "" }, error);

/** Loads, and loads again every five seconds while somebody looks, so that what goes on appears by itself. `key` names what is loaded. */
export function useLive<T>(key: string, load: (signal: AbortSignal) => Promise<T>, everyMs = EVERY_MS): Live<T> {
  const [state, setState] = useState<{ key: string; data?: T | undefined; error?: ApiError | undefined }>({ key });
  const ask = useEffectEvent(load);
  const [round, setRound] = useState({ number: 0, done: (): void => undefined });
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async (): Promise<void> => {
      clearTimeout(timer);
      try {
        const data = await ask(leaving.signal);
        setState({ key, data });
      } catch (error) {
        if (leaving.signal.aborted) return;
        setState((before) => ({ key, error: toFault(error), data: before.key === key ? before.data : undefined }));
      }
      round.done();
      if (!leaving.signal.aborted && everyMs > 0) timer = setTimeout(next, everyMs);
    };
    const next = (): void => {
      if (document.visibilityState === "visible") void run();
    };
    document.addEventListener("visibilitychange", next);
    void run();
    return () => {
      leaving.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", next);
    };
  }, [key, round, everyMs]);
  const isOurs = state.key === key;
  return {
    data: isOurs ? state.data : undefined,
    error: isOurs ? state.error : undefined,
    reload: useCallback(
      () => new Promise<void>((done) => setRound(({ number }) => ({ number: number + 1, done }))),
      [],
    ),
    set: useCallback((change: (before: T) => T) => {
      setState((before) => (before.data === undefined ? before : { ...before, data: change(before.data) }));
    }, []),
  };
}
