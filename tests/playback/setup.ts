// What the tests of playback share: the services that a start touches, all real but for the encoder, whose word is given by the test.
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Ads } from "#contracts/ads";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Live } from "#contracts/live";
import { Profile } from "#contracts/profile";
import { Session } from "#contracts/session";
import { Subscription } from "#contracts/subscription";
import { topics } from "#contracts/topics";
import { User } from "#contracts/user";
import { type Clock, type Db, defineService, problem, systemClock, type Viewer } from "#kernel";
import { openEvents, type Received } from "#kernel/events";
import { sendProblem } from "#kernel/http";
import type { Handler, Service } from "#kernel/service";
import catalog from "../../services/content/catalog/service.ts";
import ingest from "../../services/content/ingest/service.ts";
import keys from "../../services/content/keys/service.ts";
import license from "../../services/delivery/license/service.ts";
import origin from "../../services/delivery/origin/service.ts";
import routing from "../../services/delivery/routing/service.ts";
import token from "../../services/delivery/token/service.ts";
import entitlement from "../../services/identity/entitlement/service.ts";
import profile from "../../services/identity/profile/service.ts";
import subscription from "../../services/identity/subscription/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import bookmark from "../../services/playback/bookmark/service.ts";
import session from "../../services/playback/session/service.ts";
import { startTestHost, type TestHostOptions } from "../host.ts";

/** The system's clock with an offset that the test moves, and with sleeps that are no longer than wanted. */
export function movableClock({ sleepMsMax = Infinity } = {}): Clock & { offsetMs: number } {
  const clock = {
    offsetMs: 0,
    nowMs: () => systemClock.nowMs() + clock.offsetMs,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, sleepMsMax), signal),
  };
  return clock;
}

const never = async (): Promise<never> => {
  throw problem.unavailable("nothing of it is there in this test");
};

