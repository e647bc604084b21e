import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Catalog } from "#contracts/catalog";
import { Entitlement } from "#contracts/entitlement";
import { Profile } from "#contracts/profile";
import { Subscription } from "#contracts/subscription";
import { User } from "#contracts/user";
import { defineService, on, problem, type Received, type Tx } from "#kernel";
import { startIdentity, until } from "./setup.ts";
import type { EntitlementChecked } from "#contracts/entitlement";
import profile from "../../services/identity/profile/service.ts";
import subscription from "../../services/identity/subscription/service.ts";
import user from "../../services/identity/user/service.ts";
import entitlement from "../../services/identity/entitlement/service.ts";

interface Entry {
  readonly id: string;
  readonly publication: string;
  readonly ageRating: number;
  readonly tierMin: string;
}
const shelf = new Map<string, Entry>();
const put = (entry: Partial<Entry> & { readonly id: string }): void =>
  void shelf.set(entry.id, { publication: "published", ageRating: 0, tierMin: "basic", ...entry });
let reads = 0;
const checks: EntitlementChecked[] = [];

const never = async (): Promise<never> => {
  throw problem.unavailable("this catalogue only shows its shelf");
};

async function note(_: object, __: Tx<typeof Catalog>, events: readonly Received<EntitlementChecked>[]): Promise<void> {
  for (const { data } of events) checks.push(data);
}

/** A catalogue of what the test put on the shelf. Unpublishing takes a title away and says so. */
const catalog = defineService({
  contract: Catalog,
  uses: {},
  slo: { p99Ms: 1, availability: 1 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: ({ db }) => ({ db }),
  on: [on(Entitlement.events.checked)(note)],
  rpc: ({ db }) => ({
    add: never,
    update: never,
    publish: never,
    async unpublish({ id }, context) {
      put({ id, publication: "unpublished" });
      await db.tx(context, async (tx) => {
        tx.emit("availabilityChanged", { contentId: id, available: false, reason: "unpublished" });
      });
      return {};
    },
    delete: never,
    addSimulated: never,
    deleteSimulated: never,
    get: never,
    async getMany({ ids }) {
      reads++;
      return { titles: ids.map((id) => shelf.get(id)).filter((entry) => entry !== undefined) };
    },
    list: never,
    genres: never,
    search: never,
  }),
  ready: async () => {},
});

let host: Awaited<ReturnType<typeof startIdentity>>;
before(async () => {
  host = await startIdentity({ services: [user, profile, subscription, entitlement, catalog] });
});
after(() => host.stop());

async function makeAccount(email: string) {
  const context = host.context();
  const { user: made } = await host.client(User).create({ email, name: "Alex" }, context);
  const userId = made?.id ?? "";
  const first = await until(async () => (await host.client(Profile).list({ userId }, context)).profiles[0]);
  return { userId, profileId: first.id };
}

const check = async (
  account: { readonly userId: string; readonly profileId: string },
  contentId: string,
  market = "",
) => host.client(Entitlement).check({ ...account, contentId, market }, host.context());

test("a plan opens titles as soon as it is bought, and closes them again", async () => {
  const account = await makeAccount("plan@demo.test");
  put({ id: "small" });
  put({ id: "big", tierMin: "premium" });
  const first = await check(account, "small");
  assert.equal(first.decision?.allowed, true);
  assert.equal(first.tier, "basic");
  assert.equal(first.streamsMax, 2);
  assert.equal((await check(account, "big")).decision?.reason, "tier");
  await host.client(Subscription).change({ userId: account.userId, tier: "premium" }, host.context());
  const bought = await until(async () => {
    const answer = await check(account, "big");
    return answer.decision?.allowed && answer;
  });
  assert.equal(bought.streamsMax, 4);
  const claims = await host.client(Entitlement).claims({ userId: account.userId }, host.context());
  assert.deepEqual([claims.tier, claims.entitlements], ["premium", ["tier:basic", "tier:premium"]]);
  await host.client(Subscription).change({ userId: account.userId, tier: "basic" }, host.context());
  await until(async () => (await check(account, "big")).decision?.reason === "tier");
});

test("an account that was made a moment ago has its plan before any event came", async () => {
  const { user: made } = await host.client(User).create({ email: "fresh@demo.test" }, host.context());
  const claims = await host.client(Entitlement).claims({ userId: made?.id ?? "" }, host.context());
  assert.equal(claims.tier, "basic");
});

test("a child's profile opens what a child may see, at once when its limit changes", async () => {
  const account = await makeAccount("kids@demo.test");
  put({ id: "for-twelve", ageRating: 12 });
  const profiles = host.client(Profile);
  const { profile: kids } = await profiles.create(
    { userId: account.userId, name: "Kids", isKids: true },
    host.context(),
  );
  const child = { userId: account.userId, profileId: kids?.id ?? "" };
  assert.equal((await check(child, "for-twelve")).decision?.reason, "age");
  assert.equal((await check(account, "for-twelve")).decision?.allowed, true);
  await profiles.update({ ...child, ageRatingMax: 12 }, host.context());
  await until(async () => (await check(child, "for-twelve")).decision?.allowed);
});

test("a profile is needed, and must be of the account", async () => {
  const [one, two] = [await makeAccount("one@demo.test"), await makeAccount("two@demo.test")];
  await assert.rejects(check({ ...one, profileId: "" }, "small"), {
    code: "permission_denied",
    reason: "profile_required",
  });
  await assert.rejects(check({ ...one, profileId: two.profileId }, "small"), {
    code: "permission_denied",
    reason: "not_yours",
  });
});

test("many titles are one question to the catalogue, and none while they are remembered", async () => {
  const account = await makeAccount("many@demo.test");
  const contentIds = Array.from({ length: 20 }, (_, n) => `many-${n}`);
  for (const id of contentIds) put({ id });
  const before = reads;
  const ask = () =>
    host.client(Entitlement).checkMany({ ...account, contentIds: [...contentIds, "nowhere"] }, host.context());
  const { decisions } = await ask();
  assert.deepEqual(
    decisions.map(({ contentId }) => contentId),
    [...contentIds, "nowhere"],
  );
  assert.deepEqual(
    decisions.map(({ reason }) => reason),
    [...contentIds.map(() => ""), "unknown"],
  );
  assert.equal(reads, before + 1);
  await host.client(Entitlement).checkMany({ ...account, contentIds }, host.context());
  assert.equal(reads, before + 1);
  const tooMany = host
    .client(Entitlement)
    .checkMany({ ...account, contentIds: Array.from({ length: 501 }, String) }, host.context());
  await assert.rejects(tooMany, { code: "invalid_argument" });
});

test("a title that is taken away is closed at once", async () => {
  const account = await makeAccount("away@demo.test");
  put({ id: "away" });
  assert.equal((await check(account, "away")).decision?.allowed, true);
  await host.client(Catalog).unpublish({ id: "away" }, host.context());
  await until(async () => (await check(account, "away")).decision?.reason === "unknown");
});

test("every decision is a fact", async () => {
  const account = await makeAccount("fact@demo.test");
  put({ id: "told", tierMin: "premium" });
  await check(account, "told");
  const fact = await until(async () => checks.find(({ contentId }) => contentId === "told"));
  assert.deepEqual({ ...fact }, { ...account, contentId: "told", allowed: false, reason: "tier" });
});
