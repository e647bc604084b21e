// What flags do to the web API, with the services stood in for: pages lose what is switched off, and what is shut answers as unavailable.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FastifyInstance } from "fastify";
import { openEngine } from "#adapters/flags/engine";
import { featureOf } from "#adapters/flags/rules";
import { valueOf } from "#adapters/flags/values";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { Entitlement } from "#contracts/entitlement";
import { Profile } from "#contracts/profile";
import { Recommendation } from "#contracts/recommendation";
import { Tenant } from "#contracts/tenant";
import { type Contract, systemClock } from "#kernel";
import { readConfig } from "#kernel/config";
import { isShut } from "#kernel/flags";
import type { Condition, FlagRule, Flags, FlagValue } from "#kernel/ports/flags";
import { localTransport } from "#kernel/rpc";
import { openMetrics } from "#kernel/metrics";
import { silentLogger } from "#kernel/telemetry";
import { fakeService } from "../../apps/admin/testing.ts";
import { createWebBff } from "./app.ts";
import { type WebParts, webUses } from "./parts.ts";

const film = (id: string, genre: string) => ({
  ...{ id, kind: "film", title: id, state: "playable", publication: "published", previewKey: "artwork/clip.mp4" },
  ...{ genres: [genre], durationS: 600, chapters: [{ startS: 60, title: "The second minute" }] },
  backdrop: { key: "artwork/still.webp", width: 640, height: 360, color: "#000000", blurDataUrl: "data:," },
});
const titles = [film("film", "Drama")];
const services = [
  fakeService(Tenant, {
    resolve: async () => ({ tenant: { id: "demo", name: "Demo", hosts: [], accent: "#ffffff" } }),
  }),
  fakeService(Profile, {
    get: async () => ({ profile: { id: "prf_1", userId: "usr_1", name: "Ada", ageRatingMax: 18 } }),
  }),
  fakeService(Catalog, {
    get: async () => ({ title: titles[0] ?? {} }),
    list: async () => ({ titles }),
    getMany: async () => ({ titles }),
  }),
  fakeService(Bookmark, {
    getMany: async () => ({ bookmarks: [] }),
    saved: async () => ({ contentIds: [] }),
    continueWatching: async () => ({ bookmarks: [{ contentId: "film", positionS: 30, durationS: 600 }] }),
  }),
  fakeService(Recommendation, {
    home: async () => ({ rails: [{ kind: "popular", becauseOfId: "", contentIds: ["film"] }] }),
    getOpinion: async () => ({ opinion: "up" }),
    similar: async () => ({ contentIds: [] }),
  }),
  fakeService(Entitlement, { check: async () => ({ decision: { allowed: true } }) }),
];

let engine = openEngine({ features: [], segments: [] });
const flags = { evaluate: (flag, context) => valueOf(engine, flag, context) } as Pick<Flags, "evaluate"> as Flags;
const say = (...rules: readonly FlagRule[]): void => {
  engine = openEngine({ features: rules.map(featureOf), segments: [] });
};
const on = (name: string, conditions: readonly Condition[] = [], value?: FlagValue): FlagRule => {
  const variants = value === undefined ? [] : [{ name: "value", weight: 1_000, value }];
  return { name, isEnabled: true, audiences: [{ conditions, percent: 100, stickiness: "default", variants }] };
};
const is = (attribute: string, ...values: string[]): Condition => ({
  attribute,
  operator: "IN",
  values,
  isInverted: false,
});

let app: FastifyInstance;
before(async () => {
  const metrics = openMetrics();
  const transport = localTransport({
    ...{ clock: systemClock, metrics, roundTrip: true },
    isShut: (service, context) => isShut(flags, service, context),
  });
  for (const { contract, handlers } of services) transport.mount(contract, handlers);
  const used: Readonly<Record<string, Contract>> = webUses;
  const calls = Object.entries(used).map(([alias, contract]) => [alias, transport.client(contract, "web")]);
  const viewer = { userId: "usr_1", profileId: "prf_1", tier: "premium", deviceId: "device-1", entitlements: [] };
  const parts: WebParts = {
    call: Object.fromEntries(calls) as WebParts["call"],
    ...{ clock: systemClock, config: readConfig({}), logger: silentLogger, metrics, flags, demoAccounts: [] },
    addresses: { publicUrl: "http://localhost:8080", originUrl: "http://127.0.0.1:8083", edges: [] },
    geo: { countryOf: () => "DE" },
    tokens: { verify: async () => ({ tenant: "demo", viewer, expiresAtMs: Number.MAX_SAFE_INTEGER }) },
    internalUrl: "http://127.0.0.1:8083",
  };
  const refuse = async (): Promise<never> => assert.fail("no page is asked for here");
  app = await createWebBff(parts, { clientFolder: import.meta.dirname, render: refuse, refusal: refuse as never });
});
after(() => app.close());