/** An encoder whose word about a title is given by the test, and which may listen to what it likes. */
export function openStudio(listens: readonly Handler<unknown, typeof Encoding>[] = []) {
  let studio: Db<typeof Encoding> | undefined;
  const service = defineService({
    contract: Encoding,
    uses: {},
    slo: { p99Ms: 1, availability: 0.999 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: ({ db }) => (studio = db),
    on: listens,
    rpc: () => ({ get: never, getMany: never, list: never, repackage: never, retry: never }),
    ready: async () => {},
  });
  const complete = (id: string, durationS: number): Promise<void> | undefined =>
    studio?.tx({ tenant: "demo" }, async (tx) =>
      tx.emit("completed", {
        ...{ contentId: id, stage: "complete", packageRevision: 1, indexVersion: 1, durationS, chapters: [] },
        ...{ audioLanguages: ["en"], subtitleLanguages: [], width: 1280, height: 720, artwork: [], previewKey: null },
      }),
    );
  return { service, complete };
}

/** What the tests' channels are like; their days are those of a clock that the test sets. */
export interface TestChannel {
  readonly id: string;
  readonly tier: string;
  readonly ageRating: number;
  readonly onAir: boolean;
  readonly days: readonly number[];
}

/** The channels of a test: what they are and which days their windows touch is its word. */
export function openBroadcast() {
  const channels = new Map<string, TestChannel>();
  let studio: Db<typeof Live> | undefined;
  const find = (id: string): TestChannel => {
    const channel = channels.get(id);
    if (!channel) throw problem.notFound(`channel '${id}' does not exist`);
    return channel;
  };
  const unused = { add: never, setOnAir: never, remove: never, hold: never, listSegments: never, pin: never };
  const service = defineService({
    contract: Live,
    uses: {},
    slo: { p99Ms: 1, availability: 0.999 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: ({ db }) => (studio = db),
    rpc: () => ({
      ...unused,
      ...{ unpin: never, health: never, schedule: never },
      get: async ({ channelId }) => ({ channel: { ...find(channelId), name: channelId }, inputUrls: [] }),
      list: async () => ({ channels: [...channels.values()].map((each) => ({ ...each, name: each.id })) }),
      locate: async ({ channelId }) => ({
        ...{ hlsPath: `/live/${channelId}/main.m3u8`, dashPath: `/live/${channelId}/main.mpd` },
        ...{ pathPrefix: `/live/${channelId}/`, latency: "low", dvrWindowS: 7_200 },
        ...{ dayIndices: [...find(channelId).days], keyPeriodMs: 86_400_000n },
      }),
    }),
    ready: async () => {},
  });
  return {
    service,
    async put(channel: TestChannel): Promise<void> {
      channels.set(channel.id, channel);
      const { id: contentId, tier, ageRating, onAir } = channel;
      await studio?.tx({ tenant: "demo" }, async (tx) =>
        tx.emit("channelChanged", {
          ...{ contentId, number: 1, name: contentId, logo: "", language: "en", latency: "low", ageRating, tier },
          ...{ ladder: [], inputs: [], onAir, onDemand: true, dvrWindowS: 7_200, removed: false },
        }),
      );
    },
  };
}

/** An edge that does nothing but answer that it is well. */
export const openEdge = async (id: string) => ({ id, ...(await openServer((_, response) => response.end("ok"))) });

export async function openServer(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

export async function startPlayback(
  options: Pick<TestHostOptions, "folder" | "env" | "redelivery"> & {
    readonly more?: readonly Service[];
    /** In place of channels that are a test's word. */
    readonly live?: Service;
  } = {},
) {
  const clock = movableClock();
  const studio = openStudio();
  const broadcast = openBroadcast();
  const services = [tenant, user, profile, subscription, entitlement, catalog, ingest, studio.service, keys];
  const delivery = [origin, license, token, routing];
  const edges = await Promise.all(["a", "b"].map(openEdge));
  const host = await startTestHost({
    ...options,
    services: [...services, ...delivery, options.live ?? broadcast.service, session, bookmark, ...(options.more ?? [])],
    addresses: { edges },
    clock,
  });
  const call = {
    bookmarks: host.client(Bookmark, "test"),
    catalog: host.client(Catalog, "test"),
    profiles: host.client(Profile, "test"),
    sessions: host.client(Session, "test"),
    subscriptions: host.client(Subscription, "test"),
    users: host.client(User, "test"),
  };
  let accounts = 0;
  const front = await openServer((request, response) => {
    const mount = host.host.http.find(({ prefix }) => request.url?.startsWith(prefix));
    Promise.resolve(mount?.handle(request, response)).catch((error: unknown) => sendProblem(request, response, error));
  });

  return {
    ...host,
    ...call,
    clock,
    /** What a public address answers, through the mount that takes it. */
    async http(url: string, init: RequestInit = {}): Promise<Response> {
      const { pathname, search } = new URL(url);
      return fetch(`${front.baseUrl}${pathname}${search}`, init);
    },
    async stop() {
      front.close();
      await host.stop();
      for (const edge of edges) edge.close();
    },
    /** The encoder's word that something plays. */
    async complete(id: string, durationS: number): Promise<void> {
      await studio.complete(id, durationS);
      await host.settled();
    },
    /** A title that plays. */
    async addFilm(id: string, facts: { readonly durationS?: number; readonly markets?: string[] } = {}): Promise<void> {
      const { markets = [], durationS = 600 } = facts;
      await call.catalog.add(
        { title: { id, kind: "film", title: id, tierMin: "basic", publication: "published", markets } },
        host.context(),
      );
      await this.complete(id, durationS);
    },
    /** A channel as it is from now on. */
    async putChannel(channel: TestChannel): Promise<void> {
      await broadcast.put(channel);
      await host.settled();
    },
    /** A new account with its first profile on the basic plan, which plays on two devices. */
    async newViewer(): Promise<Viewer> {
      const email = `viewer-${Date.now()}-${++accounts}@mail.example`;
      const { user: made } = await call.users.create({ email, name: "Alex" }, host.context());
      assert.ok(made);
      await host.settled();
      const { profiles } = await call.profiles.list({ userId: made.id }, host.context());
      assert.ok(profiles[0]);
      return { userId: made.id, profileId: profiles[0].id, tier: "basic", deviceId: "d", entitlements: [] };
    },
    /** Every event of a name in the log, in the order of its partitions. */
    async heard<T>(name: string): Promise<readonly Received<T>[]> {
      const reader = await openEvents([Session, Bookmark, Ads], topics, host.adapters.registry, clock);
      const topic = topics.routes[name]?.topic ?? "";
      const ends = await host.adapters.log.offsets(topic);
      const starts = new Map([...ends.keys()].map((partition) => [partition, 0]));
      const records = await host.adapters.log.read(topic, starts, 10_000);
      const wanted = records.filter((record) => reader.nameOf(record) === name);
      return (await Promise.all(wanted.map((record) => reader.decode(record)))) as Received<T>[];
    },
  };
}

export type PlaybackHost = Awaited<ReturnType<typeof startPlayback>>;

/** What a player says that has no trouble. */
export const calm = (sessionId: string, sequence: number, positionS: number) => ({
  ...{ sessionId, sequence, positionS, durationS: 600, state: "playing", cdnId: "a", bufferS: 30 },
  ...{ videoStartTimeMs: 500, throughputKbps: 20_000, bitrateKbps: 4_000, bitrateMaxKbps: 4_000 },
});
