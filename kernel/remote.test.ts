import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { trace } from "@opentelemetry/api";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { User } from "#contracts/user";
import { testClock } from "./clock.ts";
import { type Context, systemContext } from "./context.ts";
import type { Handlers } from "./contract.ts";
import { type Problem, problem } from "./errors.ts";
import { openCaller, secretsInMemory, serveContract, type ServerOptions } from "./testing/mesh.ts";
import { startTracing } from "./tracing.ts";

type BookmarkHandlers = Handlers<(typeof Bookmark)["rpc"]>;
const never = async (): Promise<never> => {
  throw new Error("this test does not call it");
};
const rest = {
  get: never,
  getMany: never,
  continueWatching: never,
  remove: never,
  save: never,
  unsave: never,
  saved: never,
};
const stops: (() => Promise<void>)[] = [];
after(async () => {
  for (const stop of stops.toReversed()) await stop();
});

const secrets = secretsInMemory();
const callers = [
  { name: "session", uses: { bookmark: Bookmark } },
  { name: "token", uses: {} },
];

async function open(some: Partial<BookmarkHandlers>, options: Partial<ServerOptions> = {}) {
  const server = await serveContract(Bookmark, { ...rest, ...some }, { secrets, callers, ...options });
  const clock = options.clock;
  const caller = await openCaller({
    services: ["session"],
    secrets,
    addresses: [server.url],
    ...(clock ? { clock } : {}),
  });
  stops.push(
    () => server.stop(),
    () => caller.stop(),
  );
  return { server, caller, bookmarks: caller.client(Bookmark) };
}

const context = (change: Partial<Context> = {}): Context => ({ ...systemContext("demo", "test"), ...change });

test("a call arrives with all of its context, and its answer comes back through the schema", async () => {
  let seen: Context | undefined;
  const { bookmarks } = await open({
    async saved(_, from) {
      seen = from;
      return Object.assign({ contentIds: ["a"] }, { secret: "s" });
    },
  });
  const viewer = {
    userId: "usr_1",
    profileId: "prf_é",
    tier: "premium",
    deviceId: "tv",
    entitlements: ["hd", "4k"],
  };
  const asked = context({ viewer, idempotencyKey: "schlüssel", deadlineMs: Date.now() + 5_000 });
  const answer = await bookmarks.saved({ profileId: "p" }, asked);
  assert.deepEqual(answer.contentIds, ["a"]);
  assert.equal("secret" in answer, false);
  assert.equal(seen?.tenant, "demo");
  assert.equal(seen?.caller, "session");
  assert.deepEqual(seen?.viewer, viewer);
  assert.equal(seen?.idempotencyKey, "schlüssel");
  assert.ok(Math.abs((seen?.deadlineMs ?? 0) - asked.deadlineMs) < 1_000);
});

test("a Problem arrives as it was thrown; what was none becomes internal and keeps its secret", async () => {
  const thrown = problem.precondition("nicht jetzt – später", {
    reason: "stream_limit",
    details: { streams: [{ device: "tv" }] },
    retryAfterS: 3,
  });
  const { bookmarks } = await open({
    save: () => Promise.reject(thrown),
    saved: () => Promise.reject(problem.unsupportedMedia("a codec of its own")),
    unsave: () => Promise.reject(new TypeError("a bug with a secret")),
  });
  await assert.rejects(bookmarks.save({}, context()), (error: Problem) => {
    const { code, reason, message, details, retryAfterS, retryable } = error;
    const { code: c, reason: r, message: m, details: d, retryAfterS: a, retryable: y } = thrown;
    assert.deepEqual([code, reason, message, details, retryAfterS, retryable], [c, r, m, d, a, y]);
    return true;
  });
  await assert.rejects(bookmarks.saved({}, context()), { code: "unsupported_media", message: "a codec of its own" });
  await assert.rejects(bookmarks.unsave({}, context()), (error: Problem) => {
    assert.equal(error.code, "internal");
    assert.doesNotMatch(JSON.stringify(error) + error.message + error.stack, /a bug/);
    return true;
  });
});

test("details that are too large are left out, the rest of the Problem is not", async () => {
  const { bookmarks } = await open({
    save: () => Promise.reject(problem.invalid("too much", { reason: "much", details: { of: "x".repeat(100_000) } })),
  });
  await assert.rejects(bookmarks.save({}, context()), { code: "invalid_argument", reason: "much", details: {} });
});

