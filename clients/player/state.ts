/** What the player shows, and a store that React can follow. */
import type { Session } from "../../contracts/web/index.ts";
import type { PlayerError } from "./errors.ts";
import type { ApiError } from "./http.ts";

export interface LanguageOption {
  /** Stable within one film: the language and, where there are several of it, what tells them apart. */
  key: string;
  language: string;
  label: string | null;
  forced: boolean;
  active: boolean;
}

export interface QualityOption {
  height: number;
  bandwidth: number;
  active: boolean;
}

/** A channel's window: how far back one may go, and how close one is to the world. On the clock of the picture. */
export interface LiveWindow {
  startS: number;
  /** As close to the world as the player goes. */
  edgeS: number;
  isAtEdge: boolean;
}

export interface PlayerState {
  phase: "starting" | "ready" | "failed" | "refused" | "endedElsewhere";
  session: Session | null;
  paused: boolean;
  /** The picture stands still for want of data. */
  waiting: boolean;
  seeking: boolean;
  ended: boolean;
  positionS: number;
  durationS: number;
  bufferedEndS: number;
  /** Null for what is not live. */
  live: LiveWindow | null;
  volume: number;
  muted: boolean;
  rate: number;
  audio: readonly LanguageOption[];
  subtitles: readonly LanguageOption[];
  qualities: readonly QualityOption[];
  qualityAuto: boolean;
  height: number;
  hasThumbnails: boolean;
  error: PlayerError | null;
  /** Why the server would not start a session. */
  refusal: ApiError | null;
}

export const stateAtStart: PlayerState = {
  phase: "starting",
  session: null,
  paused: true,
  waiting: false,
  seeking: false,
  ended: false,
  positionS: 0,
  durationS: 0,
  bufferedEndS: 0,
  live: null,
  volume: 1,
  muted: false,
  rate: 1,
  audio: [],
  subtitles: [],
  qualities: [],
  qualityAuto: true,
  height: 0,
  hasThumbnails: false,
  error: null,
  refusal: null,
};

export interface Store<T extends object> {
  get(): T;
  set(change: Partial<T>): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T extends object>(initial: T): Store<T> {
  let state = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => state,
    set(change) {
      const next = { ...state, ...change };
      const changed = Object.keys(change).some((key) => !Object.is(Reflect.get(state, key), Reflect.get(next, key)));
      if (!changed) return;
      state = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
