import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { DOMParser, type Element } from "@xmldom/xmldom";
import type { DrmByKid } from "#media/hls";
import type { AudioTrack, Presentation, VideoTrack } from "#media/presentation";
import { appendQueryToMpd, type MpdOptions, prepareMpd, writeMpd } from "./index.ts";

/** The part of mpd-parser that these tests read; the package has no types. */
interface Playlist {
  attributes: Record<string, unknown>;
  contentProtection?: Record<string, { attributes: Record<string, string>; pssh?: Uint8Array }>;
  segments: { uri: string; resolvedUri: string; duration: number; map: { resolvedUri: string } }[];
}
interface MpdParser {
  parse(
    text: string,
    options: { manifestUri: string },
  ): {
    duration: number;
    playlists: Playlist[];
    contentSteering?: { serverURL: string; defaultServiceLocation: string; queryBeforeStart: boolean };
    mediaGroups: Record<
      "AUDIO" | "SUBTITLES",
      Record<string, Record<string, { language: string; playlists: Playlist[] }>>
    >;
  };
}
const mpdParser = createRequire(import.meta.url)("mpd-parser") as MpdParser;
const parse = (text: string): ReturnType<MpdParser["parse"]> =>
  mpdParser.parse(text, { manifestUri: "https://h/vod/f/r1/manifest.mpd" });

function elements(text: string, name: string): Element[] {
  const problems: string[] = [];
  const document = new DOMParser({
    onError: (level, message) => problems.push(`${level}: ${message}`),
  }).parseFromString(text, "text/xml");
  assert.deepEqual(problems, []);
  return [...document.getElementsByTagName(name)];
}
const attribute = (element: Element | undefined, name: string): string | null => element?.getAttribute(name) ?? null;

const KIDS = { audio: "a".repeat(32), sd: "b".repeat(32), hd: "c".repeat(32) };
const drm: DrmByKid = new Map(
  Object.values(KIDS).map((kid) => [
    kid,
    {
      pssh: { widevine: "V2lkZXZpbmU=", playready: "UGxheVJlYWR5", playreadyPro: "UFJP", common: "Q29tbW9u" },
      fairplayUri: "skd://1",
      fairplayCertificateUrl: "https://license.example/fps.cer?a=1&b=2",
      clearkeyLicenseUrl: "https://license.example/clearkey",
    },
  ]),
);

