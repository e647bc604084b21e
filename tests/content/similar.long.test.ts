/** Titles that look alike, by a network that is as small as can be: the mean colour. What real weights come to is in tests/realdata. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type MetadataEnriched, modelFile } from "#contracts/metadata";
import { listSimilar } from "../../apps/cli/enrich-similar.ts";
import { showEnrichment } from "../../apps/cli/enrich.ts";
import { cliOf } from "../discovery/cli.ts";
import { meanColour } from "./mean-colour.ts";
import { type ContentHost, drawClip, startContent } from "./setup.ts";

let host: ContentHost;
before(async () => {
  host = await startContent({ withMetadata: true });
});
after(() => host?.stop());

/** Something to see, in shades of one colour. */
const inShades = (red: number, green: number, blue: number): string =>
  `testsrc2=size=320x180:rate=25,colorchannelmixer=rr=${red}:gg=${green}:bb=${blue}`;

async function takeIn(name: string, pattern: string, tenant = "demo"): Promise<string> {
  const path = await drawClip(host.at(`${name}.mp4`), { pattern, seconds: 3 });
  const metadataJson = JSON.stringify({ title: name });
  const { contentId } = await host.imports.import(
    { path, preset: "quick", publish: true, allowDuplicate: true, metadataJson },
    host.context({ tenant }),
  );
  return contentId;
}

/** The step as it has ended. */
const embedded = (contentId: string, tenant = "demo") =>
  host.until(`the embedding of ${contentId}`, async () => {
    const context = host.context({ tenant });
    const found = await host.metadata.get({ contentId }, context).catch(() => ({ title: undefined }));
    const step = found.title?.steps.find(({ name }) => name === "embedding");
    return step && step.state !== "waiting" && step.state !== "running" && step;
  });

const similar = async (contentId: string, more: object = {}) =>
  host.metadata.similar({ contentId, ...more }, host.context());
const idsOf = ({ titles }: { readonly titles: readonly { readonly contentId: string }[] }) =>
  titles.map(({ contentId }) => contentId);

let [red, brick, blue, green] = ["", "", "", ""];

test("without weights the step is skipped with its remedy, and nobody is called alike", {
  timeout: 60_000,
}, async () => {
  red = await takeIn("Red", inShades(1, 0.1, 0.1));
  const step = await embedded(red);
  assert.deepEqual([step.state, step.reason], ["skipped", "no_model"]);
  await assert.rejects(similar(red), (error: { code: string; message: string }) => {
    assert.equal(error.code, "failed_precondition");
    assert.match(error.message, /marquee model pull moderation/);
    return true;
  });
});

test("titles of one colour look alike, others do not, and other tenants' are not seen", {
  timeout: 120_000,
}, async () => {
  await host.adapters.objects.put(modelFile("moderation", "features.onnx"), meanColour());
  await host.metadata.enrich({ contentId: red, step: "embedding" }, host.context());
  brick = await takeIn("Brick", inShades(0.9, 0.3, 0.2));
  blue = await takeIn("Blue", inShades(0.05, 0.1, 1));
  green = await takeIn("Green", inShades(0.1, 1, 0.1));
  await embedded(green);
  const few = await similar(red);
  assert.deepEqual([few.titles, few.tooFew, few.compared], [[], true, 3], "four titles have no middle");
  const grey = await takeIn("Grey", inShades(0.5, 0.5, 0.5));
  const stranger = await takeIn("Red elsewhere", inShades(1, 0.1, 0.1), "north");
  for (const id of [red, brick, blue, green, grey]) {
    const { state, message, confidence, model, version, valueJson } = await embedded(id);
    assert.equal(state, "done", message);
    assert.ok(confidence > 0.9 && confidence <= 1 && model !== "" && version !== "", `${confidence}`);
    assert.deepEqual(JSON.parse(valueJson), { frames: 6, flat: 0, dimensions: 3 });
  }
  assert.equal((await embedded(stranger, "north")).state, "done");

  const alike = await similar(red);
  assert.deepEqual([idsOf(alike), alike.compared, alike.partial, alike.tooFew], [[brick], 4, false, false]);
  const [near = 0] = alike.titles.map(({ similarity }) => similarity);
  assert.ok(near <= 1 && near > 0.8, `${near}`);
  assert.deepEqual(idsOf(await similar(brick)), [red]);
  assert.deepEqual(idsOf(await similar(red, { similarityMin: near + 1e-6 })), []);
  assert.deepEqual(idsOf(await similar(blue)), []);

  const north = host.context({ tenant: "north" });
  assert.equal((await host.metadata.similar({ contentId: stranger, similarityMin: 0.01 }, north)).compared, 0);
  await assert.rejects(host.metadata.similar({ contentId: red }, north), { code: "not_found" });
  for (const similarityMin of [-0.1, 1.1, Number.NaN])
    await assert.rejects(similar(red, { similarityMin }), { code: "invalid_argument" });
  const told = (await host.heard<MetadataEnriched>("metadata.enriched")).filter(
    ({ data }) => data.what === "embedding",
  );
  assert.deepEqual(
    new Set(told.map(({ data, tenant }) => `${tenant} ${data.contentId}`)),
    new Set([...[red, brick, blue, green, grey].map((id) => `demo ${id}`), `north ${stranger}`]),
  );
});

test("the command says so to people and to programs", { timeout: 60_000 }, async () => {
  const { cli, printed } = cliOf(host);
  await listSimilar(cli, red, { json: false });
  assert.match(printed.join("\n"), new RegExp(`${brick} +\\d\\d % +Brick`));
  printed.length = 0;
  await listSimilar(cli, red, { json: true, min: 0.01, limit: 5 });
  const lines = printed.map((line) => JSON.parse(line) as { contentId: string; similarity: number; maker: string });
  assert.deepEqual(
    lines.map(({ contentId }) => contentId),
    [brick],
  );
  assert.ok(lines.every(({ maker }) => maker.includes("pooled features")));
  printed.length = 0;
  await listSimilar(cli, blue, { json: false });
  assert.deepEqual(printed, ["TITLE  ALIKE  NAME"], "nothing is alike, and nothing is said to be");
  printed.length = 0;
  await showEnrichment(cli, red, { json: false });
  assert.match(printed.join("\n"), /6 frames: \.\/marquee enrich similar/);
});

test("a film of nothing but black has no look, and a title that is deleted is like no other", {
  timeout: 120_000,
}, async () => {
  const black = await takeIn("Black", "color=black:size=320x180:rate=25");
  const step = await embedded(black);
  assert.deepEqual([step.state, step.reason], ["skipped", "nothing_seen"], step.message);
  await assert.rejects(similar(black), /black, white or fog/);

  await host.catalog.delete({ id: brick }, host.context());
  await host.settled();
  const left = await similar(red, { similarityMin: 0.01 });
  assert.deepEqual([idsOf(left), left.compared], [[], 3]);
  await assert.rejects(similar(brick), { code: "not_found" });
});
