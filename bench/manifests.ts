/**
 * Manifests with tokens applied, cold and warm, beside raw node:http returning the same bytes. Bar: warm at least 50 % of it, for the
 * playlists and the MPD of a film of two hours and five rungs.
 *
 * Cold means that nobody asked for the title before: the edge asks the origin, which reads the index, asks for the keys' signalling
 * and writes the manifest. Warm means that the edge has it, checks the token, and puts it behind every address. The edge and the raw
 * server have a process each; the origin runs here.
 *
 *   node bench/manifests.ts
 */
import { fork } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LRUCache } from "lru-cache";
import { KEYS_PATH } from "#contracts/origin/edges";
import { problem, systemClock } from "#kernel";
import { sendProblem } from "#kernel/http";
import { commonPssh, playReadyObject, playReadyPssh, widevinePssh } from "#media/pssh";
import type { Presentation, VideoTrack } from "#media/presentation";
import { startEdge } from "../apps/edge/start.ts";
import { edgeOptions, get, newKey, newToken, type TestKey } from "../apps/edge/testing.ts";
import { openManifests } from "../services/delivery/origin/manifests.ts";
import { answerMedia, type MediaParts } from "../services/delivery/origin/media.ts";
import type { OriginPlatform } from "../services/delivery/origin/service.ts";
import { type Measure, median, table, writeResults } from "./harness.ts";
import { load } from "./load.ts";

const ROUNDS = 7;
const ROUND_S = 1;
const CONNECTIONS = 16;
const COLD_TITLES = 60;
const COLD_ROUNDS = 3;
const DURATION_S = 7_200;
const SEGMENT_S = 6;

const MANIFESTS = { multivariant: "main-1.m3u8", playlist: "720p-h264/index.m3u8", mpd: "main-1.mpd" } as const;
type Name = keyof typeof MANIFESTS;
const NAMES: readonly Name[] = ["multivariant", "playlist", "mpd"];

const KIDS = ["0", "1", "2"].map((digit) => digit.repeat(32));

function film(contentId: string): Presentation {
  const segments = Array.from({ length: DURATION_S / SEGMENT_S }, (_, index) => ({
    durationTicks: SEGMENT_S * 24_000 + (index % 7),
    sizeBytes: 1_000_000 + index,
    iframes: [0, 1, 2].map((each) => ({
      offsetBytes: each * 300_000,
      sizeBytes: 40_000,
      timeTicks: each * 48_000,
      durationTicks: 48_000,
    })),
  }));
  const rung = (width: number, height: number, kid: string): VideoTrack => ({
    kind: "video",
    profile: `${height}p-h264`,
    codec: "avc1.64001f",
    timescale: 24_000,
    width,
    height,
    frameRate: [24, 1],
    kid,
    bandwidthAverageBps: height * 4_000,
    bandwidthPeakBps: height * 6_000,
    segments,
  });
  const [audioKid = "", sdKid = "", hdKid = ""] = KIDS;
  return {
    contentId,
    revision: 1,
    indexVersion: 1,
    durationS: DURATION_S,
    keys: KIDS.map((kid, index) => ({
      kid,
      keyClass: (["AUDIO", "SD", "HD"] as const)[index] ?? "SD",
      ivHex: "a".repeat(32),
    })),
    video: [
      rung(1920, 1080, hdKid),
      rung(1280, 720, hdKid),
      rung(854, 480, sdKid),
      rung(640, 360, sdKid),
      rung(426, 240, sdKid),
    ],
    audio: ["en", "de"].map((language) => ({
      kind: "audio",
      profile: `audio-${language}`,
      codec: "mp4a.40.2",
      timescale: 48_000,
      kid: audioKid,
      bandwidthAverageBps: 128_000,
      bandwidthPeakBps: 132_000,
      segments: segments.map(({ durationTicks }) => ({ durationTicks: durationTicks * 2, sizeBytes: 96_000 })),
      language,
      label: language,
      channels: 2,
      sampleRateHz: 48_000,
      isDefault: language === "en",
    })),
    text: [
      {
        kind: "text",
        profile: "text-en",
        language: "en",
        label: "English",
        role: "subtitles",
        segmentDurationsS: Array.from({ length: 120 }, () => 60),
      },
    ],
    thumbnails: {
      profile: "thumbs",
      columns: 5,
      rows: 5,
      width: 320,
      height: 180,
      intervalS: 10,
      tileCount: 29,
      bandwidthBps: 12_000,
    },
  };
}

