/** What a channel shows, kept up to date while somebody watches: one programme follows the other, and the guide may change its mind. */
import type { PresentProgramme } from "../../contracts/web/index.ts";

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
