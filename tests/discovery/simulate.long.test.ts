/** `marquee simulate` on a product of its own: what it does there, with fewer viewers and without their pauses, and the command that takes it away. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Catalog } from "#contracts/catalog";
import { User } from "#contracts/user";
import { openCinema } from "../../apps/simulate/cinema.ts";
import { type Row, runCourse } from "../../apps/simulate/course.ts";
import { addPersonas, addTitles, emailOf, learn } from "../../apps/simulate/people.ts";
import { makeWorld } from "../../apps/simulate/world.ts";
import { openStage, type Stage } from "../chaos/product.ts";

const MARQUEE = path.resolve(import.meta.dirname, "../../marquee");
const COMMAND_MS_MAX = 120_000;
const [PERSONAS, TITLES, INTERVALS, SEED, RUN] = [40, 200, 5, 11, "test"];
const nothing = (): void => undefined;

describe("simulated viewers", { concurrency: false }, () => {
  let stage: Stage;
  let url: string;
  before(async () => {
    stage = await openStage();
    url = await stage.start().ready();
  });
  after(() => stage?.close());

  const left = async () => {
    const { titles } = await stage.admin.of(Catalog).list({ limit: TITLES });
    const user = stage.admin.of(User);
    const found = await Promise.allSettled(
      Array.from({ length: PERSONAS }, (_, at) => user.findByEmail({ email: emailOf(at) })),
    );
    return {
      titles: titles.filter(({ id }) => id.startsWith("sim_")).length,
      accounts: found.filter(({ status }) => status === "fulfilled").length,
    };
  };

  it("get homes that suit them better than what is popular, differ, and say why", { timeout: 240_000 }, async (t) => {
    const world = makeWorld({ seed: SEED, personas: PERSONAS, titles: TITLES });
    await addTitles(stage.admin, RUN, world, nothing);
    await addPersonas(stage.admin, PERSONAS, nothing);
    await learn(stage.admin);
    const rows: Row[] = [];
    await runCourse(world, openCinema({ client: stage.admin, url, run: RUN, personas: PERSONAS }), {
      ...{ seed: SEED, intervals: INTERVALS, intervalMs: 0, nowMs: Date.now, signal: new AbortController().signal },
      sleep: async () => undefined,
      onRow: (row) => rows.push(row),
    });
    const last = rows.at(-1);
    assert.ok(last);
    t.diagnostic(JSON.stringify(last));
    assert.ok(last.difference.low > 0, "the interval of the lead includes 0");
    assert.ok(last.alike < 0.5, `two homes have ${last.alike} in common`);
    assert.ok(last.watched > 0 && last.asked > 0);
    assert.deepEqual([last.withFalseReason, last.failed], [0, 0]);
    assert.deepEqual(await left(), { titles: TITLES, accounts: PERSONAS });
  });

  it("leave nothing when the command takes them away", { timeout: 150_000 }, async () => {
    const env = { ...process.env, MARQUEE_DATA: stage.folder, MARQUEE_PORT: String(stage.port) };
    const printed = await new Promise<string>((resolve, reject) => {
      execFile(MARQUEE, ["simulate", "--remove", "--json"], { env, timeout: COMMAND_MS_MAX }, (error, out, err) =>
        error ? reject(new Error(err)) : resolve(out),
      );
    });
    assert.deepEqual(JSON.parse(printed.trim().split("\n").at(-1) ?? ""), { titles: TITLES, accounts: PERSONAS });
    assert.deepEqual(await left(), { titles: 0, accounts: 0 });
  });
});
