// What profiles are recommended, from what they watch to the rails of their home, on real engines; that people watch is the test's word.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Catalog } from "#contracts/catalog";
import { Profile } from "#contracts/profile";
import { Recommendation, type RecommendationServed } from "#contracts/recommendation";
import { Session } from "#contracts/session";
import { topics } from "#contracts/topics";
import { User } from "#contracts/user";
import { type Db, defineService, problem, type Received, systemClock, type Viewer } from "#kernel";
import { openEvents } from "#kernel/events";
import catalog from "../../services/content/catalog/service.ts";
import recommendation from "../../services/discovery/recommendation/service.ts";
import profile from "../../services/identity/profile/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { until } from "../identity/setup.ts";
import { openStudio } from "../playback/setup.ts";

const never = async (): Promise<never> => {
  throw problem.unavailable("nothing is played in this test");
};

/** Says that people watch. */
let player: Db<typeof Session>;
const session = defineService({
  contract: Session,
  uses: {},
  slo: { p99Ms: 1, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: ({ db }) => (player = db),
  rpc: () => Object.fromEntries(Session.rpc.methods.map(({ localName }) => [localName, never])) as never,
  ready: async () => {},
});

const SPACE = ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"];
const LOVE = ["l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8"];
const DURATION_S = 600;
const studio = openStudio();
let host: TestHost;
let ada: Viewer;
let kid: Viewer;

before(async () => {
  host = await startTestHost({ services: [tenant, user, profile, catalog, studio.service, session, recommendation] });
  for (const id of [...SPACE, ...LOVE]) {
    const genres = [SPACE.includes(id) ? "Space" : "Love"];
    const title = { id, kind: "film", title: id, genres, ageRating: id === "s3" ? 16 : 0, tierMin: "basic" };
    await host.client(Catalog, "test").add({ title: { ...title, publication: "published" } }, host.context());
    await studio.complete(id, DURATION_S);
  }
  const { user: made } = await host
    .client(User, "test")
    .create({ email: "ada@mail.example", name: "Ada", language: "en" }, host.context());
  await host.settled();
  const userId = made?.id ?? "";
  const profiles = host.client(Profile, "test");
  const [first] = (await profiles.list({ userId }, host.context())).profiles;
  const child = await profiles.create({ userId, name: "Kid", isKids: true, ageRatingMax: 6 }, host.context());
  const viewer = { userId, tier: "basic", deviceId: "tv", entitlements: [] };
  ada = { ...viewer, profileId: first?.id ?? "" };
  kid = { ...viewer, profileId: child.profile?.id ?? "" };
});
after(() => host?.stop());

const call = () => host.client(Recommendation, "test");
const as = (viewer: Viewer) => host.context({ viewer });
/** A home of which nothing is missing: on a busy machine the first answer may be what was at hand in time. */
const homeOf = (viewer: Viewer) =>
  until(async () => {
    const found = await call().home({ profileId: viewer.profileId }, as(viewer));
    return found.partial ? undefined : found;
  });
type Rails = Awaited<ReturnType<typeof homeOf>>["rails"];
const idsOf = (rails: Rails, kind: string): readonly string[] =>
  rails.find((rail) => rail.kind === kind)?.contentIds ?? [];
const everything = (rails: Rails): readonly string[] => rails.flatMap(({ contentIds }) => contentIds);

/** Somebody watches titles to their end. */
async function watch(
  who: Pick<Viewer, "userId" | "profileId">,
  ids: readonly string[],
  tenantId = "demo",
): Promise<void> {
  await player.tx({ tenant: tenantId }, async (tx) => {
    for (const [at, contentId] of ids.entries())
      tx.emit("stopped", {
        ...{ userId: who.userId, profileId: who.profileId, contentId, sessionId: `ses-${who.profileId}-${at}` },
        ...{ deviceId: "tv", deviceType: "tv", startedAtMs: at, endedAtMs: at + 1, sequence: 1 },
        ...{ positionS: DURATION_S, durationS: DURATION_S, presentedS: -1, reason: "ended" },
      });
  });
}

test("nothing is known of anybody, and that is no fault", async () => {
  assert.deepEqual((await homeOf(ada)).rails, []);
});

test("who watches one kind is recommended that kind, with true reasons; a child sees what is for children", async () => {
  for (let n = 0; n < 50; n++) {
    const all = n % 2 === 0 ? SPACE : LOVE;
    const own = [0, 1, 3, 5].map((step) => all[(n + step) % all.length] ?? "");
    await watch({ userId: `usr_${n}`, profileId: `prf_${n}` }, own);
  }
  await watch(ada, ["s1", "s2"]);
  await watch(kid, ["s1"]);
  await host.settled();
  const { model } = await call().train({}, host.context());
  assert.equal(model?.algorithm, "ease");
  assert.equal(model.profiles, 52);
  assert.deepEqual((await call().status({}, host.context())).model, model);

  const { rails } = await homeOf(ada);
  const own = idsOf(rails, "for_you");
  assert.ok(own.length > 3 && own.slice(0, 3).every((id) => SPACE.includes(id)), String(own));
  assert.ok(!everything(rails).some((id) => ["s1", "s2"].includes(id)), "what was watched is not recommended again");
  const { reasons } = await call().explain({ profileId: ada.profileId, contentId: own[0] ?? "" }, as(ada));
  assert.equal(reasons[0]?.kind, "watched");
  assert.ok(["s1", "s2"].includes(reasons[0]?.contentId ?? ""));
  const { contentIds } = await call().similar({ contentId: "l1", ageRatingMax: 18, limit: 3 }, host.context());
  assert.ok(contentIds.length === 3 && contentIds.every((id) => LOVE.includes(id)), String(contentIds));

  const child = await homeOf(kid);
  assert.ok(everything(child.rails).length > 3);
  assert.ok(!everything(child.rails).includes("s3"), "s3 is from 16");
  await assert.rejects(call().explain({ profileId: kid.profileId, contentId: "s3" }, as(kid)), { code: "not_found" });
});

test("what somebody does not want is gone at once, and what they say is told", async () => {
  const [unwanted = ""] = idsOf((await homeOf(ada)).rails, "for_you");
  const say = (opinion: string) =>
    call().setOpinion({ profileId: ada.profileId, contentId: unwanted, opinion }, as(ada));
  await say("not_interested");
  assert.ok(!everything((await homeOf(ada)).rails).includes(unwanted));
  await say("none");
  assert.ok(everything((await homeOf(ada)).rails).includes(unwanted));
  await assert.rejects(say("great"), { code: "invalid_argument" });
  const of = { profileId: ada.profileId, opinion: "up" };
  await assert.rejects(call().setOpinion({ ...of, contentId: "no-such-title" }, as(ada)), { code: "not_found" });
  await assert.rejects(call().setOpinion({ ...of, contentId: "s4" }, as(kid)), { reason: "not_yours" });
});

test("who wants no recommendations of their own sees what is popular, and has them back when they want", async () => {
  const want = (enabled: boolean) => call().setPersonalisation({ profileId: ada.profileId, enabled }, as(kid));
  await want(false);
  assert.deepEqual(
    (await homeOf(ada)).rails.map(({ kind }) => kind),
    ["popular"],
  );
  assert.equal((await call().train({}, host.context())).model?.profiles, 51, "nothing is learned from them");
  await want(true);
  assert.equal((await homeOf(ada)).rails[0]?.kind, "for_you");
  const stranger = { ...ada, userId: "usr_0", profileId: "prf_0" };
  await assert.rejects(call().setPersonalisation({ profileId: ada.profileId, enabled: false }, as(stranger)), {
    reason: "not_yours",
  });
});

test("what was served and chosen is told once a visit, and what was shown is remembered until it is chosen", async () => {
  await homeOf(ada);
  await homeOf(ada);
  const served = await until(async () => {
    const found = (await events<RecommendationServed>("recommendation.served")).filter(
      ({ profileId }) => profileId === ada.profileId,
    );
    return found.length > 0 ? found : undefined;
  });
  // The first look of all had nothing to show.
  assert.equal(served.length, 1);
  const [shown = ""] = served[0]?.contentIds ?? [];
  await call().click({ profileId: ada.profileId, contentId: shown, rail: "for_you", position: 0 }, as(ada));
  await assert.rejects(
    call().click({ profileId: ada.profileId, contentId: shown, rail: "elsewhere", position: 0 }, as(ada)),
    { code: "invalid_argument" },
  );
  await until(async () => ((await events("recommendation.clicked")).length > 0 ? true : undefined));
});

test("a job trains anew, as it does every six hours", async () => {
  const before = (await call().status({}, host.context())).model?.trainedAtMs ?? 0n;
  const job = { key: "demo", payload: { tenant: "demo" } };
  await player.tx({ tenant: "demo" }, (tx) => host.adapters.jobs.send(tx, "recommendation", [job]));
  await until(async () => ((await call().status({}, host.context())).model?.trainedAtMs ?? 0n) > before);
});

test("a tenant learns nothing from another, and sees nothing of it", async () => {
  const other = host.context({ tenant: "other" });
  assert.equal((await call().train({}, other)).model?.titles, 0);
  const viewer = { ...ada, profileId: "prf_0", userId: "usr_0" };
  const { rails } = await call().home({ profileId: "prf_0" }, host.context({ tenant: "other", viewer }));
  assert.deepEqual(rails, []);
});

/** What was said in the log, of one kind. */
async function events<T>(name: string): Promise<readonly T[]> {
  const reader = await openEvents([Recommendation], topics, host.adapters.registry, systemClock);
  const topic = topics.routes[name]?.topic ?? "";
  const ends = await host.adapters.log.offsets(topic);
  const records = await host.adapters.log.read(
    topic,
    new Map([...ends.keys()].map((partition) => [partition, 0])),
    10_000,
  );
  const wanted = records.filter((record) => reader.nameOf(record) === name);
  const found = (await Promise.all(wanted.map((record) => reader.decode(record)))) as readonly Received<T>[];
  return found.map(({ data }) => data);
}
