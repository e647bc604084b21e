import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { drmOf } from "#media/hls";
import { parsePackagePath, parsePicturePath, pathsOf, steeredNetworks } from "./domain.ts";

describe("addresses of packages", () => {
  it("are manifests, playlists and objects", () => {
    const of = { contentId: "film", revision: 3 };
    assert.deepEqual(parsePackagePath("/vod/film/r3/main-12.m3u8"), {
      ...of,
      kind: "hls",
      indexVersion: 12,
      planId: "",
    });
    assert.deepEqual(parsePackagePath("/vod/film/r3/main-12.mpd"), {
      ...of,
      kind: "dash",
      indexVersion: 12,
      planId: "",
    });
    assert.deepEqual(parsePackagePath("/vod/film/r3/720p-h264/index.m3u8"), {
      ...of,
      kind: "media",
      profile: "720p-h264",
      planId: "",
    });
    assert.deepEqual(parsePackagePath("/vod/film/r3/720p-h264/iframes.m3u8"), {
      ...of,
      kind: "iframes",
      profile: "720p-h264",
      planId: "",
    });
    const planId = "0123456789abcdef";
    assert.deepEqual(parsePackagePath(`/vod/film/r3/main-12-${planId}.mpd`), {
      ...of,
      kind: "dash",
      indexVersion: 12,
      planId,
    });
    assert.deepEqual(parsePackagePath(`/vod/film/r3/720p-h264/index-${planId}.m3u8`), {
      ...{ ...of, kind: "media", profile: "720p-h264", planId },
    });
    for (const [name, contentType] of [
      ["720p-h264/init.mp4", "video/mp4"],
      ["720p-h264/seg-0000001.m4s", "video/iso.segment"],
      ["text-en/seg-0000001.vtt", "text/vtt; charset=utf-8"],
      ["thumbs/tile-0000001.jpg", "image/jpeg"],
    ] as const) {
      assert.deepEqual(parsePackagePath(`/vod/film/r3/${name}`), {
        ...of,
        kind: "object",
        key: `vod/film/r3/${name}`,
        contentType,
      });
    }
  });

  it("lead to nothing else", () => {
    for (const path of [
      "/vod/film/r3/index-1.json",
      "/vod/film/r3/plan-0123456789abcdef.json",
      "/vod/film/r3/main-12-0123.mpd",
      "/vod/film/r3/720p-h264/iframes-0123456789abcdef.m3u8",
      "/vod/film/r3/720p/index-1.json",
      "/vod/film/r3/main-01.mpd",
      "/vod/film/r03/main-1.mpd",
      "/vod/film/r3/main-1.mpd/",
      "/vod/film/r3/../r4/main-1.mpd",
      "/vod/film/r3/%2e%2e/init.mp4",
      "/vod/film/r3/../init.mp4",
      "/vod/film/r3/720p/seg-1.m4s",
      "/vod/film/r3/720p/seg-0000001.json",
      "/vod/film/r3/720p/x/init.mp4",
      "/vod/film/r3/.720p/init.mp4",
      "/vod//r3/720p/init.mp4",
      "/intermediate/demo/film/720p/0.mp4",
      "/vod/film/r3/720p/init.mp4\n",
      "/vod/film/r3/720p/init\0.mp4",
    ]) {
      assert.equal(parsePackagePath(path), null, path);
    }
  });

  it("property: what is parsed is below the package, whatever was asked", () => {
    const part = fc.constantFrom(
      "..",
      ".",
      "",
      "%2e",
      "a",
      "init.mp4",
      "index-1.json",
      "main-1.mpd",
      "seg-0000001.m4s",
      "\\",
      "~",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const path = parsePackagePath(`/vod/film/r1/${parts.join("/")}`);
        if (path?.kind === "object")
          assert.match(path.key, /^vod\/film\/r1\/[A-Za-z0-9][A-Za-z0-9.-]*\/(init\.mp4|seg-0000001\.m4s)$/);
      }),
    );
  });

  it("are told as they are parsed", () => {
    const { hlsPath, dashPath, pathPrefix } = pathsOf("film", 2, 5);
    assert.equal(parsePackagePath(hlsPath)?.kind, "hls");
    assert.equal(parsePackagePath(dashPath)?.kind, "dash");
    assert.ok(hlsPath.startsWith(pathPrefix));
  });
});

describe("addresses of pictures", () => {
  it("name artwork and one of our widths", () => {
    assert.deepEqual(parsePicturePath("/images/artwork/film/poster-1.jpg", "w=640"), {
      source: "artwork/film/poster-1.jpg",
      contentId: "film",
      width: 640,
      key: "images/artwork/film/w640/poster-1.jpg.webp",
    });
    for (const query of ["", "w=641", "w=0640", "w=640.0", "w="])
      assert.equal(parsePicturePath("/images/artwork/film/a.jpg", query), "width", query);
    for (const path of [
      "/images/vod/film/r1/a.jpg",
      "/images/artwork/film/../../vod/a.jpg",
      "/images/artwork/film/.a.jpg",
      "/images/artwork/a.jpg",
    ]) {
      assert.equal(parsePicturePath(path, "w=640"), "path", path);
    }
  });
});

describe("what manifests say", () => {
  it("names a network's folders with the one that asks in front, and none for a stranger", () => {
    const networks = ["a", "b", "c"].map((id) => ({ id, baseUrl: `http://${id}.example` }));
    const steered = steeredNetworks(networks, "b", "vod/film/r1");
    assert.deepEqual(
      steered?.map(({ id }) => id),
      ["b", "a", "c"],
    );
    assert.equal(steered?.[0]?.baseUrl, "http://b.example/vod/film/r1/");
    assert.equal(steeredNetworks(networks, "x", "vod/film/r1"), null);
  });

  it("leaves out the licence systems that are off", () => {
    const key = {
      kid: "k",
      psshWidevine: Uint8Array.of(1),
      psshPlayready: Uint8Array.of(2),
      playreadyObject: Uint8Array.of(3),
      fairplayUri: "skd://k",
    };
    const off = drmOf({ keys: [key], psshCommon: Uint8Array.of(4) }, { clearkey: "", fairplayCertificate: "" }).get(
      "k",
    );
    assert.deepEqual(off, {
      pssh: { common: "BA==", widevine: "AQ==", playready: "Ag==", playreadyPro: "Aw==" },
      fairplayUri: "skd://k",
    });
    const on = drmOf(
      { keys: [key], psshCommon: Uint8Array.of(4) },
      { clearkey: "https://l/$sid$", fairplayCertificate: "https://c" },
    ).get("k");
    assert.equal(on?.clearkeyLicenseUrl, "https://l/$sid$");
    assert.equal(on?.fairplayCertificateUrl, "https://c");
  });
});
