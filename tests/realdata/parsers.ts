/** Other people's readers of manifests. Two of the packages have no types: here is the part of them that is read. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import * as hlsParser from "hls-parser";

interface MpdParser {
  parse(
    manifest: string,
    options: { readonly manifestUri: string },
  ): {
    readonly duration: number;
    readonly playlists: readonly {
      readonly segments: readonly unknown[];
      readonly attributes: { BANDWIDTH: number };
    }[];
  };
}

interface M3u8Parser {
  push(text: string): void;
  end(): void;
  readonly manifest: {
    readonly playlists?: readonly { readonly uri: string }[];
    readonly segments: readonly { readonly duration: number }[];
  };
}

// Otherwise it prints what breaks the RFC, and goes on.
hlsParser.setOptions({ strictMode: true });

const require = createRequire(import.meta.url);
const mpdParser = require("mpd-parser") as MpdParser;
const { Parser } = require("m3u8-parser") as { Parser: new () => M3u8Parser };

function m3u8(text: string): M3u8Parser["manifest"] {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

/** Both readers find the same renditions; answers their addresses. */
export function readMaster(text: string): string[] {
  const parsed = hlsParser.parse(text);
  assert.ok(parsed.isMasterPlaylist, "hls-parser takes it for a master playlist");
  const addresses = parsed.variants.filter((variant) => !variant.isIFrameOnly).map(({ uri }) => uri);
  const others = (m3u8(text).playlists ?? []).map(({ uri }) => uri);
  assert.deepEqual(others, addresses, "m3u8-parser and hls-parser disagree");
  assert.ok(addresses.length > 0);
  return addresses;
}

/** Both readers find the same segments; answers how long they are together, in seconds. */
export function readMedia(text: string): number {
  const parsed = hlsParser.parse(text);
  assert.ok(!parsed.isMasterPlaylist, "hls-parser takes it for a media playlist");
  const durations = parsed.segments.map(({ duration }) => duration);
  assert.deepEqual(
    m3u8(text).segments.map(({ duration }) => duration),
    durations,
    "m3u8-parser and hls-parser disagree",
  );
  return durations.reduce((sum, duration) => sum + duration, 0);
}

/** How long mpd-parser finds the presentation to be, and how many representations with segments it has. */
export function readMpd(
  text: string,
  manifestUri: string,
): { readonly durationS: number; readonly renditions: number } {
  const { duration, playlists } = mpdParser.parse(text, { manifestUri });
  for (const { segments } of playlists) assert.ok(segments.length > 0, "a representation without segments");
  return { durationS: duration, renditions: playlists.length };
}
