/** What a channel shows, kept up to date while somebody watches: one programme follows the other, and the guide may change its mind. */
import type { PresentProgramme, Session } from "../../contracts/web/index.ts";
import type { PlayerState, Store } from "./state.ts";

export type Programme = PresentProgramme["programme"];

/** How soon, and after how long at the latest, it is asked again. */
const AGAIN_MS_MIN = 5_000;
const AGAIN_MS_MAX = 60_000;

export interface ProgrammeOptions {
  readonly first: Programme;
  request(): Promise<PresentProgramme>;
  onProgramme(programme: Programme): void;
  nowMs(): number;
  setTimer(run: () => void, delayMs: number): () => void;
}

/** Asks again when a programme ends. Without an answer the present one stays. */
export function followProgramme({ first, request, onProgramme, nowMs, setTimer }: ProgrammeOptions): { stop(): void } {
  let isOver = false;
  let cancel = () => {};
  const wait = (programme: Programme): void => {
    const leftMs = programme === null ? AGAIN_MS_MAX : Date.parse(programme.endsAt) - nowMs();
    cancel = setTimer(() => void ask(programme), Math.min(Math.max(leftMs, AGAIN_MS_MIN), AGAIN_MS_MAX));
  };
  const ask = async (known: Programme): Promise<void> => {
    const answer = await request().catch(() => null);
    if (isOver) return;
    if (answer !== null) onProgramme(answer.programme);
    wait(answer === null ? known : answer.programme);
  };
  wait(first);
  return {
    stop() {
      isOver = true;
      cancel();
    },
  };
}

/** What has no place by then has none: the channel was not made when the programme began. */
const START_OVER_MS_MAX = 5_000;

export interface ProgrammeParts {
  readonly video: HTMLVideoElement;
  readonly store: Store<PlayerState>;
  readonly contentId: string;
  request(channelId: string): Promise<PresentProgramme>;
  /** Where in the channel's window a moment is, as soon as there is a picture; null where it is not in it. */
  placeOf(momentMs: number): number | null;
  readonly setTimer: ProgrammeOptions["setTimer"];
  readonly signal: AbortSignal;
}

/** The programme of the channel that a player shows, and the way back to its beginning. */
export function openProgramme({ video, store, contentId, request, placeOf, setTimer, signal }: ProgrammeParts) {
  const startS = (): number | null => {
    const programme = store.get().session?.live?.programme;
    return programme?.canStartOver === true ? placeOf(Date.parse(programme.startsAt)) : null;
  };
  return {
    startS,
    startOver(): void {
      const stop = new AbortController();
      const seek = () => {
        const placeS = startS();
        if (placeS === null) return;
        stop.abort();
        video.currentTime = placeS;
      };
      video.addEventListener("timeupdate", seek, { signal: AbortSignal.any([signal, stop.signal]) });
      setTimer(() => stop.abort(), START_OVER_MS_MAX);
    },
    follow({ live }: Session): { stop(): void } {
      if (live === null) return { stop: () => undefined };
      return followProgramme({
        ...{ first: live.programme, request: () => request(contentId), nowMs: Date.now, setTimer },
        onProgramme(programme) {
          const { session } = store.get();
          if (session?.live == null) return;
          const content = { ...session.content, subtitle: programme?.title ?? "" };
          store.set({ session: { ...session, content, live: { ...session.live, programme } } });
        },
      });
    },
  };
}
