import { createHash, randomBytes } from "node:crypto";
import { type Clock, problem } from "#kernel";

/** Whoever has entered the console. */
export interface Session {
  /** What the audit log calls it: the beginning of its hash, which opens nothing. */
  readonly label: string;
  readonly tenant: string;
  readonly endsAtMs: number;
}

export interface Sessions {
  /** A code that opens one session, within a minute. */
  issue(tenant: string): { readonly code: string; readonly endsAtMs: number };
  /** Uses a code up. Throws `unauthenticated` for what is none, or is one no more. */
  enter(code: string): { readonly token: string; readonly session: Session };
  find(token: string): Session | undefined;
  leave(token: string): void;
}

export const CODE_MS = 60_000;
/** A working day. */
export const SESSION_MS = 8 * 3_600_000;
const CODES_MAX = 16;
const SESSIONS_MAX = 32;
/** Codes have 256 bits: nobody guesses one. This keeps whoever tries from filling the audit log. */
const WRONG_MAX = 20;
const WRONG_MS = 60_000;

const random = (): string => randomBytes(32).toString("base64url");
const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** Codes and sessions, in memory and by their hashes alone: they end with the process, and who reads the memory enters nowhere. */
export function openSessions(clock: Clock): Sessions {
  const codes = new Map<string, { readonly tenant: string; readonly endsAtMs: number }>();
  const sessions = new Map<string, Session>();
  let wrong: number[] = [];

  function sweep(): void {
    const nowMs = clock.nowMs();
    for (const all of [codes, sessions])
      for (const [hash, { endsAtMs }] of all) if (endsAtMs <= nowMs) all.delete(hash);
    wrong = wrong.filter((atMs) => atMs > nowMs - WRONG_MS);
  }
  /** Puts one more in; the oldest makes room. */
  function put<T>(all: Map<string, T>, hash: string, value: T, max: number): void {
    const [oldest] = all.keys();
    if (all.size >= max && oldest !== undefined) all.delete(oldest);
    all.set(hash, value);
  }

  return {
    issue(tenant) {
      sweep();
      const code = random();
      const endsAtMs = clock.nowMs() + CODE_MS;
      put(codes, hashOf(code), { tenant, endsAtMs }, CODES_MAX);
      return { code, endsAtMs };
    },
    enter(code) {
      sweep();
      if (wrong.length >= WRONG_MAX)
        throw problem.exhausted("too many links were tried: wait a minute", { retryAfterS: WRONG_MS / 1_000 });
      const hash = hashOf(code);
      const found = codes.get(hash);
      codes.delete(hash);
      if (!found) {
        wrong.push(clock.nowMs());
        throw problem.unauthenticated(
          "this link was used already or is older than a minute: ./marquee console makes a new one",
          {
            reason: "link_over",
          },
        );
      }
      const token = random();
      const key = hashOf(token);
      const session = { label: key.slice(0, 8), tenant: found.tenant, endsAtMs: clock.nowMs() + SESSION_MS };
      put(sessions, key, session, SESSIONS_MAX);
      return { token, session };
    },
    find(token) {
      sweep();
      return sessions.get(hashOf(token));
    },
    leave: (token) => void sessions.delete(hashOf(token)),
  };
}
