import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Profile } from "#contracts/profile";
import { User } from "#contracts/user";
import { later, startIdentity, until } from "./setup.ts";
import user from "../../services/identity/user/service.ts";
import profile from "../../services/identity/profile/service.ts";

let host: Awaited<ReturnType<typeof startIdentity>>;
before(async () => {
  host = await startIdentity({ services: [user, profile] });
});
after(() => host.stop());

/** An account with its first profile, as a person of it sees the service. */
async function household(email: string) {
  const profiles = host.client(Profile);
  const { user: made } = await host.client(User).create({ email, name: "Alex" }, host.context());
  const userId = made?.id ?? "";
  const first = await until(async () => (await profiles.list({ userId }, host.context())).profiles[0]);
  const as = (profileId: string) => host.context({ viewer: { userId, profileId } });
  return { profiles, userId, first, as };
}

test("an account gets its first profile, and at most five however many ask at once", async () => {
  const { profiles, userId, first, as } = await household("five@demo.test");
  assert.equal(first.name, "Alex");
  assert.equal(first.ageRatingMax, 18);
  const wishes = Array.from({ length: 8 }, (_, n) => profiles.create({ userId, name: `P${n}` }, as(first.id)));
  const made = (await Promise.allSettled(wishes)).filter(({ status }) => status === "fulfilled");
  assert.equal(made.length, 4);
  assert.equal((await profiles.list({ userId }, as(first.id))).profiles.length, 5);
  await assert.rejects(profiles.create({ userId, name: "Six" }, as(first.id)), { reason: "profiles_max" });
});

test("the last profile stays", async () => {
  const { profiles, userId, first, as } = await household("last@demo.test");
  await assert.rejects(profiles.delete({ userId, profileId: first.id }, as(first.id)), { reason: "last_profile" });
});

test("a PIN holds a child back: switching, editing, guessing", async () => {
  const { profiles, userId, first, as } = await household("pin@demo.test");
  const { profile: kids } = await profiles.create({ userId, name: "Kids", isKids: true }, as(first.id));
  assert.ok(kids);
  const enter = (pin: string) =>
    profiles.switch({ userId, fromProfileId: kids.id, toProfileId: first.id, pin }, as(kids.id));
  await enter("");
  await profiles.update({ userId, profileId: first.id, pin: "4711" }, as(first.id));
  await assert.rejects(enter(""), { code: "permission_denied", reason: "pin_required" });
  await enter("4711");
  await assert.rejects(profiles.update({ userId, profileId: first.id, removePin: true }, as(kids.id)), {
    reason: "pin_required",
  });
  await assert.rejects(profiles.update({ userId, profileId: kids.id, isKids: false }, as(kids.id)), {
    reason: "pin_required",
  });
  await assert.rejects(profiles.create({ userId, name: "Mine" }, as(kids.id)), { reason: "pin_required" });
  await assert.rejects(profiles.delete({ userId, profileId: first.id }, as(kids.id)), { reason: "pin_required" });
  const guesses = await Promise.allSettled(["0000", "1111", "2222", "3333", "4444", "5555", "6666"].map(enter));
  const reasons = guesses.map((guess) =>
    guess.status === "rejected" ? (guess.reason as { reason: string }).reason : "in",
  );
  assert.equal(reasons.filter((reason) => reason === "pin_wrong").length, 5);
  assert.equal(reasons.filter((reason) => reason === "pin_locked").length, 2);
  await assert.rejects(enter("4711"), { code: "resource_exhausted", reason: "pin_locked", retryAfterS: 900 });
  await later(15 * 60_000, () => enter("4711"));
  await profiles.switch({ userId, fromProfileId: first.id, toProfileId: kids.id, pin: "" }, as(first.id));
  await profiles.update({ userId, profileId: first.id, removePin: true }, as(first.id));
  await enter("");
});

test("a PIN has four digits, and is set or removed", async () => {
  const { profiles, userId, first, as } = await household("digits@demo.test");
  for (const pin of ["", "123", "12345", "abcd", "１２３４"])
    await assert.rejects(profiles.update({ userId, profileId: first.id, pin }, as(first.id)), {
      reason: "pin_invalid",
    });
  await assert.rejects(profiles.update({ userId, profileId: first.id, pin: "1234", removePin: true }, as(first.id)), {
    code: "invalid_argument",
  });
});

test("another household's profiles are out of reach", async () => {
  const [ours, theirs] = [await household("ours@demo.test"), await household("theirs@demo.test")];
  const { profiles } = ours;
  const as = ours.as(ours.first.id);
  await assert.rejects(profiles.list({ userId: theirs.userId }, as), { reason: "not_yours" });
  await assert.rejects(profiles.get({ profileId: theirs.first.id }, as), { reason: "not_yours" });
  const mixed = { userId: ours.userId, profileId: theirs.first.id };
  await assert.rejects(profiles.update({ ...mixed, name: "Mine" }, as), { code: "not_found" });
  await assert.rejects(
    profiles.switch({ userId: ours.userId, fromProfileId: "", toProfileId: theirs.first.id, pin: "" }, as),
    { code: "not_found" },
  );
});

test("an account that goes takes its profiles along", async () => {
  const { profiles, userId } = await household("gone@demo.test");
  await host.client(User).delete({ userId }, host.context());
  await until(async () => (await profiles.list({ userId }, host.context())).profiles.length === 0);
});
