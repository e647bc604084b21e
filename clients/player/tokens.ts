/** Keeps the tokens of one session fresh: in time by itself, and at once where an edge refuses one. */
import type { TokenAnswer } from "../../contracts/web/index.ts";
import { refreshDelayMs } from "./delivery.ts";

export interface TokenKeeper {
  /** New tokens now. Callers at the same moment share one request. Rejects where none come. */
  refresh(): Promise<void>;
  isExpired(): boolean;
  stop(): void;
}

export interface TokenKeeperOptions {
  expiresAt: string;
  request(): Promise<TokenAnswer>;
  onTokens(answer: TokenAnswer): void;
  nowMs(): number;
  /** Replaced in tests. */
  setTimer(run: () => void, delayMs: number): () => void;
}

/** There is a minute left when the first try fails: time for a dozen more. */
const RETRY_MS = 5_000;

export function keepTokens(options: TokenKeeperOptions): TokenKeeper {
  let expiresAtMs = Date.parse(options.expiresAt);
  let underWay: Promise<void> | null = null;
  let isStopped = false;
  let cancelTimer: () => void = () => undefined;

  const schedule = (delayMs: number) => {
    cancelTimer();
    if (!isStopped) cancelTimer = options.setTimer(() => refresh().catch(() => schedule(RETRY_MS)), delayMs);
  };
  const refresh = (): Promise<void> => {
    underWay ??= options
      .request()
      .then((answer) => {
        options.onTokens(answer);
        expiresAtMs = Date.parse(answer.tokenExpiresAt);
        schedule(refreshDelayMs(answer.tokenExpiresAt, options.nowMs()));
      })
      .finally(() => {
        underWay = null;
      });
    return underWay;
  };
  schedule(refreshDelayMs(options.expiresAt, options.nowMs()));
  return {
    refresh,
    isExpired: () => options.nowMs() > expiresAtMs,
    stop() {
      isStopped = true;
      cancelTimer();
    },
  };
}
