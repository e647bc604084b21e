import type { IncomingMessage, ServerResponse } from "node:http";
import { problem } from "./errors.ts";

/**
 * Admission control: work that can wait (a sign-in: half a dozen requests, a password hash, three signatures) enters a few at a
 * time, so that work that cannot (a heartbeat, a token that is about to end) finds the event loop, the database's connections
 * and the thread pool free, however many people come at once. Whoever waits too long, or behind too many, is told to come
 * back. While the loop is busy, one enters every now and then: slow is better than nobody. Whoever has begun goes before those
 * who have not, or a crowd at the door would let nobody finish.
 */
export interface Gate {
  /** How a request stands in line; null: it does not. */
  placeOf(request: Asked): Place | null;
  /** Calls `work` when it is this request's turn, or `refuse`. The turn ends with the answer, or when it lasted too long; who goes away leaves the line. */
  enter(place: Place, response: Pick<ServerResponse, "once">, work: () => void, refuse: (error: unknown) => void): void;
}

export type Place = "begins" | "goes on";
type Asked = Pick<IncomingMessage, "method" | "url">;

export interface GateOptions {
  readonly placeOf: (request: Asked) => Place | null;
  readonly atOnceMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
  /** Whoever takes longer inside, such as a client that never sends the rest of its form, keeps nobody else out any more. */
  readonly turnMsMax: number;
  /** The share of its time that the event loop works, 0 to 1. */
  readonly load: () => number;
  readonly nowMs?: () => number;
}

/** A loop that works more than this makes everybody wait, and gets little more of what can wait: delays grow as 1 / (1 - load). */
const LOAD_MAX = 0.4;
const ENTRY_MS_WHEN_BUSY = 200;
const LOOK_AGAIN_MS = 20;
const RETRY_AFTER_S = 3;

interface Waiting {
  readonly begin: () => void;
  readonly refuse: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

export function openGate(options: GateOptions): Gate {
  const { placeOf, atOnceMax, waitingMax, waitMsMax, turnMsMax, load, nowMs = () => performance.now() } = options;
  const lines: Readonly<Record<Place, Set<Waiting>>> = { "goes on": new Set(), begins: new Set() };
  let inside = 0;
  let enteredMs = Number.NEGATIVE_INFINITY;
  let look: NodeJS.Timeout | undefined;

  const busy = (): unknown =>
    problem.unavailable("very many people come at this moment: try again shortly", {
      reason: "busy",
      retryAfterS: RETRY_AFTER_S,
    });

  const mayEnter = (): boolean =>
    inside < atOnceMax && (load() <= LOAD_MAX || nowMs() - enteredMs >= ENTRY_MS_WHEN_BUSY);

  function admitNext(): void {
    clearTimeout(look);
    for (const line of [lines["goes on"], lines.begins]) {
      for (const next of line) {
        if (!mayEnter()) {
          // Somebody's leaving looks again; a loop that becomes free does not say so.
          if (inside < atOnceMax) look = setTimeout(admitNext, LOOK_AGAIN_MS);
          return;
        }
        line.delete(next);
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
      const line = lines[place];
      if (line.size >= waitingMax) return refuse(busy());
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
          turn = setTimeout(leave, turnMsMax);
          work();
        },
        refuse,
        timer: setTimeout(() => {
          if (line.delete(waiting)) refuse(busy());
        }, waitMsMax),
      };
      response.once("close", () => {
        clearTimeout(waiting.timer);
        line.delete(waiting);
        leave();
      });
      line.add(waiting);
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