function video(profile: string, height: number, kid: string | null, codec: string, last = 60_060): VideoTrack {
  return {
    kind: "video",
    profile,
    codec,
    timescale: 24_000,
    bandwidthAverageBps: height * 2000,
    bandwidthPeakBps: height * 3000,
    kid,
    width: (height * 16) / 9,
    height,
    frameRate: [24_000, 1001],
    segments: [144_144, 144_144, last].map((durationTicks) => ({
      durationTicks,
      sizeBytes: 1_000_000,
      iframes: [{ offsetBytes: 10, sizeBytes: 40_000, timeTicks: 0, durationTicks }],
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
    channels: 6,
    sampleRateHz: 48_000,
    isDefault,
    segments: [288_768, 287_744, 120_832].map((durationTicks) => ({ durationTicks, sizeBytes: 96_000 })),
  };
}

const title: Presentation = {
  contentId: "f",
  revision: 1,
  indexVersion: 1,
  durationS: 14.5145,
  keys: (["audio", "sd", "hd"] as const).map((name) => ({
    kid: KIDS[name],
    keyClass: name === "audio" ? "AUDIO" : name === "sd" ? "SD" : "HD",
    ivHex: "0".repeat(32),
  })),
  video: [
    video("360p-h264", 360, KIDS.sd, "avc1.64001e"),
    video("540p-h264", 540, KIDS.sd, "avc3.64001f"),
    video("720p-h264", 720, KIDS.hd, "avc1.64001f"),
    video("720p-hevc", 720, KIDS.hd, "hvc1.1.6.L93.B0"),
  ],
  audio: [audio("en", 'Tom & "Jerry" <1>', true), audio("de", "Deutsch", false)],
  text: [
    {
      kind: "text",
      profile: "text-en",
      language: "en",
      label: "English",
      role: "forced",
      segmentDurationsS: [6, 6, 2.5145],
    },
  ],
  thumbnails: {
    profile: "thumbs",
    columns: 5,
    rows: 4,
    width: 160,
    height: 90,
    intervalS: 2,
    tileCount: 1,
    bandwidthBps: 9000,
  },
};

describe("MPD", () => {
  const text = writeMpd(title, { drm });

  test("has one video set for each codec and key, tied together within a codec", () => {
    const sets = elements(text, "AdaptationSet").filter((set) => attribute(set, "contentType") === "video");
    const summary = sets.map((set) => [
      [...set.getElementsByTagName("Representation")].map((rung) => attribute(rung, "id")),
      attribute([...set.getElementsByTagName("ContentProtection")][0], "cenc:default_KID"),
      [...set.getElementsByTagName("SupplementalProperty")].map((property) => attribute(property, "value")),
    ]);
    const uuid = (digit: string): string => [8, 4, 4, 4, 12].map((length) => digit.repeat(length)).join("-");
    assert.deepEqual(summary, [
      [["360p-h264", "540p-h264"], uuid("b"), ["2"]],
      [["720p-h264"], uuid("c"), ["1"]],
      [["720p-hevc"], uuid("c"), []],
    ]);
  });

  test("signals every DRM system of a key, each with what it needs", () => {
    const [set] = elements(text, "AdaptationSet");
    const all = [...(set?.getElementsByTagName("ContentProtection") ?? [])].map((element) => [
      attribute(element, "schemeIdUri"),
      [...element.childNodes].flatMap((child) => (child.nodeType === 1 ? [[child.nodeName, child.textContent]] : [])),
    ]);
    assert.deepEqual(all, [
      ["urn:mpeg:dash:mp4protection:2011", []],
      [
        "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e",
        [
          ["cenc:pssh", "Q29tbW9u"],
          ["dashif:Laurl", "https://license.example/clearkey"],
        ],
      ],
      ["urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", [["cenc:pssh", "V2lkZXZpbmU="]]],
      [
        "urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95",
        [
          ["cenc:pssh", "UGxheVJlYWR5"],
          ["mspr:pro", "UFJP"],
        ],
      ],
      [
        "urn:uuid:94ce86fb-07ff-4f43-adb8-93d2fa968ca2",
        [["dashif:Certurl", "https://license.example/fps.cer?a=1&b=2"]],
      ],
    ]);
    assert.throws(() => writeMpd(title), /360p-h264.*signalling/);
    const clear = title.video.map((track) => ({ ...track, kid: null }));
    assert.doesNotMatch(writeMpd({ ...title, video: clear, audio: [] }), /ContentProtection/);
  });

  test("is read by mpd-parser as it was meant", () => {
    const parsed = parse(text);
    assert.equal(parsed.duration, 14.5145);
    for (const track of title.video) {
      const playlist = parsed.playlists.find((candidate) => candidate.attributes["NAME"] === track.profile);
      assert.equal(playlist?.attributes["CODECS"], track.codec);
      assert.deepEqual(playlist.attributes["RESOLUTION"], { width: track.width, height: track.height });
      assert.equal(playlist.attributes["BANDWIDTH"], track.bandwidthPeakBps);
      assert.deepEqual(
        playlist.segments.map((segment) => [segment.resolvedUri, segment.map.resolvedUri, segment.duration]),
        track.segments.map((segment, index) => [
          `https://h/vod/f/r1/${track.profile}/seg-000000${index + 1}.m4s`,
          `https://h/vod/f/r1/${track.profile}/init.mp4`,
          segment.durationTicks / track.timescale,
        ]),
      );
      assert.equal(Buffer.from(playlist.contentProtection?.["com.widevine.alpha"]?.pssh ?? []).toString(), "Widevine");
    }
    const groups = parsed.mediaGroups.AUDIO["audio"] ?? {};
    assert.deepEqual(
      Object.values(groups).map((group) => [group.language, group.playlists[0]?.segments.length]),
      [
        ["en", 3],
        ["de", 3],
      ],
    );
    const [subtitles] = Object.values(parsed.mediaGroups.SUBTITLES["subs"] ?? {});
    assert.equal(subtitles?.playlists[0]?.segments[2]?.resolvedUri, "https://h/vod/f/r1/text-en/seg-0000003.vtt");
    assert.deepEqual(
      subtitles.playlists[0].segments.map((segment) => segment.duration),
      [6, 6, 2.515],
    );
  });

  test("gives rungs that were cut differently timelines of their own", () => {
    const uneven = [video("360p-h264", 360, null, "avc1.64001e"), video("540p-h264", 540, null, "avc1.64001f", 30_030)];
    const parsed = parse(writeMpd({ ...title, video: uneven }, { drm }));
    assert.deepEqual(
      parsed.playlists.map((playlist) => playlist.segments[2]?.duration),
      [2.5025, 1.25125],
    );
    assert.equal(elements(text, "AdaptationSet")[0]?.getElementsByTagName("SegmentTemplate").length, 1);
  });

  test("describes languages, roles, channels and labels", () => {
    const [english, german] = elements(text, "AdaptationSet").filter(
      (set) => attribute(set, "contentType") === "audio",
    );
    const inner = (set: Element | undefined, name: string): Element | undefined =>
      [...(set?.getElementsByTagName(name) ?? [])][0];
    assert.deepEqual([attribute(english, "lang"), attribute(german, "lang")], ["en", "de"]);
    assert.deepEqual(
      [attribute(inner(english, "Role"), "value"), attribute(inner(german, "Role"), "value")],
      ["main", "dub"],
    );
    assert.equal(inner(english, "Label")?.textContent, 'Tom & "Jerry" <1>');
    assert.equal(attribute(inner(english, "AudioChannelConfiguration"), "value"), "6");
    const forced = elements(text, "AdaptationSet").find((set) => attribute(set, "contentType") === "text");
    assert.equal(attribute(inner(forced, "Role"), "value"), "forced-subtitle");
  });

  test("describes thumbnails as DASH-IF does", () => {
    const image = elements(text, "AdaptationSet").find((set) => attribute(set, "contentType") === "image");
    const [rung] = [...(image?.getElementsByTagName("Representation") ?? [])];
    assert.deepEqual([attribute(rung, "width"), attribute(rung, "height")], ["800", "360"]);
    const [property] = [...(rung?.getElementsByTagName("EssentialProperty") ?? [])];
    assert.deepEqual(
      [attribute(property, "schemeIdUri"), attribute(property, "value")],
      ["http://dashif.org/guidelines/thumbnail_tile", "5x4"],
    );
    const [template] = [...(image?.getElementsByTagName("SegmentTemplate") ?? [])];
    assert.deepEqual(
      [attribute(template, "duration"), attribute(template, "media")],
      ["40000", "$RepresentationID$/tile-$Number%07d$.jpg"],
    );
  });

  test("lists service locations and the steering server", () => {
    const options: MpdOptions = {
      drm,
      locations: [
        { id: "A", baseUrl: "http://localhost:9001/vod/f/r1/" },
        { id: "B", baseUrl: "http://127.0.0.1:9002/vod/f/r1/" },
      ],
      steering: { serverUri: "https://steer.example/s?a=1&b=2" },
    };
    const parsed = parse(writeMpd(title, options));
    assert.deepEqual(
      [
        parsed.contentSteering?.serverURL,
        parsed.contentSteering?.defaultServiceLocation,
        parsed.contentSteering?.queryBeforeStart,
      ],
      ["https://steer.example/s?a=1&b=2", "A", true],
    );
    assert.deepEqual(
      elements(writeMpd(title, options), "BaseURL").map((base) => attribute(base, "serviceLocation")),
      ["A", "B"],
    );
    assert.throws(() => writeMpd(title, { drm, locations: [{ id: "A", baseUrl: "/x" }] }), RangeError);
  });

  test("can point to I-frames by byte range", () => {
    const trick = elements(writeMpd(title, { drm, trickPlay: true }), "AdaptationSet").filter(
      (set) => set.getElementsByTagName("SegmentList").length > 0,
    );
    const summary = trick.map((set) => [
      attribute([...set.getElementsByTagName("EssentialProperty")][0], "value"),
      attribute([...set.getElementsByTagName("Representation")][0], "id"),
      [...set.getElementsByTagName("SegmentURL")].map(
        (url) => `${attribute(url, "media")} ${attribute(url, "mediaRange")}`,
      )[1],
    ]);
    assert.deepEqual(summary, [
      ["1", "360p-h264-trick", "360p-h264/seg-0000002.m4s 10-40009"],
      ["3", "720p-hevc-trick", "720p-hevc/seg-0000002.m4s 10-40009"],
    ]);
  });
});

describe("queries", () => {
  const options: MpdOptions = { drm, trickPlay: true, steering: { serverUri: "https://steer.example/" } };

  test("reach segments, init segments and thumbnails, and nothing else", () => {
    const text = writeMpd(title, options);
    const out = appendQueryToMpd(text, "CAT=a%3D&s=1");
    const parsed = parse(out);
    assert.equal(
      parsed.playlists[0]?.segments[1]?.resolvedUri,
      "https://h/vod/f/r1/360p-h264/seg-0000002.m4s?CAT=a%3D&s=1",
    );
    assert.equal(parsed.playlists[0].segments[1].map.resolvedUri, "https://h/vod/f/r1/360p-h264/init.mp4?CAT=a%3D&s=1");
    const addressed = ["SegmentTemplate", "SegmentURL", "Initialization"].flatMap((name) => elements(out, name));
    for (const element of addressed) {
      for (const name of ["media", "initialization", "sourceURL"]) {
        const value = attribute(element, name);
        if (value !== null && value !== "") assert.ok(value.endsWith("?CAT=a%3D&s=1"), value);
      }
    }
    assert.equal(out.replaceAll("?CAT=a%3D&amp;s=1", ""), text);
    assert.ok(
      ["BaseURL", "ContentSteering", "dashif:Laurl", "dashif:Certurl"]
        .flatMap((name) => elements(out, name))
        .every((e) => !e.textContent?.includes("CAT")),
    );
  });

  test("are joined to what is there, in XML", () => {
    const template = prepareMpd(
      '<MPD><SegmentTemplate media="a?x=1" initialization="i"/><Label> media="x"</Label></MPD>',
    );
    assert.equal(
      template("t=1&u").toString(),
      '<MPD><SegmentTemplate media="a?x=1&amp;t=1&amp;u" initialization="i?t=1&amp;u"/><Label> media="x"</Label></MPD>',
    );
    for (const bad of ["$Time$", '"', "<", " "]) assert.throws(() => template(bad), /percent-encoding/);
  });
});
