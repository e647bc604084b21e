import assert from "node:assert/strict";
import { test } from "node:test";
import { change, create, firstName, mayManage, needsPin, PROFILES_MAX, type Profile } from "./domain.ts";

const born = { id: "p", userId: "u", createdAtMs: 0 };
const adult: Profile = create({ ...born, id: "adult", name: "Alex" }, []);
const kids: Profile = create({ ...born, id: "kids", name: "Kids", isKids: true }, [adult]);
const guarded: Profile = { ...adult, hasPin: true };

test("a new profile is an adult's, a kids one begins at six; no two look alike", () => {
  assert.equal(adult.ageRatingMax, 18);
  assert.equal(kids.ageRatingMax, 6);
  const household: Profile[] = [];
  for (let n = 0; n < PROFILES_MAX; n++) household.push(create({ ...born, id: `p${n}`, name: `P${n}` }, household));
  assert.equal(new Set(household.map(({ avatarColor }) => avatarColor)).size, PROFILES_MAX);
  assert.equal(new Set(household.map(({ avatarShape }) => avatarShape)).size, PROFILES_MAX);
  assert.throws(() => create({ ...born, name: "Six" }, household), {
    code: "failed_precondition",
    reason: "profiles_max",
  });
});

test("a kids profile cannot be raised above twelve", () => {
  assert.equal(change(kids, { ageRatingMax: 12 }).ageRatingMax, 12);
  assert.throws(() => change(kids, { ageRatingMax: 16 }), { reason: "kids_age" });
  assert.equal(change(adult, { isKids: true }).ageRatingMax, 6);
  assert.throws(() => change(adult, { isKids: true, ageRatingMax: 18 }), { reason: "kids_age" });
  assert.equal(change(kids, { isKids: false }).ageRatingMax, 6, "growing up opens nothing by itself");
  assert.throws(() => change(adult, { ageRatingMax: 7 }), { reason: "age_invalid" });
});

test("members out of bounds are named", () => {
  for (const [wish, reason] of [
    [{ name: " " }, "name_invalid"],
    [{ name: "x".repeat(41) }, "name_invalid"],
    [{ language: "no language" }, "language_invalid"],
    [{ avatarShape: 12 }, "avatar_invalid"],
    [{ avatarColor: "red" }, "avatar_invalid"],
  ] as const)
    assert.throws(() => change(adult, wish), { code: "invalid_argument", reason });
});

test("the first profile is called as its owner is", () => {
  assert.equal(firstName(" Alex "), "Alex");
  assert.equal(firstName("x".repeat(80)).length, 40);
  assert.equal(firstName(""), "Me");
});

test("a PIN is asked where there is one, except where the device is already", () => {
  assert.equal(needsPin(kids.id, guarded), true);
  assert.equal(needsPin("", guarded), true);
  assert.equal(needsPin(guarded.id, guarded), false);
  assert.equal(needsPin(kids.id, adult), false);
});

test("once a household has a PIN, only a profile with one changes what it protects", () => {
  const open = [adult, kids];
  const closed = [guarded, kids, { ...adult, id: "teen", ageRatingMax: 12 }];
  const teen = closed[2];
  assert.ok(teen);
  const cases: readonly (readonly [string, readonly Profile[], string, Parameters<typeof mayManage>[2], boolean])[] = [
    ["no PIN, anybody", open, kids.id, { profile: adult, touchesLimits: true }, true],
    ["PIN holder, everything", closed, guarded.id, { profile: kids, touchesLimits: true }, true],
    ["child, removing the PIN", closed, kids.id, { profile: guarded, touchesLimits: true }, false],
    ["child, its own name", closed, kids.id, { profile: kids, touchesLimits: false }, false],
    ["child, a new profile", closed, kids.id, { touchesLimits: true }, false],
    ["teen, its own age", closed, teen.id, { profile: teen, touchesLimits: true }, false],
    ["teen, its own name", closed, teen.id, { profile: teen, touchesLimits: false }, true],
    ["teen, the guarded profile's name", closed, teen.id, { profile: guarded, touchesLimits: false }, false],
    ["nobody chosen, a new profile", closed, "", { touchesLimits: true }, false],
    ["a profile that is gone", closed, "gone", { profile: guarded, touchesLimits: true }, false],
    [
      "a kids profile with a PIN",
      [{ ...kids, hasPin: true }, adult],
      kids.id,
      { profile: kids, touchesLimits: true },
      false,
    ],
  ];
  for (const [what, household, actor, target, may] of cases)
    assert.equal(mayManage(household, actor, target), may, what);
});