test("the deadline ends a call on both sides, and giving up reaches the handler", async () => {
  const signals: AbortSignal[] = [];
  const arrived: (() => void)[] = [];
  const { bookmarks } = await open({
    saved: (_, from) => {
      signals.push(from.signal);
      arrived.shift()?.();
      return new Promise<never>(() => {});
    },
  });
  await assert.rejects(bookmarks.saved({}, context({ deadlineMs: Date.now() + 150 })), { code: "deadline_exceeded" });
  await assert.rejects(bookmarks.saved({}, context({ deadlineMs: Date.now() - 1 })), { code: "deadline_exceeded" });
  assert.equal(signals.length, 1);
  const giving = new AbortController();
  const begun = new Promise<void>((resolve) => arrived.push(resolve));
  const waiting = bookmarks.saved({}, context({ signal: giving.signal }));
  await begun;
  giving.abort();
  await assert.rejects(waiting, { code: "canceled" });
  const [, signal] = signals;
  assert.ok(signal);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
});

test("what a handler left in the background is not ended by its answer", async () => {
  let kept: AbortSignal | undefined;
  const { bookmarks } = await open({
    async saved(_, from) {
      kept = from.signal;
      return {};
    },
  });
  await bookmarks.saved({}, context());
  await bookmarks.saved({}, context());
  assert.equal(kept?.aborted, false);
});

test("only those call who declared it, as who they are, with a certificate of ours", async () => {
  let calls = 0;
  const warnings: unknown[] = [];
  const { server } = await open(
    {
      async saved() {
        calls++;
        return {};
      },
    },
    { logger: { debug() {}, info() {}, error() {}, warn: (_, attributes) => warnings.push(attributes?.["reason"]) } },
  );
  const as = async (services: readonly string[], caller: string, from = secrets) => {
    const process = await openCaller({ services, secrets: from, addresses: [server.url] });
    try {
      return await process.client(Bookmark, caller).saved({}, context());
    } finally {
      await process.stop();
    }
  };
  await as(["token", "session"], "session");
  assert.equal(calls, 1);
  await assert.rejects(as(["token"], "token"), { code: "permission_denied", reason: "undeclared_call" });
  await assert.rejects(as(["token"], "session"), { code: "permission_denied", reason: "foreign_caller" });
  await assert.rejects(as(["token", "session"], "token"), { code: "permission_denied", reason: "undeclared_call" });
  await assert.rejects(as(["nobody"], "nobody"), { code: "permission_denied", reason: "undeclared_call" });
  // The authority of other secrets: neither side believes the other.
  await assert.rejects(as(["session"], "session", secretsInMemory()), {
    code: "unavailable",
    reason: "untrusted_peer",
  });
  assert.equal(calls, 1);
  assert.deepEqual(warnings.slice(0, 4), ["undeclared_call", "foreign_caller", "undeclared_call", "undeclared_call"]);
  const text = await server.metrics.text();
  assert.match(text, /marquee_rpc_refused_total\{service="bookmark",reason="undeclared_call"\} 3/);
  assert.match(text, /marquee_rpc_refused_total\{service="bookmark",reason="foreign_caller"\} 1/);
  assert.deepEqual(
    server.recorded.map(({ who, what, on, from, reason }) => [who, what, on, from, reason]),
    [
      ["token", "service.call", "bookmark/Saved", "process of token", "undeclared_call"],
      ["session", "service.call", "bookmark/Saved", "process of token", "foreign_caller"],
      ["token", "service.call", "bookmark/Saved", "process of token session", "undeclared_call"],
      ["nobody", "service.call", "bookmark/Saved", "process of nobody", "undeclared_call"],
    ],
  );
});