const TIZEN = "Mozilla/5.0 (SMART-TV; LINUX; Tizen 5.0) AppleWebKit/537.36 TV Safari/537.36";
async function get(path: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await app.inject({ url: `/api/web/v1${path}`, headers: { authorization: "Bearer any", ...headers } });
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>(), headers: answer.headers };
}

test("a kill switch takes clips and chapters from a page, and nothing else", async () => {
  say();
  const before = (await get("/titles/film")).body;
  assert.equal(before["previewUrl"], "/images/artwork/clip.mp4");
  assert.equal((before["chapters"] as unknown[]).length, 1);
  say(on("kill.web.previews"), on("kill.web.chapters"));
  const { status, body } = await get("/titles/film");
  assert.equal(status, 200);
  assert.deepEqual(body, { ...before, previewUrl: null, chapters: [] });
  const { hero } = (await get("/home")).body as unknown as { hero: { previewUrl: string | null } };
  assert.equal(hero.previewUrl, null);
});

test("a switch is thrown for those alone whom it is for", async () => {
  const previewOf = async (headers: Readonly<Record<string, string>> = {}): Promise<unknown> =>
    (await get("/titles/film", headers)).body["previewUrl"];
  const old: Condition = { attribute: "osVersion", operator: "SEMVER_LT", values: ["5.5.0"], isInverted: false };
  say(on("kill.web.previews", [is("platform", "tizen"), old]));
  assert.equal(await previewOf(), "/images/artwork/clip.mp4");
  assert.equal(await previewOf({ "user-agent": TIZEN }), null);
  const people: readonly (readonly [string, string, boolean])[] = [
    ...([
      ["tenant", "demo", true],
      ["userId", "usr_1", true],
      ["profileId", "prf_1", true],
      ["tier", "basic", false],
    ] as const),
    ...([
      ["market", "DE", true],
      ["deviceType", "web", true],
      ["service", "web", true],
      ["sessionId", "x", false],
    ] as const),
  ];
  for (const [attribute, value, isThrown] of people) {
    say(on("kill.web.previews", [is(attribute, value)]));
    assert.equal((await previewOf()) === null, isThrown, attribute);
  }
  say(
    on("kill.web.previews", [{ attribute: "appVersion", operator: "SEMVER_LT", values: ["2.0.0"], isInverted: false }]),
  );
  assert.equal(await previewOf({ "x-marquee-version": "1.9.3" }), null);
  assert.equal(await previewOf({ "x-marquee-version": "2.0.0" }), "/images/artwork/clip.mp4");
});

test("clients hear of the switches that are theirs", async () => {
  say();
  assert.deepEqual((await get("/flags")).body, { flags: { "kill.web.previews": false } });
  say(on("kill.web.previews", [is("tier", "premium")]));
  assert.deepEqual((await get("/flags")).body, { flags: { "kill.web.previews": true } });
});

test("the home page is laid out as it is told, and as ever where it is told nonsense", async () => {
  const kindsOf = async (): Promise<string[]> =>
    ((await get("/home")).body["rails"] as { kind: string }[]).map(({ kind }) => kind);
  say();
  assert.deepEqual(await kindsOf(), ["continue", "popular", "new", "genre"]);
  say(on("web.home-layout", [], { rails: ["genre", "continue", "unheard-of"] }));
  assert.deepEqual(await kindsOf(), ["genre", "continue"]);
  for (const nonsense of [{ rails: 7 }, {}, "text"] as const) {
    say(on("web.home-layout", [], nonsense));
    assert.deepEqual(await kindsOf(), ["continue", "popular", "new", "genre"]);
  }
});

test("a service that is shut answers as unavailable, and a page does without what it can do without", async () => {
  say(on("kill.service.catalog"));
  const { status, body, headers } = await get("/titles/film");
  assert.deepEqual([status, body["type"], headers["retry-after"]], [503, "/problems/switched_off", "60"]);
  assert.match(String(body["detail"]), /'catalog' is shut by the flag kill\.service\.catalog/);
  say(on("kill.service.bookmark"));
  const home = (await get("/home")).body;
  assert.deepEqual([home["partial"], (home["rails"] as { kind: string }[])[0]?.kind], [true, "popular"]);
  say(on("kill.service.recommendation"));
  const plain = (await get("/home")).body;
  assert.deepEqual([plain["partial"], (plain["rails"] as { kind: string }[])[1]?.kind], [true, "new"]);
  assert.equal((await get("/titles/film")).body["opinion"], "none");
  say(on("kill.service.catalog", [is("tenant", "other")]));
  assert.equal((await get("/titles/film")).status, 200);
});