/** The origin as it is, on objects in memory and keys that are made up. */
async function openOrigin(key: TestKey) {
  const signals = {
    psshCommon: commonPssh(KIDS),
    keys: KIDS.map((kid) => ({
      kid,
      keyClass: "SD",
      iv: new Uint8Array(16),
      psshWidevine: widevinePssh({ kids: [kid] }),
      psshPlayready: playReadyPssh({ kids: [kid] }),
      playreadyObject: playReadyObject({ kids: [kid] }),
      fairplayUri: `skd://${kid}`,
    })),
  };
  const indexes = new LRUCache<string, Buffer>({ max: 4 });
  const template = JSON.stringify(film("@title@"));
  const objects = {
    async get(name: string) {
      const contentId = name.split("/")[1] ?? "";
      const kept = indexes.get(contentId) ?? Buffer.from(template.replace("@title@", contentId));
      indexes.set(contentId, kept);
      return kept;
    },
    list: async (prefix: string) => [{ key: `${prefix}1.json`, sizeBytes: 1, modifiedMs: 1 }],
  };
  const call = {
    keys: { signalling: async () => signals },
    license: {
      locate: async () => ({
        clearkey: "https://api.example/license/clearkey/$sid$?CAT=$cat$",
        fairplayCertificate: "",
      }),
    },
  };
  // What the origin's manifests touch of their platform, and no more.
  const platform = {
    objects,
    call,
    addresses: { publicUrl: "https://api.example", originUrl: "", edges: [] },
  } as unknown as OriginPlatform;
  const parts: MediaParts = {
    objects: platform.objects,
    db: { tx: async () => "demo" as never, read: async () => "demo" as never, ping: async () => {} },
    clock: systemClock,
    manifests: openManifests(platform),
    owners: new LRUCache({ max: 1_000 }),
  };
  const server = createServer((request, response) => {
    if (request.url === KEYS_PATH) return void response.end(JSON.stringify({ issuer: "marquee", keys: [key.jwk] }));
    if (request.url?.startsWith("/vod/") === true) {
      return void answerMedia(parts, request, response).catch((error: unknown) =>
        sendProblem(request, response, error),
      );
    }
    sendProblem(request, response, problem.notFound("not part of this bench"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** node:http and nothing else: the files of a folder, in memory, by name. */
async function serveRaw(folder: string): Promise<void> {
  const bodies = new Map<string, Buffer>();
  for (const name of NAMES) bodies.set(`/${name}`, await readFile(join(folder, name)));
  const server = createServer((request, response) => {
    const body = bodies.get(request.url ?? "") ?? Buffer.alloc(0);
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": body.length });
    response.end(body);
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
  process.once("disconnect", () => process.exit(0));
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bench-manifests-"));
  const key = newKey();
  const origin = await openOrigin(key);
  const { options, remove } = await edgeOptions(origin, { cacheBytesMax: 512_000_000, memoryBytesMax: 128_000_000 });
  const edge = await startEdge(options);
  const nowS = Math.floor(Date.now() / 1_000);
  const token = await newToken({ key, baseUrl: options.baseUrl, nowS, pathPrefix: "/vod/", expS: nowS + 3_600 });
  const addressOf = (contentId: string, name: Name): string => `/vod/${contentId}/r1/${MANIFESTS[name]}?CAT=${token}`;
  let raw: ReturnType<typeof fork> | undefined;
  try {
    const measures: Measure[] = [];
    const cold: Record<Name, number[]> = { multivariant: [], playlist: [], mpd: [] };
    for (let round = 0; round <= COLD_ROUNDS; round += 1) {
      for (const name of NAMES) {
        const startMs = performance.now();
        const titles = Array.from({ length: COLD_TITLES / 4 }, (_, each) => `cold-${round}-${name}-${each}`);
        await Promise.all(
          [0, 1, 2, 3].map(async (client) => {
            for (const title of titles) {
              const got = await get(options.baseUrl, addressOf(`${title}-${client}`, name));
              if (got.status !== 200) throw new Error(`${name}: ${got.status} ${got.body.toString().slice(0, 200)}`);
            }
          }),
        );
        if (round > 0) cold[name].push((COLD_TITLES * 1_000) / (performance.now() - startMs));
      }
    }
    for (const name of NAMES) {
      const { body } = await get(options.baseUrl, addressOf("film", name));
      await writeFile(join(folder, name), body);
      measures.push({
        name: `manifests.${name}.size`,
        value: body.length / 1_000,
        unit: "kB",
        bar: null,
        samples: [body.length / 1_000],
      });
      measures.push({
        name: `manifests.${name}.cold`,
        value: median(cold[name]),
        unit: "requests/s",
        bar: null,
        samples: cold[name],
      });
    }
    const rawProcess = fork(fileURLToPath(import.meta.url), ["raw", folder]);
    raw = rawProcess;
    const port = await new Promise<number>((resolve) => rawProcess.once("message", (said) => resolve(Number(said))));
    for (const name of NAMES) {
      const targets = {
        warm: { baseUrl: options.baseUrl, path: addressOf("film", name) },
        raw: { baseUrl: `http://127.0.0.1:${port}`, path: `/${name}` },
      };
      const rates: Record<"warm" | "raw", number[]> = { warm: [], raw: [] };
      for (let round = 0; round <= ROUNDS; round += 1) {
        for (const which of ["warm", "raw"] as const) {
          const { baseUrl, path } = targets[which];
          const rate = await load({ baseUrl, paths: [path], connections: CONNECTIONS, durationS: ROUND_S, folder });
          if (round > 0) rates[which].push(rate);
        }
      }
      const ratios = rates.warm.map((rate, index) => rate / (rates.raw[index] ?? Number.NaN));
      measures.push(
        { name: `manifests.${name}.raw`, value: median(rates.raw), unit: "requests/s", bar: null, samples: rates.raw },
        {
          name: `manifests.${name}.warm`,
          value: median(rates.warm),
          unit: "requests/s",
          bar: null,
          samples: rates.warm,
        },
        { name: `manifests.${name}.ratio`, value: median(ratios), unit: "ratio", bar: 0.5, samples: ratios },
      );
    }
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("manifests", measures);
  } finally {
    raw?.disconnect();
    await edge.stop();
    await origin.close();
    await remove();
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  if (process.argv[2] === "raw") await serveRaw(process.argv[3] ?? ".");
  else await run();
}