test("without a certificate, or with one of another authority, nobody gets as far as a request", async () => {
  let calls = 0;
  const { server } = await open({
    async saved() {
      calls++;
      return {};
    },
  });
  const foreign = await openCaller({ services: ["session"], secrets: secretsInMemory(), addresses: [] });
  stops.push(() => foreign.stop());
  const { cert, key } = foreign.identity.tls();
  for (const own of [{}, { cert, key }]) {
    const outcome = await new Promise<string>((resolve) => {
      const session = connectHttp2(server.url, { rejectUnauthorized: false, ...own });
      session.once("error", (error) => resolve(String((error as { code?: unknown }).code)));
      const path = `/${Bookmark.rpc.typeName}/Saved`;
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc+proto" });
      stream.once("response", (headers) => resolve(`answered ${headers[":status"]}`));
      stream.on("error", () => {});
      stream.once("close", () => setImmediate(() => resolve("closed without an answer")));
      stream.end(Buffer.alloc(5));
    });
    assert.match(outcome, /CERT|ECONNRESET|UNKNOWN_CA|SSL|closed without/);
  }
  assert.equal(calls, 0);
});

test("a process that does not run the service is not asked", async () => {
  const { server } = await open({});
  const other = await serveContract(Bookmark, rest, { secrets, callers });
  stops.push(() => other.stop());
  const caller = await openCaller({ services: ["session"], secrets, addresses: [server.url] });
  stops.push(() => caller.stop());
  await assert.rejects(caller.client(Catalog).get({ id: "a" }, context({ deadlineMs: Date.now() + 300 })), {
    code: "unavailable",
    reason: "wrong_address",
  });
  const lost = await openCaller({ services: ["session"], secrets, addresses: [] });
  stops.push(() => lost.stop());
  await assert.rejects(lost.client(Bookmark).get({}, context()), { code: "unavailable", reason: "no_address" });
});

test("certificates are replaced while calls go on: none is lost, and connections are opened anew in time", async (t) => {
  // TLS itself knows the real time only, so this ends when that is.
  const clock = testClock(Date.now() - 17 * 3_600_000);
  let release = (_: object): void => {};
  let begun = (): void => {};
  const { server, caller, bookmarks } = await open(
    {
      saved: async () => ({ contentIds: ["a"] }),
      save() {
        begun();
        return new Promise((resolve) => (release = resolve));
      },
    },
    { clock },
  );
  const certificates = () => [server.identity.tls().cert, caller.identity.tls().cert];
  const before = certificates();
  const isBegun = new Promise<void>((resolve) => (begun = resolve));
  const long = bookmarks.save({}, { ...context(), deadlineMs: clock.nowMs() + 23 * 3_600_000 });
  await isBegun;
  const serials = new Set<string>();
  // Time also passes by itself, for what waits a moment before it tries again.
  const ticking = setInterval(() => void clock.advance(10), 10);
  t.after(() => clearInterval(ticking));
  for (let hour = 0; hour < 17; hour++) {
    await bookmarks.saved({}, { ...context(), deadlineMs: clock.nowMs() + 10_000 });
    serials.add(certificates().join(""));
    if (hour === 16) release({});
    await clock.advance(3_600_000);
  }
  // It began under the first certificates and ended under the second ones.
  await long;
  assert.equal(serials.size, 2);
  assert.ok(certificates().every((certificate, i) => certificate !== before[i]));
});

