import assert from "node:assert/strict";
import { test } from "node:test";
import { openFileObjects } from "#adapters/objects/files";
import { systemContext } from "#kernel";
import type { Presentation, TextTrack } from "#media/presentation";
import { makeTestFolder } from "../../../kernel/testing/folder.ts";
import { openManifests } from "./manifests.ts";

const text = (profile: string): TextTrack => ({
  ...{ kind: "text", profile, language: "en", label: "English", role: "subtitles", segmentDurationsS: [6, 4] },
});

test("subtitles that a newer index has replaced are still written for whoever began with them; what never was is not", async () => {
  const folder = await makeTestFolder("manifests");
  const objects = await openFileObjects({ folder });
  const put = (indexVersion: number, tracks: readonly TextTrack[]) => {
    const index: Presentation = {
      ...{ contentId: "film", revision: 1, indexVersion, durationS: 10, keys: [], video: [], audio: [] },
      ...{ text: tracks, thumbnails: null },
    };
    return objects.put(`vod/film/r1/index-${indexVersion}.json`, Buffer.from(JSON.stringify(index)));
  };
  await put(1, [text("text-de")]);
  await put(2, [text("text-de"), text("text-en-old")]);
  await put(3, [text("text-de"), text("text-en-new")]);
  const addresses = { edges: [], publicUrl: "http://localhost" };
  const manifests = openManifests({ objects, addresses } as unknown as Parameters<typeof openManifests>[0]);
  const context = systemContext("demo", "test");
  const playlist = async (profile: string): Promise<string> => {
    const path = { kind: "media" as const, contentId: "film", revision: 1, profile, planId: "" };
    return (await manifests.render(path, null, context)).body.toString();
  };
  for (const profile of ["text-de", "text-en-old", "text-en-new"])
    assert.match(await playlist(profile), /seg-0000002\.vtt/, profile);
  await assert.rejects(playlist("text-fr"), { code: "not_found" });
});
