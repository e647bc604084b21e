// Simulated viewers on the whole product, as an operator starts them: over its web API, its log and its models.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { Catalog } from "#contracts/catalog";
import { Recommendation } from "#contracts/recommendation";
import { User } from "#contracts/user";
import { adminSocketPath } from "../../apps/admin/socket.ts";
import { adminClient } from "../../apps/cli/client.ts";
import { openCinema } from "../../apps/simulate/cinema.ts";
import { type Row, runCourse } from "../../apps/simulate/course.ts";
import { addPersonas, addTitles, emailOf, idOf, learn, removeAll } from "../../apps/simulate/people.ts";
import { makeWorld } from "../../apps/simulate/world.ts";
import { openStage, type Product, type Stage } from "../chaos/product.ts";

const RUN = "test";
const SEED = 11;
const [PERSONAS, TITLES, INTERVALS] = [24, 200, 3];
const nothing = (): void => undefined;

let stage: Stage;
let product: Product;
let url: string;

before(async () => {
  stage = await openStage();
  product = stage.start();
  url = await product.ready();
});
after(() => stage?.close());

const visible = async (): Promise<readonly string[]> =>
  (await stage.admin.of(Catalog).list({ kinds: ["film"], limit: 200 })).titles.map(({ id }) => id);

test("homes become better than what is popular, differ and say why; another tenant sees nothing of it", async () => {
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
  assert.equal(rows.length, INTERVALS + 1);
  assert.ok(last && last.difference.low > 0, JSON.stringify(rows));
  assert.ok(last.alike < 0.6, `two homes have ${last.alike} in common`);
  assert.ok(last.withTrueReason > PERSONAS / 2, JSON.stringify(last));
  assert.equal(last.withFalseReason, 0);
  assert.equal(last.failed, 0);

  const { titles } = await stage.admin.of(Catalog).getMany({ ids: [idOf(RUN, 7)] });
  assert.match(titles[0]?.title ?? "", /^Simulated /);
  const { model } = await stage.admin.of(Recommendation).status({});
  assert.equal(model?.profiles, PERSONAS);
  const other = adminClient({
    ...{ socketPath: adminSocketPath(stage.folder), tenant: "other", dataFolder: stage.folder },
  });
  assert.deepEqual((await other.of(Catalog).list({ kinds: ["film"], includeHidden: true })).titles, []);
  assert.equal((await other.of(Recommendation).status({})).model, undefined);
});

test("all of it can be taken away again", async () => {
  assert.ok((await visible()).length > 0);
  assert.deepEqual(await removeAll(stage.admin, nothing), { titles: TITLES, accounts: PERSONAS });
  assert.deepEqual(await visible(), []);
  await assert.rejects(stage.admin.of(User).findByEmail({ email: emailOf(0) }), { code: "not_found" });
  const { model } = await stage.admin.of(Recommendation).status({});
  assert.deepEqual([model?.profiles, model?.titles, model?.interactions], [0, 0, 0]);
  assert.deepEqual(await removeAll(stage.admin, nothing), { titles: 0, accounts: 0 });
});

test("a product that is not the demo wants to be asked, and the command ends by Ctrl-C with what there is", async () => {
  const refused = await ended(simulate());
  assert.notEqual(refused.code, 0);
  assert.match(refused.said, /this is not the demo.*--yes/);
  assert.deepEqual(await visible(), []);

  const child = simulate("--yes", "--minutes", "30");
  let printed = "";
  child.stdout?.on("data", (text: Buffer) => {
    printed += text.toString();
    // The first row is that of before anybody watched.
    if (/\n +0 s /.test(printed)) child.kill("SIGINT");
  });
  const { code, said } = await ended(child);
  assert.equal(code, 1, said);
  assert.match(printed, /homes do not suit their personas better/);
  assert.match(await readFile(path.join(stage.folder, "simulation.svg"), "utf8"), /<polyline /);
  assert.ok((await visible()).length > 0, "they stay until they are removed");
  assert.equal((await ended(simulate("--remove", "--json"))).code, 0);
  assert.deepEqual(await visible(), []);
});

function simulate(...more: readonly string[]): ChildProcess {
  const entry = path.resolve(import.meta.dirname, "../../apps/marquee.ts");
  return spawn(process.execPath, [entry, "simulate", "--personas", "10", "--titles", "50", ...more], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], MARQUEE_DATA: stage.folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly said: string }> {
  let said = "";
  child.stdout?.resume();
  child.stderr?.on("data", (text: Buffer) => (said += text.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, said })));
}
