import { setImmediate as breathe } from "node:timers/promises";
import { skipped } from "./domain.ts";
import { chaptersOf, scenesOf } from "./domain-chapters.ts";
import { packHashes, TWIN_SIMILARITY_MIN, type Twin, twinOf, unpackHashes } from "./domain-twins.ts";
import type { Perform } from "./parts.ts";
import * as store from "./store.ts";

// What is measured and compared: nothing here is learned, so that its confidence is that of the measure.

const TITLES_MAX = 5_000;
const PAGE = 20;
const TWINS_MAX = 10;

export const findScenes: Perform = async (parts, { path, title, signal }) => {
  const { source, durationS } = title;
  const { version } = await parts.transcoder.capabilities();
  const survey = await parts.transcoder.survey(path, source, signal);
  const scenes = scenesOf(survey, durationS);
  const { chapters, confidence } = chaptersOf(scenes, survey, durationS);
  const own = source.chapters ?? [];
  return {
    outcome: {
      state: "done",
      by: { model: "cuts, black and silence (ffmpeg scdet)", version, confidence },
      value: {
        scenes,
        silences: survey.silences,
        // Whoever made the file knows better.
        chapters: own.length > 0 ? own : chapters,
        chaptersFrom: own.length > 0 ? "file" : "scenes",
      },
    },
  };
};

export const measureLoudness: Perform = async (parts, { path, title, signal, progress }) => {
  const { audio } = title.source;
  if (audio.length === 0) return { outcome: skipped("no_sound", "the film has no sound") };
  const { version } = await parts.transcoder.capabilities();
  const tracks = [];
  for (const [index, { index: streamIndex, language, channels }] of audio.entries()) {
    const { integratedLufs, rangeLu, truePeakDbtp } = await parts.transcoder.measureLoudness(path, streamIndex, signal);
    tracks.push({ streamIndex, language, channels, integratedLufs, rangeLu, truePeakDbtp });
    progress((index + 1) / audio.length);
  }
  return {
    outcome: { state: "done", by: { model: "EBU R 128 (ffmpeg ebur128)", version, confidence: 1 }, value: { tracks } },
  };
};

/** Twins are shown to people: a trailer is in its film, and nobody wants it refused. */
export const findTwins: Perform = async (parts, { path, title, context, signal }) => {
  const { contentId } = title;
  const hashes = packHashes(await parts.transcoder.hashes(path, title.source, signal));
  const own = unpackHashes(hashes);
  const twins: (Twin & { readonly contentId: string })[] = [];
  let afterId = "";
  for (let seen = 0; seen < TITLES_MAX; seen += PAGE) {
    const page = await parts.db.read(context, (tx) =>
      store.fingerprintsAfter(tx, { exceptContentId: contentId, afterId, limit: PAGE }),
    );
    for (const other of page) {
      const twin = twinOf(own, unpackHashes(other.hashes));
      if (twin && twin.similarity >= TWIN_SIMILARITY_MIN) twins.push({ contentId: other.contentId, ...twin });
      // Two films of two hours take some milliseconds, in which others wait.
      await breathe();
      signal.throwIfAborted();
    }
    afterId = page.at(-1)?.contentId ?? "";
    if (page.length < PAGE) break;
  }
  const found = twins.sort((a, b) => b.similarity - a.similarity).slice(0, TWINS_MAX);
  return {
    outcome: {
      state: "done",
      by: { model: "difference hashes, one a second", version: "1", confidence: found[0]?.similarity ?? 1 },
      value: { twins: found, seconds: hashes.length / 16 },
    },
    write: (tx) => store.saveFingerprint(tx, contentId, hashes),
  };
};
