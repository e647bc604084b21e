import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startGuardian } from "#kernel/guardian";
import { Problem } from "#kernel/errors";
import type { Audience, Condition, Flag, FlagRule, Flags } from "#kernel/ports/flags";
import { flagsContract } from "./contract.ts";
import { openEmbeddedFlags } from "./embedded.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";
import { openTestPostgres } from "../../kernel/testing/postgres.ts";

const guardian = startGuardian();
const folder = await makeTestFolder("flags");
const postgres = await openTestPostgres(folder, guardian);
after(async () => {
  await postgres.stop();
  guardian.stop();
  await rm(folder, { recursive: true, force: true });
});

const lines: string[] = [];
const open = (everyMs = 20): Promise<Flags> =>
  openEmbeddedFlags({
    adminUrl: postgres.adminUrl,
    runtimeUrl: postgres.runtimeUrl,
    everyMs,
    log: (line) => lines.push(line),
  });

flagsContract("embedded", async () => {
  const flags = await open();
  return { flags, define: (rule) => flags.put(rule), remove: (name) => flags.remove(name) };
});

const everybody: Audience = { conditions: [], percent: 100, stickiness: "default", variants: [] };
const on = (name: string): FlagRule => ({ name, isEnabled: true, audiences: [everybody] });
const flag = (name: string): Flag<boolean> => ({ name, fallback: false, what: "a flag of a test" });

describe("embedded flags", () => {
  let one: Flags;
  let other: Flags;
  before(async () => {
    [one, other] = await Promise.all([open(), open()]);
  });
  after(() => Promise.all([one.close(), other.close()]));

  const until = async (isTrue: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 500 && !isTrue(); tries += 1) await sleep(20);
    assert.ok(isTrue(), isTrue.toString());
  };

  test("another process hears of a change, and a restart forgets none", async () => {
    await one.put(on("shared"));
    await until(() => other.evaluate(flag("shared"), {}).value);
    const later = await open();
    assert.equal(later.evaluate(flag("shared"), {}).value, true);
    await later.close();
    await other.remove("shared");
    await until(() => !one.evaluate(flag("shared"), {}).value);
  });

  test("of changes at the same time none is lost", async () => {
    const names = Array.from({ length: 10 }, (_, n) => `race.${n}`);
    await Promise.all(names.map((name, n) => (n % 2 === 0 ? one : other).put(on(name))));
    await until(() => [one, other].every((flags) => names.every((name) => flags.evaluate(flag(name), {}).value)));
  });

  test("what would hold for nobody is refused, with the remedy", async () => {
    const withCondition = (condition: Partial<Condition>): FlagRule => ({
      ...on("refused"),
      audiences: [
        {
          ...everybody,
          conditions: [{ attribute: "tier", operator: "IN", values: ["a"], isInverted: false, ...condition }],
        },
      ],
    });
    const cases: readonly [FlagRule, RegExp][] = [
      [on("no name"), /letters, digits/],
      [on(""), /letters, digits/],
      [{ ...on("refused"), audiences: [{ ...everybody, percent: 101 }] }, /101 %/],
      [{ ...on("refused"), audiences: [{ ...everybody, percent: Number.NaN }] }, /NaN %/],
      [{ ...on("refused"), audiences: [{ ...everybody, stickiness: "shoe" }] }, /'shoe'.*userId/],
      [withCondition({ attribute: "shoeSize" }), /'shoeSize'.*tier/],
      [withCondition({ values: [] }), /1 to 250 values/],
      [withCondition({ operator: "NUM_GT", values: ["many"] }), /'many'.*a number/],
      [withCondition({ operator: "SEMVER_GT", values: ["v1"] }), /'v1'.*2\.14\.0/],
      [withCondition({ operator: "DATE_AFTER", values: ["soon"] }), /'soon'.*a time/],
      [withCondition({ operator: "REGEX", values: ["("] }), /'\('.*RE2/],
    ];
    for (const [rule, words] of cases)
      await assert.rejects(
        one.put(rule),
        (error: unknown) => error instanceof Problem && error.code === "invalid_argument" && words.test(error.message),
      );
    assert.ok(!one.rules().some(({ name }) => name === "refused"));
  });

  test("the runtime login reads and changes the one row, and can do nothing else", async () => {
    const client = new pg.Client({ connectionString: postgres.runtimeUrl });
    await client.connect();
    try {
      await assert.rejects(client.query("DELETE FROM flags.document"), /permission denied/);
      await assert.rejects(client.query("INSERT INTO flags.document VALUES (true, 1, '{}')"), /permission denied/);
    } finally {
      await client.end();
    }
  });

  test("a broken row leaves the last known flags in force, and is told", async () => {
    await one.put(on("kept"));
    const admin = new pg.Client({ connectionString: postgres.adminUrl });
    await admin.connect();
    try {
      const { rows } = await admin.query("SELECT document FROM flags.document");
      await admin.query(`UPDATE flags.document SET revision = revision + 1, document = '{"features": 7}'`);
      await until(() => one.evaluate(flag("kept"), {}).reason === "STALE");
      assert.equal(one.evaluate(flag("kept"), {}).value, true);
      assert.match((await one.state()).detail, /last known.*features/);
      assert.ok(lines.some((line) => /last known ones hold/.test(line)));
      await admin.query("UPDATE flags.document SET revision = revision + 1, document = $1", [
        JSON.stringify((rows[0] as { document: unknown }).document),
      ]);
      await until(() => one.evaluate(flag("kept"), {}).reason === "STATIC");
      assert.equal((await one.state()).ok, true);
    } finally {
      await admin.end();
    }
  });
});
