import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { EncodingStarted } from "#contracts/encoding";
import { Problem } from "#kernel";
import { type ContentHost, drawClip, startContent } from "./setup.ts";

let host: ContentHost;
before(async () => {
  host = await startContent({ env: { MARQUEE_ENCODE_CONCURRENCY: "2" } });
});
after(async () => {
  await host?.stop();
});

const importFull = async (name: string, pattern: string): Promise<string> => {
  const path = await drawClip(host.at(name), { pattern, seconds: 4 });
  const { contentId } = await host.imports.import({ path, preset: "full", publish: true }, host.context());
  return contentId;
};
const complete = (contentId: string) =>
  host.until(`the package of ${contentId}`, async () => {
    const { encodings } = await host.encodings.getMany({ contentIds: [contentId] }, host.context());
    assert.notEqual(encodings[0]?.state, "failed", encodings[0]?.failure);
    return encodings[0]?.state === "complete" && encodings[0];
  });

test("a film of the full preset is measured, gets a ladder of its own and plays", { timeout: 180_000 }, async () => {
  const contentId = await importFull("own.mp4", "testsrc2=size=320x180:rate=25");
  const { ladder, ladderReason, rungs, progress } = await complete(contentId);
  assert.deepEqual([ladder, ladderReason, progress], ["per-title", "", 1]);
  const chosen = rungs.filter(({ vmaf }) => vmaf > 0);
  assert.ok(chosen.length >= 2);
  for (const rung of chosen) {
    assert.ok(rung.width <= 320 && rung.height <= 180 && rung.expectedKbps > 0);
    assert.ok(rung.bitrateKbps >= rung.expectedKbps && rung.packaged);
  }
  const started = (await host.heard<EncodingStarted>("encoding.started")).filter(
    ({ data }) => data.contentId === contentId,
  );
  assert.deepEqual(
    started.map(({ data }) => data.profiles.filter((profile) => !profile.startsWith("audio"))),
    [rungs.map(({ profile }) => profile)],
  );
});

test("a film that cannot be measured gets the fixed ladder, says why, and plays", { timeout: 180_000 }, async () => {
  const { transcoder } = host.adapters;
  const original = transcoder.complexity;
  Object.assign(transcoder, {
    complexity: () => Promise.reject(new Problem("unsupported_media", "'source' cannot be measured")),
  });
  try {
    const contentId = await importFull("fixed.mp4", "smptehdbars=size=320x180:rate=25");
    const { ladder, ladderReason, rungs } = await complete(contentId);
    assert.deepEqual([ladder, ladderReason], ["fixed", "the film cannot be measured"]);
    assert.ok(rungs.some(({ profile }) => profile === "240p-h264") && rungs.every(({ vmaf }) => vmaf === 0));
  } finally {
    Object.assign(transcoder, { complexity: original });
  }
});
