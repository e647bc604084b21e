import type { IncomingMessage, ServerResponse } from "node:http";
import { problem } from "./errors.ts";

/**
 * Admission control: work that can wait (a sign-in: half a dozen requests, a password hash, three signatures) enters a few at a
 * time, so that work that cannot (a heartbeat, a token that is about to end) finds the event loop, the database's connections
 * and the thread pool free, however many people come at once. Whoever waits too long, or behind too many, is told to come
 * back. When the loop falls behind, only one enters at a time: slow is better than nobody. Whoever has begun goes before those
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
  /** How late the event loop is. */
  readonly lagMs: () => number;
}

/** A loop that is later than this makes everybody wait, and does not get more of what can wait. */
const LAG_MS_MAX = 10;
const RETRY_AFTER_S = 3;

interface Waiting {
  readonly begin: () => void;
  readonly refuse: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

export function openGate({ placeOf, atOnceMax, waitingMax, waitMsMax, turnMsMax, lagMs }: GateOptions): Gate {
  const lines: Readonly<Record<Place, Set<Waiting>>> = { "goes on": new Set(), begins: new Set() };
  let inside = 0;

  const busy = (): unknown =>
    problem.unavailable("very many people come at this moment: try again shortly", {
      reason: "busy",
      retryAfterS: RETRY_AFTER_S,
    });

  function admitNext(): void {
    for (const line of [lines["goes on"], lines.begins]) {
      for (const next of line) {
        if (inside >= (lagMs() > LAG_MS_MAX ? 1 : atOnceMax)) return;
        line.delete(next);
        clearTimeout(next.timer);
        inside += 1;
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

const LOOK_MS = 10;
/** Weight of the newest look: about the last ten count. */
const WEIGHT = 0.1;

/** Watches how late the event loop is, as a moving mean of how late a timer of ours fires. */
export function watchLoop(): { lagMs(): number; stop(): void } {
  let meanMs = 0;
  let dueMs = performance.now() + LOOK_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    meanMs += (Math.max(0, nowMs - dueMs) - meanMs) * WEIGHT;
    dueMs = nowMs + LOOK_MS;
  }, LOOK_MS);
  timer.unref();
  return { lagMs: () => meanMs, stop: () => clearInterval(timer) };
}
