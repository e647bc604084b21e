import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import * as hlsParser from "hls-parser";
import type { AudioTrack, Presentation, VideoTrack } from "#media/presentation";
import {
  appendQueryToHls,
  type DrmByKid,
  parseMediaPlaylist,
  parseMultivariantPlaylist,
  prepareHls,
  writeIFramePlaylist,
  writeImagePlaylist,
  writeMediaPlaylist,
  writeMultivariantPlaylist,
  writeSubtitlesPlaylist,
} from "./index.ts";

/** The part of m3u8-parser that these tests read; the package has no types. */
interface M3u8Parser {
  push(text: string): void;
  end(): void;
  manifest: {
    segments: {
      uri: string;
      duration: number;
      byterange?: { length: number; offset: number };
      map?: { uri: string };
    }[];
    playlists?: { uri: string; attributes: Record<string, unknown> }[];
    mediaGroups: { AUDIO: Record<string, Record<string, { uri: string; language?: string }>> };
    targetDuration: number;
    endList?: boolean;
    contentProtection?: Record<string, unknown>;
  };
}
const { Parser } = createRequire(import.meta.url)("m3u8-parser") as { Parser: new () => M3u8Parser };
function m3u8(text: string): M3u8Parser["manifest"] {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

const KIDS = { audio: "a".repeat(32), sd: "b".repeat(32), hd: "c".repeat(32) };
const IV = "0123456789abcdef0123456789abcdef";

const drm: DrmByKid = new Map(
  Object.values(KIDS).map((kid) => [
    kid,
    {
      pssh: { widevine: "V2lkZXZpbmU=", playready: "UGxheVJlYWR5", playreadyPro: "UFJP", common: "Q29tbW9u" },
      fairplayUri: `skd://keys.example/${kid}`,
      clearkeyLicenseUrl: "https://license.example/clearkey",
    },
  ]),
);

function video(profile: string, height: number, kid: string | null, codec = "avc1.64001f"): VideoTrack {
  return {
    kind: "video",
    profile,
    codec,
    timescale: 24_000,
    bandwidthAverageBps: height * 2000,
    bandwidthPeakBps: height * 3000,
    kid,
    width: Math.round((height * 16) / 9),
    height,
    frameRate: [24_000, 1001],
    segments: [144_144, 144_144, 60_060].map((durationTicks, index) => ({
      durationTicks,
      sizeBytes: 1_000_000,
      iframes: [
        { offsetBytes: 0, sizeBytes: 40_000 + index, timeTicks: 0, durationTicks: 48_048 },
        { offsetBytes: 400_000, sizeBytes: 50_000, timeTicks: 48_048, durationTicks: durationTicks - 48_048 },
      ],
    })),
  };
}

function audio(language: string, label: string, isDefault: boolean): AudioTrack {
  return {
    kind: "audio",
    profile: `audio-${language}`,
    codec: "mp4a.40.2",
    timescale: 48_000,
    bandwidthAverageBps: 128_000,
    bandwidthPeakBps: 140_000,
    kid: KIDS.audio,
    language,
    label,
    channels: 2,
    sampleRateHz: 48_000,
    isDefault,
    segments: [288_768, 287_744, 120_832].map((durationTicks) => ({ durationTicks, sizeBytes: 96_000 })),
  };
}

const title: Presentation = {
  contentId: "film-1",
  revision: 3,
  indexVersion: 1,
  durationS: 14.5,
  keys: [
    { kid: KIDS.audio, keyClass: "AUDIO", ivHex: IV },
    { kid: KIDS.sd, keyClass: "SD", ivHex: IV },
    { kid: KIDS.hd, keyClass: "HD", ivHex: IV },
  ],
  video: [
    video("360p-h264", 360, KIDS.sd),
    video("720p-h264", 720, KIDS.hd),
    video("720p-hevc", 720, KIDS.hd, "hvc1.1.6.L93.B0"),
  ],
  audio: [audio("en", 'The "English"', true), audio("de", "Deutsch", false)],
  text: [
    {
      kind: "text",
      profile: "text-en",
      language: "en",
      label: "English",
      role: "captions",
      segmentDurationsS: [6, 6, 2.5],
    },
    {
      kind: "text",
      profile: "text-fr",
      language: "fr",
      label: "English",
      role: "forced",
      segmentDurationsS: [6, 6, 2.5],
    },
  ],
  thumbnails: {
    profile: "thumbs",
    columns: 5,
    rows: 1,
    width: 160,
    height: 90,
    intervalS: 2,
    tileCount: 2,
    bandwidthBps: 9000,
  },
};
const [sd, hd] = [title.video[0] as VideoTrack, title.video[1] as VideoTrack];

describe("multivariant playlist", () => {
  const text = writeMultivariantPlaylist(title, { drm });
  const parsed = parseMultivariantPlaylist(text);

  test("says for each variant what a player needs to choose", () => {
    assert.deepEqual(parsed.variants.map(({ line: _line, ...variant }) => variant)[0], {
      uri: "360p-h264/index.m3u8",
      bandwidthBps: 360 * 3000 + 140_000,
      averageBandwidthBps: 360 * 2000 + 128_000,
      codecs: ["avc1.64001f", "mp4a.40.2"],
      width: 640,
      height: 360,
      frameRate: 23.976,
      videoRange: "SDR",
      audioGroup: "audio",
      videoGroup: null,
      subtitlesGroup: "text",
      closedCaptionsGroup: null,
      pathwayId: null,
    });
    assert.deepEqual(
      parsed.variants.map((variant) => variant.uri),
      title.video.map((track) => `${track.profile}/index.m3u8`),
    );
    assert.ok(parsed.independentSegments);
  });

  test("lists renditions with unique names and one default", () => {
    assert.deepEqual(
      parsed.renditions.map((r) => [r.type, r.name, r.language, r.isDefault, r.forced, r.uri]),
      [
        ["AUDIO", "The \u201dEnglish\u201d", "en", true, false, "audio-en/index.m3u8"],
        ["AUDIO", "Deutsch", "de", false, false, "audio-de/index.m3u8"],
        ["SUBTITLES", "English", "en", false, false, "text-en/index.m3u8"],
        ["SUBTITLES", "English (2)", "fr", false, true, "text-fr/index.m3u8"],
      ],
    );
  });

  test("measures I-frame streams by their frames, and lists thumbnails", () => {
    const frames = sd.segments.flatMap((segment) => segment.iframes ?? []);
    const peak = Math.max(...frames.map((frame) => (frame.sizeBytes * 8 * sd.timescale) / frame.durationTicks));
    assert.equal(parsed.iFrameVariants[0]?.bandwidthBps, Math.ceil(peak));
    assert.deepEqual(
      parsed.iFrameVariants.map((variant) => variant.uri),
      title.video.map((track) => `${track.profile}/iframes.m3u8`),
    );
    assert.deepEqual(
      parsed.imageVariants.map((v) => [v.uri, v.width, v.codecs]),
      [["thumbs/index.m3u8", 160, ["jpeg"]]],
    );
  });

  test("offers for preloading only the keys that every device may have", () => {
    assert.deepEqual([...new Set(parsed.sessionKeys.map((key) => key.keyId))], [KIDS.audio, null, KIDS.sd]);
    const all = parseMultivariantPlaylist(
      writeMultivariantPlaylist(title, { drm, sessionKeyClasses: ["HD"] }),
    ).sessionKeys;
    assert.deepEqual(
      all.map((key) => key.keyFormat),
      ["urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", "com.microsoft.playready", "com.apple.streamingkeydelivery"],
      "a ClearKey server has one address for all keys, which must not stand twice",
    );
  });

  test("gives each pathway its variants and groups", () => {
    const pathways = [
      { id: "A", baseUrl: "http://localhost:9001/vod/film-1/r3/" },
      { id: "B", baseUrl: "http://127.0.0.1:9002/vod/film-1/r3/" },
    ];
    const steered = writeMultivariantPlaylist(title, {
      drm,
      pathways,
      steeringServerUri: "https://steer.example/s?x=1",
    });
    const playlist = parseMultivariantPlaylist(steered);
    assert.deepEqual(playlist.steering, { serverUri: "https://steer.example/s?x=1", pathwayId: "A" });
    for (const { id, baseUrl } of pathways) {
      const own = playlist.variants.filter((variant) => variant.pathwayId === id);
      assert.deepEqual(
        own.map((variant) => variant.uri),
        title.video.map((track) => `${baseUrl}${track.profile}/index.m3u8`),
      );
      assert.ok(
        own.every((variant) => variant.audioGroup === `audio-${id}` && variant.subtitlesGroup === `text-${id}`),
      );
      const group = playlist.renditions.filter((rendition) => rendition.groupId === `audio-${id}`);
      assert.equal(playlist.renditions.filter((rendition) => rendition.pathwayId === id).length, 4);
      assert.deepEqual(
        group.map((rendition) => rendition.uri),
        title.audio.map((track) => `${baseUrl}${track.profile}/index.m3u8`),
      );
    }
    assert.throws(
      () => writeMultivariantPlaylist(title, { pathways: [{ id: "a b", baseUrl: "http://x/" }] }),
      RangeError,
    );
    assert.throws(() => writeMultivariantPlaylist(title, { pathways: [{ id: "a", baseUrl: "http://x" }] }), RangeError);
  });

  test("is read by hls-parser and m3u8-parser as it was meant", () => {
    const oracle = hlsParser.parse(text);
    assert.ok(oracle.isMasterPlaylist);
    const { variants } = oracle;
    const plain = variants.filter((variant) => !variant.isIFrameOnly);
    assert.deepEqual(
      plain.map((v) => [v.uri, v.bandwidth, v.averageBandwidth, v.codecs, v.frameRate]),
      parsed.variants.map((v) => [v.uri, v.bandwidthBps, v.averageBandwidthBps, v.codecs.join(","), v.frameRate]),
    );
    assert.deepEqual(
      plain[0]?.audio.map((rendition) => rendition.language),
      ["en", "de"],
    );
    const other = m3u8(text);
    assert.deepEqual(
      other.playlists?.map((playlist) => playlist.uri),
      parsed.variants.map((variant) => variant.uri),
    );
    assert.equal(other.mediaGroups.AUDIO["audio"]?.["Deutsch"]?.language, "de");
  });

  test("can do without video, but not without anything", () => {
    const radio = parseMultivariantPlaylist(writeMultivariantPlaylist({ ...title, video: [] }));
    assert.deepEqual(
      radio.variants.map((v) => [v.uri, v.codecs, v.width]),
      [["audio-en/index.m3u8", ["mp4a.40.2"], null]],
    );
    assert.throws(() => writeMultivariantPlaylist({ ...title, video: [], audio: [] }), /neither audio nor video/);
  });
});

describe("media playlists", () => {
  test("hold exact durations, the init segment and one key line a DRM system", () => {
    const text = writeMediaPlaylist(title, sd, { drm });
    const playlist = parseMediaPlaylist(text);
    assert.match(text, /#EXTINF:6\.006000,\nseg-0000001\.m4s\n/);
    assert.doesNotMatch(text, /DISCONTINUITY/);
    const broken = writeMediaPlaylist({ ...title, gapsBefore: [1] }, sd, { drm });
    assert.match(broken, /seg-0000001\.m4s\n#EXT-X-DISCONTINUITY\n#EXTINF:[^\n]*\nseg-0000002\.m4s\n/);
    assert.deepEqual(
      playlist.segments.map((s) => [s.uri, s.durationS]),
      [
        ["seg-0000001.m4s", 6.006],
        ["seg-0000002.m4s", 6.006],
        ["seg-0000003.m4s", 2.5025],
      ],
    );
    // 6.006 s is more than six seconds, so the target is seven.
    assert.deepEqual([playlist.targetDurationS, playlist.type, playlist.endList], [7, "VOD", true]);
    assert.deepEqual(playlist.segments[2]?.map, { uri: "init.mp4", byteRange: null });
    assert.deepEqual(
      playlist.segments[0]?.keys.map((key) => [key.method, key.keyFormat, key.uri, key.keyId, key.ivHex]),
      [
        [
          "SAMPLE-AES",
          "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
          "data:text/plain;base64,V2lkZXZpbmU=",
          KIDS.sd,
          null,
        ],
        ["SAMPLE-AES", "com.microsoft.playready", "data:text/plain;charset=UTF-16;base64,UFJP", KIDS.sd, null],
        ["SAMPLE-AES", "com.apple.streamingkeydelivery", `skd://keys.example/${KIDS.sd}`, null, IV],
        ["SAMPLE-AES", "org.w3.clearkey", "https://license.example/clearkey", KIDS.sd, null],
      ],
    );
  });

  test("give the bare key's address only when asked to", () => {
    const identity: DrmByKid = new Map([[KIDS.sd, { pssh: {}, identityKeyUri: "/keys/1" }]]);
    const [key] = parseMediaPlaylist(writeMediaPlaylist(title, sd, { drm: identity })).segments[0]?.keys ?? [];
    assert.deepEqual([key?.keyFormat, key?.uri, key?.ivHex], ["identity", "/keys/1", IV]);
    assert.doesNotMatch(writeMultivariantPlaylist(title, { drm: identity }), /SESSION-KEY/);
  });

  test("refuse to call an encrypted track clear", () => {
    assert.throws(() => writeMediaPlaylist(title, sd), /360p-h264.*signalling/);
    assert.throws(
      () => writeMediaPlaylist(title, sd, { drm: new Map([[KIDS.sd, { pssh: {} }]]) }),
      /names no DRM system/,
    );
    assert.doesNotMatch(writeMediaPlaylist(title, { ...sd, kid: null }), /EXT-X-KEY/);
    assert.throws(() => writeMultivariantPlaylist({ ...title, video: [{ ...sd, profile: "../x" }] }), /no folder name/);
  });

  test("point into segments for I-frames", () => {
    const playlist = parseMediaPlaylist(writeIFramePlaylist(title, hd, { drm }));
    assert.ok(playlist.iFramesOnly);
    assert.deepEqual(
      playlist.segments.slice(0, 3).map((s) => [s.uri, s.durationS, s.byteRange]),
      [
        ["seg-0000001.m4s", 2.002, { lengthBytes: 40_000, offsetBytes: 0 }],
        ["seg-0000001.m4s", 4.004, { lengthBytes: 50_000, offsetBytes: 400_000 }],
        ["seg-0000002.m4s", 2.002, { lengthBytes: 40_001, offsetBytes: 0 }],
      ],
    );
    assert.equal(playlist.targetDurationS, 5);
  });

  test("cover text and thumbnails", () => {
    const [track] = title.text;
    assert.ok(track !== undefined && title.thumbnails !== null);
    const text = parseMediaPlaylist(writeSubtitlesPlaylist(track));
    assert.deepEqual(
      text.segments.map((s) => [s.uri, s.durationS, s.map]),
      [
        ["seg-0000001.vtt", 6, null],
        ["seg-0000002.vtt", 6, null],
        ["seg-0000003.vtt", 2.5, null],
      ],
    );
    const images = parseMediaPlaylist(writeImagePlaylist(title, title.thumbnails));
    assert.ok(images.imagesOnly);
    assert.deepEqual(
      images.segments.map((s) => [s.uri, s.durationS, s.tiles]),
      [
        ["tile-0000001.jpg", 10, { resolution: "160x90", layout: "5x1", durationS: 2 }],
        ["tile-0000002.jpg", 4.5, { resolution: "160x90", layout: "5x1", durationS: 2 }],
      ],
    );
  });

  test("are read by hls-parser and m3u8-parser as they were meant", () => {
    for (const text of [writeMediaPlaylist(title, hd, { drm }), writeIFramePlaylist(title, hd, { drm })]) {
      const ours = parseMediaPlaylist(text).segments.map((s) => [
        s.uri,
        s.durationS,
        s.byteRange?.lengthBytes,
        s.byteRange?.offsetBytes,
      ]);
      const oracle = hlsParser.parse(text) as hlsParser.types.MediaPlaylist;
      assert.deepEqual(
        oracle.segments.map((s) => [s.uri, s.duration, s.byterange?.length, s.byterange?.offset]),
        ours,
      );
      assert.equal(oracle.segments[0]?.key?.method, "SAMPLE-AES");
      assert.equal(oracle.segments[0]?.map?.uri, "init.mp4");
      const other = m3u8(text);
      assert.deepEqual(
        other.segments.map((s) => [s.uri, s.duration, s.byterange?.length, s.byterange?.offset]),
        ours,
      );
      assert.ok(other.endList);
    }
  });
});

describe("queries", () => {
  const query = "CAT=a.b-c_d%3D&s=1";

  test("reach media and child playlists, and neither keys nor servers", () => {
    const pathways = [{ id: "A", baseUrl: "http://a.example/p/" }];
    const main = appendQueryToHls(
      writeMultivariantPlaylist(title, { drm, pathways, steeringServerUri: "https://s.example/" }),
      query,
    );
    const parsed = parseMultivariantPlaylist(main);
    const children = [...parsed.variants, ...parsed.iFrameVariants, ...parsed.imageVariants, ...parsed.renditions];
    assert.ok(children.length > 8 && children.every((child) => child.uri?.endsWith(`.m3u8?${query}`)));
    assert.equal(parsed.steering?.serverUri, "https://s.example/");
    const leaf = appendQueryToHls(writeMediaPlaylist(title, sd, { drm }), query);
    const media = parseMediaPlaylist(leaf);
    assert.ok(
      media.segments.every(
        (segment) => segment.uri.endsWith(`.m4s?${query}`) && segment.map?.uri === `init.mp4?${query}`,
      ),
    );
    assert.ok(
      [...parsed.sessionKeys, ...(media.segments[0]?.keys ?? [])].every((key) => key.uri?.includes("CAT=") === false),
    );
    assert.equal(leaf.split(query).length - 1, 4);
  });

  test("respect queries, fragments, schemes and the caller's choice", () => {
    const head = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n";
    const lines = ["a.m4s?x=1", "b.m4s#f", "data:video/mp4,x", "HTTPS://h/c.m4s", "d?"];
    const text = `${head}${lines.map((uri) => `#EXTINF:6,\n${uri}\r\n`).join("")}`;
    const uris = (out: Buffer): string[] =>
      out
        .toString()
        .split("\n")
        .slice(2)
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => line.trim());
    assert.deepEqual(uris(prepareHls(text)("t=1")), [
      "a.m4s?x=1&t=1",
      "b.m4s?t=1#f",
      "data:video/mp4,x",
      "HTTPS://h/c.m4s?t=1",
      "d?t=1",
    ]);
    assert.deepEqual(uris(prepareHls(text, { accepts: (uri) => !/^https?:/i.test(uri) })("t=1"))[3], "HTTPS://h/c.m4s");
    assert.equal(prepareHls(text)("").toString(), text);
  });

  test("never break out of the playlist, and keep other bytes as they are", () => {
    const text = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Ωλ, URI=\'x\'",URI="é.m3u8"\n';
    const template = prepareHls(text);
    assert.equal(template("t=1").toString(), text.replace("é.m3u8", "é.m3u8?t=1"));
    for (const bad of ['a"b', "a\nb", "a b", "a#b", "é", "$Number$", "a<b", "x".repeat(9000)]) {
      assert.throws(() => template(bad), /percent-encoding/);
    }
  });
});
