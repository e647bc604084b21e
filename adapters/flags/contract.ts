import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Audience, Condition, Flag, FlagContext, FlagRule, Flags, FlagValue, Operator } from "#kernel/ports/flags";

/** A store under test, and how its operators change flags in it. */
export interface FlagsUnderTest {
  readonly flags: Flags;
  /** Resolves when the rule is in force in `flags`. */
  define(rule: FlagRule): Promise<void>;
  remove(name: string): Promise<void>;
}

const EVERYBODY: Audience = { conditions: [], percent: 100, stickiness: "default", variants: [] };
const flagOf = <T extends FlagValue>(name: string, fallback: T): Flag<T> => ({
  name,
  fallback,
  what: "a flag of a test",
});
const nameOf = (word: string): string => `test.${word}.${randomUUID().slice(0, 8)}`;
const is = (attribute: string, operator: Operator, ...values: string[]): Condition => ({
  ...{ attribute, operator, values, isInverted: false },
});

/** What every store of flags does. */
export function flagsContract(name: string, open: () => Promise<FlagsUnderTest>): void {
  describe(`flags contract: ${name}`, () => {
    let store: FlagsUnderTest;
    const shares = new Map<string, number>();
    before(async () => {
      store = await open();
    });
    after(() => store?.flags.close());

    const define = async (rule: Partial<FlagRule> & { readonly name: string }): Promise<void> =>
      store.define({ isEnabled: true, audiences: [EVERYBODY], ...rule });
    const isOn = (flag: string, context: FlagContext = {}): boolean =>
      store.flags.evaluate(flagOf<boolean>(flag, false), context).value;

    test("a flag that nobody spoke of has its default, of every kind", () => {
      for (const fallback of [true, false, "text", 7, { a: [1] }])
        assert.deepEqual(store.flags.evaluate(flagOf<FlagValue>(nameOf("unknown"), fallback), {}), {
          value: fallback,
          reason: "DEFAULT",
        });
    });

    test("a flag is opened, shut, and forgotten", async () => {
      const flag = nameOf("switch");
      await define({ name: flag });
      assert.deepEqual(store.flags.evaluate(flagOf<boolean>(flag, false), {}), { value: true, reason: "STATIC" });
      assert.ok(store.flags.rules().some((rule) => rule.name === flag && rule.isEnabled));
      await define({ name: flag, isEnabled: false });
      assert.deepEqual(store.flags.evaluate(flagOf<boolean>(flag, true), {}), { value: false, reason: "DISABLED" });
      assert.deepEqual(store.flags.evaluate(flagOf(flag, "fallback"), {}), { value: "fallback", reason: "DISABLED" });
      await store.remove(flag);
      assert.deepEqual(store.flags.evaluate(flagOf<boolean>(flag, true), {}), { value: true, reason: "DEFAULT" });
      assert.ok(!store.flags.rules().some((rule) => rule.name === flag));
    });

    test("values of every kind come as they are, and those of another kind are told", async () => {
      const values: readonly FlagValue[] = ["a text, with a comma", 12.5, 0, { rails: ["new", "continue"], n: 1 }];
      for (const value of values) {
        const flag = nameOf("value");
        await define({ name: flag, audiences: [{ ...EVERYBODY, variants: [{ name: "only", weight: 1_000, value }] }] });
        const fallback = typeof value === "object" ? {} : typeof value === "number" ? -1 : "fallback";
        const found = store.flags.evaluate(flagOf<FlagValue>(flag, fallback), {});
        assert.deepEqual(found, { value, reason: "STATIC", variant: "only" });
        const other = typeof value === "number" ? "text" : 1;
        const wrong = store.flags.evaluate(flagOf<FlagValue>(flag, other), {});
        assert.deepEqual([wrong.value, wrong.reason, wrong.errorCode], [other, "ERROR", "TYPE_MISMATCH"]);
      }
      const plain = nameOf("plain");
      await define({ name: plain });
      assert.deepEqual(store.flags.evaluate(flagOf(plain, "fallback"), {}), { value: "fallback", reason: "DEFAULT" });
    });

    test("every attribute of the context decides", async () => {
      const context: FlagContext = {
        ...{ tenant: "demo", userId: "usr_1", profileId: "prf_1", sessionId: "dev_1", remoteAddress: "192.0.2.7" },
        ...{ tier: "premium", deviceType: "tv", platform: "tizen", osVersion: "7.0.0", appVersion: "2.3.1" },
        ...{ market: "DE", service: "catalog" },
      };
      for (const [attribute, value] of Object.entries(context)) {
        const flag = nameOf(attribute);
        await define({
          name: flag,
          audiences: [{ ...EVERYBODY, conditions: [is(attribute, "IN", "other", String(value))] }],
        });
        const found = store.flags.evaluate(flagOf<boolean>(flag, false), context);
        assert.deepEqual(found, { value: true, reason: "TARGETING_MATCH" }, attribute);
        assert.equal(isOn(flag, { ...context, [attribute]: "strange" }), false, attribute);
        assert.equal(isOn(flag, { ...context, [attribute]: undefined }), false, attribute);
      }
    });

    test("every operator decides, and is inverted", async () => {
      const cases: readonly [Condition, FlagContext, FlagContext][] = [
        [is("market", "IN", "DE", "AT"), { market: "AT" }, { market: "CH" }],
        [is("market", "NOT_IN", "DE", "AT"), { market: "CH" }, { market: "AT" }],
        [is("userId", "STR_STARTS_WITH", "usr_"), { userId: "usr_1" }, { userId: "1_usr_" }],
        [is("userId", "STR_ENDS_WITH", "_a", "_b"), { userId: "1_b" }, { userId: "_b1" }],
        [is("userId", "STR_CONTAINS", "é"), { userId: "café1" }, { userId: "cafe1" }],
        [is("osVersion", "NUM_EQ", "17"), { osVersion: "17" }, { osVersion: "18" }],
        [is("osVersion", "NUM_GT", "17"), { osVersion: "17.5" }, { osVersion: "17" }],
        [is("osVersion", "NUM_GTE", "17"), { osVersion: "17" }, { osVersion: "16.9" }],
        [is("osVersion", "NUM_LT", "17"), { osVersion: "9" }, { osVersion: "17" }],
        [is("osVersion", "NUM_LTE", "17"), { osVersion: "17" }, { osVersion: "18" }],
        [is("appVersion", "SEMVER_EQ", "2.10.0"), { appVersion: "2.10.0" }, { appVersion: "2.9.0" }],
        [is("appVersion", "SEMVER_GT", "2.9.0"), { appVersion: "2.10.0" }, { appVersion: "2.9.0" }],
        [is("appVersion", "SEMVER_LT", "2.10.0"), { appVersion: "2.9.9" }, { appVersion: "2.10.0" }],
        [
          is("currentTime", "DATE_AFTER", "2026-06-01T00:00:00.000Z"),
          { currentTime: "2026-06-01T00:00:01Z" },
          { currentTime: "2026-05-31T23:59:59Z" },
        ],
        [
          is("currentTime", "DATE_BEFORE", "2026-06-01T00:00:00.000Z"),
          { currentTime: "2026-06-01T01:30:00+02:00" },
          { currentTime: "2026-06-01T00:00:01Z" },
        ],
      ];
      for (const [condition, inside, outside] of cases) {
        const flag = nameOf(condition.operator);
        await define({ name: flag, audiences: [{ ...EVERYBODY, conditions: [condition] }] });
        assert.deepEqual([isOn(flag, inside), isOn(flag, outside)], [true, false], condition.operator);
        const inverted = { ...condition, isInverted: true };
        await define({ name: flag, audiences: [{ ...EVERYBODY, conditions: [inverted] }] });
        assert.deepEqual([isOn(flag, inside), isOn(flag, outside)], [false, true], `not ${condition.operator}`);
      }
    });

    test("conditions of an audience hold together, and audiences one after the other", async () => {
      const flag = nameOf("audiences");
      const variant = (word: string) => [{ name: word, weight: 1_000, value: word }];
      const tv = {
        ...EVERYBODY,
        conditions: [is("deviceType", "IN", "tv"), is("tier", "IN", "premium")],
        variants: variant("tv"),
      };
      const german = { ...EVERYBODY, conditions: [is("market", "IN", "DE")], variants: variant("german") };
      await define({ name: flag, audiences: [tv, german] });
      const of = (context: FlagContext): string => store.flags.evaluate(flagOf<string>(flag, "nobody"), context).value;
      assert.equal(of({ deviceType: "tv", tier: "premium", market: "DE" }), "tv");
      assert.equal(of({ deviceType: "tv", tier: "basic", market: "DE" }), "german");
      assert.equal(of({ deviceType: "tv", tier: "basic", market: "AT" }), "nobody");
    });

    test("a share grows, and nobody who is in it falls out", async () => {
      const flag = nameOf("rollout");
      const users = Array.from({ length: 400 }, (_, n) => `usr_${n}`);
      let before = new Set<string>();
      for (const percent of [0, 10, 40, 100]) {
        await define({ name: flag, audiences: [{ ...EVERYBODY, percent }] });
        const inside = new Set(users.filter((userId) => isOn(flag, { userId })));
        assert.ok(
          [...before].every((userId) => inside.has(userId)),
          `${percent} %`,
        );
        // Of 400 people five standard deviations are at most fifty.
        assert.ok(Math.abs(inside.size - percent * 4) <= 50, `${inside.size} of 400 are no ${percent} %`);
        shares.set(String(percent), inside.size);
        before = inside;
      }
      assert.deepEqual([shares.get("0"), shares.get("100")], [0, 400]);
      await define({ name: flag, audiences: [{ ...EVERYBODY, percent: 50, stickiness: "profileId" }] });
      const byProfile = users.filter((profileId) => isOn(flag, { userId: "usr_same", profileId }));
      assert.ok(byProfile.length > 120 && byProfile.length < 280, `${byProfile.length} of 400 profiles`);
      assert.equal(isOn(flag, { userId: "usr_same" }), false, "who has no profile is in no share of profiles");
    });

    test("variants are shared out by weight, and stay with their people", async () => {
      const flag = nameOf("variants");
      const variants = [
        { name: "control", weight: 500, value: "control" },
        { name: "treatment", weight: 500, value: "treatment" },
      ];
      await define({ name: flag, audiences: [{ ...EVERYBODY, variants }] });
      const of = (userId: string) => store.flags.evaluate(flagOf<string>(flag, "nobody"), { userId });
      const users = Array.from({ length: 400 }, (_, n) => `usr_${n}`);
      const treated = users.filter((userId) => of(userId).value === "treatment");
      assert.ok(treated.length > 150 && treated.length < 250, `${treated.length} of 400`);
      for (const userId of users) {
        const { value, reason, variant } = of(userId);
        assert.equal(reason, "SPLIT");
        assert.equal(variant, value);
        assert.equal(of(userId).value, value);
      }
    });

    test("it says how it is", async () => {
      const { ok, detail } = await store.flags.state();
      assert.equal(ok, true, detail);
      assert.match(detail, /flags/i);
    });
  });
}
