import type { IncomingMessage, ServerResponse } from "node:http";
import { problem } from "./errors.ts";

/**
 * Admission control: a few requests are worked on at a time and the others stand in lines, in the order of what must not wait: a heartbeat or a
 * token that is about to end before somebody who looks around. A line has an end: who stands behind too many, or too long, is told to come
 * back, which costs little, so that the work that is done stays what it is at its best, however many people come at once.
 */
export interface Gate {
  /** The name of the line that a request stands in; null: it does not. */
  placeOf(request: Asked): string | null;
  /** Calls `work` when it is this request's turn, or `refuse`. The turn ends with the answer, or when it lasted too long; who goes away leaves the line. */
  enter(
    place: string,
    response: Pick<ServerResponse, "once">,
    work: () => void,
    refuse: (error: unknown) => void,
  ): void;
}

type Asked = Pick<IncomingMessage, "method" | "url">;

export interface Line {
  readonly place: string;
  /** How many are inside, of all lines, when the last of this one enters: a line that may fill less than another leaves the rest to it. */
  readonly atOnceMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
}

export interface GateOptions {
  readonly placeOf: Gate["placeOf"];
  /** The first goes before the second, and so on. */
  readonly lines: readonly Line[];
  /** Whoever takes longer inside, such as a client that never sends the rest of its form, keeps nobody else out any more. */
  readonly turnMsMax: number;
  /** For work that gives way to all else: while the event loop works a larger share of its time than `max`, one enters every now and then. */
  readonly load?: { readonly now: () => number; readonly max: number };
  /** Hears of each request that was told to come back. */
  readonly refused?: (place: string) => void;
  readonly nowMs?: () => number;
}

const ENTRY_MS_WHEN_BUSY = 200;
const LOOK_AGAIN_MS = 20;
const RETRY_AFTER_S = 3;

/** One for all: when many are sent away, each must cost as little as can be. */
const BUSY = problem.unavailable("very many people come at this moment: try again shortly", {
  ...{ reason: "busy", retryAfterS: RETRY_AFTER_S },
});

interface Waiting {
  readonly begin: () => void;
  readonly timer: NodeJS.Timeout;
}

export function openGate(options: GateOptions): Gate {
  const { placeOf, turnMsMax, load, refused, nowMs = () => performance.now() } = options;
  const lines = options.lines.map((line) => ({ ...line, waiting: new Set<Waiting>() }));
  let inside = 0;
  let enteredMs = Number.NEGATIVE_INFINITY;
  let look: NodeJS.Timeout | undefined;

  const isLoopFree = (): boolean => !load || load.now() <= load.max || nowMs() - enteredMs >= ENTRY_MS_WHEN_BUSY;

  function admitNext(): void {
    clearTimeout(look);
    for (const { waiting, atOnceMax } of lines) {
      for (const next of waiting) {
        if (inside >= atOnceMax) break;
        // Somebody's leaving looks again; a loop that becomes free does not say so.
        if (!isLoopFree()) {
          look = setTimeout(admitNext, LOOK_AGAIN_MS);
          return;
        }
        waiting.delete(next);
        clearTimeout(next.timer);
        inside += 1;
        enteredMs = nowMs();
        next.begin();
      }
    }
  }

  return {
    placeOf,
    enter(place, response, work, refuse) {
      const line = lines.find((each) => each.place === place);
      if (!line) throw new TypeError(`there is no line '${place}'`);
      const sendAway = (): void => {
        refused?.(place);
        refuse(BUSY);
      };
      if (line.waiting.size >= line.waitingMax) return sendAway();
      let turn: NodeJS.Timeout | undefined;
      const leave = (): void => {
        if (!turn) return;
        clearTimeout(turn);
        turn = undefined;
        inside -= 1;
        admitNext();
      };
      const waiting: Waiting = {
        begin() {
          turn = setTimeout(leave, turnMsMax).unref();
          work();
        },
        // What waits has a connection, which keeps the program running.
        timer: setTimeout(() => {
          if (line.waiting.delete(waiting)) sendAway();
        }, line.waitMsMax).unref(),
      };
      response.once("close", () => {
        clearTimeout(waiting.timer);
        line.waiting.delete(waiting);
        leave();
      });
      line.waiting.add(waiting);
      admitNext();
    },
  };
}

const LOOK_MS = 20;
/** Weight of the newest look: about the last five count. */
const WEIGHT = 0.2;

/** Watches how much of its time the event loop works, as a moving mean. */
export function watchLoop(): { load(): number; stop(): void } {
  let mean = 0;
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    mean += (performance.eventLoopUtilization(now, before).utilization - mean) * WEIGHT;
    before = now;
  }, LOOK_MS);
  timer.unref();
  return { load: () => mean, stop: () => clearInterval(timer) };
}
