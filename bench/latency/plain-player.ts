/**
 * Part of live-latency.ts: a player that knows nothing of Marquee, Shaka Player as it comes, in low-latency mode. It starts where the
 * playlist asks it to (PART-HOLD-BACK) and stays there, as players do that cannot wait for a part.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { API } from "../api/cinema.ts";
import type { Cinema } from "../../tests/chaos/cinema.ts";

const PAGE = "/bench/plain-player";
const LIBRARY = "/bench/shaka.js";
const STARTED_MS_MAX = 40_000;

/** What runs in the page; of media it says that its token is to be the newest one, as a session lasts longer than a token. */
const html = (channelId: string): string => `<!doctype html><title>Plain player</title>
<style>body { margin: 0 } video { width: 100vw; height: 100vh }</style>
<video muted autoplay></video><script src="${LIBRARY}"></script><script>
const call = async (path, body) => {
  const headers = { "content-type": "application/json", "x-marquee": "web" };
  const answer = await fetch("${API}" + path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
  if (!answer.ok) throw new Error(path + " was answered with " + answer.status + ": " + await answer.text());
  return answer.json();
};
const signed = (uri, token) => {
  const url = new URL(uri);
  url.searchParams.set("CAT", token);
  return url.href;
};
async function play() {
  const device = { id: "bench-plain-player", type: "web", name: "Bench" };
  const session = await call("/playback/sessions", { contentId: ${JSON.stringify(channelId)}, device });
  let token = session.token;
  setInterval(async () => (token = (await call("/playback/sessions/" + session.sessionId + "/token")).token), 60_000);
  const player = new shaka.Player();
  await player.attach(document.querySelector("video"));
  player.configure({
    drm: { servers: { "org.w3.clearkey": session.licenses.clearkey } },
    manifest: { ignoreDrmInfo: true },
    streaming: { lowLatencyMode: true },
  });
  player.getNetworkingEngine().registerRequestFilter((type, request) => {
    request.uris = request.uris.map((uri) => (uri.startsWith("http") ? signed(uri, token) : uri));
    if (type !== shaka.net.NetworkingEngine.RequestType.LICENSE) return;
    request.allowCrossSiteCredentials = true;
    request.headers["x-marquee"] = "web";
  });
  await player.load(session.manifests.hls);
}
play().catch((error) => (document.title = "failed: " + (error.message || error.code)));
</script>`;

/** Resolves when the picture moves. */
export async function tunePlainPlayer({ page }: Cinema, url: string, channelId: string): Promise<void> {
  const library = await readFile(new URL(import.meta.resolve("shaka-player/dist/shaka-player.hls-es2021.js")), "utf8");
  await page.route(`**${PAGE}`, (route) => route.fulfill({ contentType: "text/html", body: html(channelId) }));
  await page.route(`**${LIBRARY}`, (route) => route.fulfill({ contentType: "text/javascript", body: library }));
  await page.goto(new URL(PAGE, url).href);
  const untilMs = Date.now() + STARTED_MS_MAX;
  while (
    !(await page.evaluate<boolean>(
      "document.querySelector('video').currentTime > 0 && !document.querySelector('video').paused",
    ))
  ) {
    const title = await page.title();
    if (title.startsWith("failed") || Date.now() > untilMs) throw new Error(`the plain player does not play: ${title}`);
    await pause(100);
  }
  await page.evaluate("marqueeStopwatch.start()");
}
