import assert from "node:assert/strict";
import { test } from "node:test";
import type { TokenAnswer } from "../../contracts/web/index.ts";
import { keepTokens } from "./tokens.ts";

const at = (ms: number) => new Date(ms).toISOString();

function world() {
  const seen = { nowMs: 0, requests: 0, delays: [] as number[], tokens: [] as string[], fails: false };
  let due: (() => void) | null = null;
  const keeper = keepTokens({
    expiresAt: at(300_000),
    request: async (): Promise<TokenAnswer> => {
      seen.requests += 1;
      if (seen.fails) throw new Error("offline");
      const token = `t${seen.requests}`;
      return { cdns: [{ id: "a", baseUrl: "http://a", token }], token, tokenExpiresAt: at(seen.nowMs + 300_000) };
    },
    onTokens: ({ token }) => seen.tokens.push(token),
    nowMs: () => seen.nowMs,
    setTimer: (run, delayMs) => {
      seen.delays.push(delayMs);
      due = run;
      return () => {
        due = null;
      };
    },
  });
  const fire = async () => {
    const run = due;
    due = null;
    run?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { seen, keeper, fire, isWaiting: () => due !== null };
}

test("tokens are renewed at four minutes, again and again", async () => {
  const { seen, fire } = world();
  await fire();
  await fire();
  assert.deepEqual(seen.delays, [240_000, 240_000, 240_000]);
  assert.deepEqual(seen.tokens, ["t1", "t2"]);
});

test("a failed renewal is tried again after seconds", async () => {
  const { seen, fire } = world();
  seen.fails = true;
  await fire();
  await fire();
  seen.fails = false;
  await fire();
  assert.deepEqual(seen.delays, [240_000, 5_000, 5_000, 240_000]);
  assert.deepEqual(seen.tokens, ["t3"]);
});

test("refusals at the same moment share one request", async () => {
  const { seen, keeper } = world();
  await Promise.all([keeper.refresh(), keeper.refresh(), keeper.refresh()]);
  assert.equal(seen.requests, 1);
});

test("a machine that slept knows that its tokens have run out", async () => {
  const { seen, keeper } = world();
  assert.equal(keeper.isExpired(), false);
  seen.nowMs = 300_001;
  assert.equal(keeper.isExpired(), true);
  await keeper.refresh();
  assert.equal(keeper.isExpired(), false);
});

test("after the end no timer is left", async () => {
  const { keeper, isWaiting } = world();
  await keeper.refresh();
  keeper.stop();
  assert.equal(isWaiting(), false);
});