/** A way to a server that can be cut. */
async function openCable(port: number) {
  const sockets = new Set<Socket>();
  const cable = createServer((near) => {
    const far = connectTcp(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => cable.listen(0, "127.0.0.1", resolve));
  stops.push(() => new Promise((resolve) => cable.close(() => resolve())));
  return {
    port: (cable.address() as AddressInfo).port,
    cut() {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}

test("when the connection breaks a read is sent again, a change whose fate is unknown is not", async () => {
  const calls = { get: 0, create: 0 };
  let cut = (): void => {};
  const user = { id: "usr_1" };
  const server = await serveContract(
    User,
    {
      ...{ findByEmail: never, update: never, delete: never },
      async get() {
        if (++calls.get === 1) cut();
        return { user };
      },
      async create() {
        if (++calls.create === 1) cut();
        return { user };
      },
    },
    { secrets, callers: [{ name: "auth", uses: { user: User } }] },
  );
  const cable = await openCable(server.port);
  cut = cable.cut;
  const caller = await openCaller({ services: ["auth"], secrets, addresses: [`https://127.0.0.1:${cable.port}`] });
  stops.push(
    () => server.stop(),
    () => caller.stop(),
  );
  const users = caller.client(User);
  await assert.rejects(users.create({ email: "a@b.test" }, context()), {
    code: "unavailable",
    reason: "connection_lost",
  });
  assert.equal(calls.create, 1);
  assert.equal((await users.get({ userId: "usr_1" }, context())).user?.id, "usr_1");
  assert.equal(calls.get, 2);
  await users.create({ email: "a@b.test" }, context());
});

test("where nobody listens every call is tried again, also a change, until the tries are used up", async () => {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const caller = await openCaller({ services: ["auth"], secrets, addresses: [`https://127.0.0.1:${port}`] });
  stops.push(() => caller.stop());
  const users = caller.client(User);
  await assert.rejects(users.create({}, context()), { code: "unavailable", reason: "unreachable" });
  assert.match(await caller.metrics.text(), /marquee_rpc_retries_total\{service="user"\} 3/);
  // What fails often enough is not tried any more, and says so at once.
  for (let n = 0; n < 20; n++) await users.create({}, context()).catch(() => {});
  await assert.rejects(users.create({}, context()), { code: "unavailable", reason: "circuit_open" });
  assert.match(caller.remote.state().detail, /not answering: user/);
});

test("a connection that does not come is given up, long before the deadline", async () => {
  const silent = createServer((socket) => stops.push(async () => void socket.destroy())).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as AddressInfo;
  const clock = testClock(Date.now());
  const caller = await openCaller({ services: ["auth"], secrets, addresses: [`https://127.0.0.1:${port}`], clock });
  stops.push(
    () => new Promise((resolve) => silent.close(() => resolve())),
    () => caller.stop(),
  );
  const beganMs = clock.nowMs();
  let failure: Problem | undefined;
  const call = caller.client(User).create({}, { ...context(), deadlineMs: beganMs + 3_600_000 });
  call.catch((error: Problem) => (failure = error));
  while (!failure) await clock.advance(100);
  assert.equal(failure.reason, "unreachable");
  assert.ok(clock.nowMs() - beganMs < 60_000);
});

test("of two addresses the one that answers is found", async () => {
  const { server } = await open({ saved: async () => ({ contentIds: ["a"] }) });
  const caller = await openCaller({
    ...{ services: ["session"], secrets },
    addresses: ["https://127.0.0.1:1", server.url],
  });
  stops.push(() => caller.stop());
  for (let n = 0; n < 4; n++) assert.deepEqual((await caller.client(Bookmark).saved({}, context())).contentIds, ["a"]);
});

test("a read that is late is sent a second time, the loser is cancelled", async () => {
  let isStuck = false;
  let stuck: AbortSignal | undefined;
  const { caller, bookmarks } = await open({
    saved(_, from) {
      if (!isStuck) return Promise.resolve({ contentIds: ["a"] });
      isStuck = false;
      stuck = from.signal;
      return new Promise<never>(() => {});
    },
  });
  for (let n = 0; n < 40; n++) await bookmarks.saved({}, context());
  isStuck = true;
  assert.deepEqual((await bookmarks.saved({}, context())).contentIds, ["a"]);
  assert.ok(stuck);
  assert.match(await caller.metrics.text(), /marquee_rpc_hedges_total\{service="bookmark"\} [1-9]/);
  const { signal } = { signal: stuck };
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
});

test("what may be repeated is tried again when its service says unavailable", async () => {
  const counts = { saved: 0, save: 0 };
  const { bookmarks } = await open({
    async saved() {
      if (++counts.saved < 3) throw problem.unavailable("a moment");
      return { contentIds: ["x"] };
    },
    async save() {
      if (++counts.save < 2) throw problem.unavailable("a moment");
      return {};
    },
  });
  assert.deepEqual((await bookmarks.saved({}, context())).contentIds, ["x"]);
  // Saving twice is saving once, and the contract says so.
  await bookmarks.save({}, context());
  assert.deepEqual(counts, { saved: 3, save: 2 });
});

test("one trace goes through both processes", async (t) => {
  const tracing = startTracing({ mode: "development" });
  t.after(() => tracing.stop());
  let traceId: string | undefined;
  const { bookmarks } = await open({
    async saved() {
      traceId = trace.getActiveSpan()?.spanContext().traceId;
      return {};
    },
  });
  await bookmarks.saved({}, context());
  const [found] = tracing.traces.latest();
  assert.equal(found?.traceId, traceId);
  assert.equal(found?.spans.length, 2);
  const [outer, inner] = found?.spans ?? [];
  assert.equal(inner?.parentSpanId, outer?.spanId);
});
