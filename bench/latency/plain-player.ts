/**
 * Part of live-latency.ts: a player that knows nothing of Marquee, Shaka Player as it comes, in low-latency mode. It starts where the
 * playlist asks it to (PART-HOLD-BACK) and stays there, as players do that cannot wait for a part.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Cinema } from "../../tests/chaos/cinema.ts";
import { API } from "../api/cinema.ts";

/** Any page of the product that has no player of its own. */
const PAGE = `${API}/openapi.json`;
const WAKING_MS = 8_000;
const STARTED_MS_MAX = 40_000;
const IS_PLAYING = "document.querySelector('video').currentTime > 0 && !document.querySelector('video').paused";

/** What it says of itself, which nobody looks at here. */
const CALM = {
  ...{ positionS: 1, durationS: 7_200, state: "playing", cdnId: "edge-a", videoStartTimeMs: 300, rebufferCount: 0 },
  ...{ rebufferDurationMs: 0, bitrateKbps: 300, averageBitrateKbps: 300, bitrateMaxKbps: 300, bitrateSwitches: 0 },
  ...{ width: 320, height: 180, resolutionDrops: 0, droppedFrames: 0, decodedFrames: 100, throughputKbps: 20_000 },
  ...{ bufferS: 1, errors: [] },
};

/** What runs in the page; of media it says that its token is to be the newest one, as a session lasts longer than a token. */
const play = (channelId: string): string => `(async () => {
  document.body.innerHTML = "<style>body { margin: 0 } video { width: 100vw; height: 100vh }</style><video muted autoplay></video>";
  const call = async (path, body) => {
    const headers = { "content-type": "application/json", "x-marquee": "web" };
    const answer = await fetch("${API}" + path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
    if (!answer.ok) throw new Error(path + " was answered with " + answer.status);
    return answer.json();
  };
  const signed = (uri, token) => {
    const url = new URL(uri);
    url.searchParams.set("CAT", token);
    return url.href;
  };
  const device = { id: "bench-plain-player", type: "web", name: "Bench" };
  const session = await call("/playback/sessions", { contentId: ${JSON.stringify(channelId)}, device });
  let token = session.token;
  const own = "/playback/sessions/" + session.sessionId;
  let sequence = 0;
  // A session of which nothing is heard is over after a minute, and its token after five.
  setInterval(() => call(own + "/heartbeats", { ...${JSON.stringify(CALM)}, sequence: ++sequence }), 10_000);
  setInterval(async () => (token = (await call(own + "/token")).token), 60_000);
  const player = new shaka.Player();
  await player.attach(document.querySelector("video"));
  player.configure({
    drm: { servers: { "org.w3.clearkey": session.licenses.clearkey } },
    manifest: { ignoreDrmInfo: true },
    // Where it fell behind it comes back to where the playlist asks it to be.
    streaming: { lowLatencyMode: true, liveSync: { enabled: true, targetLatency: 0, targetLatencyTolerance: 0.1, maxPlaybackRate: 1.08 } },
  });
  player.getNetworkingEngine().registerRequestFilter((type, request) => {
    request.uris = request.uris.map((uri) => (uri.startsWith("http") ? signed(uri, token) : uri));
    if (type !== shaka.net.NetworkingEngine.RequestType.LICENSE) return;
    request.allowCrossSiteCredentials = true;
    request.headers["x-marquee"] = "web";
  });
  // A channel that is made on demand wakes up for the first who asks, and Shaka Player cannot begin without a segment that is whole.
  await fetch(session.manifests.hls);
  await new Promise((resolve) => setTimeout(resolve, ${WAKING_MS}));
  await player.load(session.manifests.hls);
})()`;

/** Resolves when the picture moves. */
export async function tunePlainPlayer({ page, complaints }: Cinema, url: string, channelId: string): Promise<void> {
  const library = await readFile(new URL(import.meta.resolve("shaka-player/dist/shaka-player.hls-es2021.js")), "utf8");
  await page.goto(new URL(PAGE, url).href);
  await page.evaluate(`${library};0`);
  const untilMs = Date.now() + STARTED_MS_MAX;
  const told = (): string => complaints.join("\n").replaceAll(/CAT=[\w-]+/g, "CAT=…");
  await page.evaluate(play(channelId)).catch((error: unknown) => {
    throw new Error(`the plain player does not play: ${String(error)}\n${told()}`);
  });
  while (!(await page.evaluate<boolean>(IS_PLAYING))) {
    if (Date.now() > untilMs) throw new Error(`the plain player shows nothing\n${told()}`);
    await pause(100);
  }
  await page.evaluate("marqueeStopwatch.start()");
}
