/** Shaka Player under our configuration: one session in, tracks and qualities out. Knows nothing of pages or beats. */
import type { Session } from "../../contracts/web/index.ts";
import { cdnOf, type Delivery, markFailed, signed, steeredOrder } from "./delivery.ts";
import { isFailedTransfer } from "./errors.ts";
import { followEdge, latencyMsOf, liveConfiguration, placeOf, STEADY, windowOf } from "./live.ts";
import { readNews } from "./outage.ts";
import type { Preferences } from "./preferences.ts";
import { type Format, loadShaka, type Shaka, type ShakaPlayer, type VideoTrack } from "./shaka.ts";
import type { LanguageOption, LiveWindow, QualityOption } from "./state.ts";
import { createTransport, type Transport } from "./transport.ts";

export interface Thumbnail {
  url: string;
  /** The tile inside the sheet and the sheet itself, in pixels. */
  x: number;
  y: number;
  width: number;
  height: number;
  sheetWidth: number;
  sheetHeight: number;
}

export interface EngineEvents {
  onError(error: unknown): void;
  onBuffering(isBuffering: boolean): void;
  /** Tracks, quality or language changed. */
  onTracks(): void;
}

export interface Engine {
  /** Null: at the beginning, and at the edge of what is live. */
  load(startS: number | null): Promise<void>;
  transport: Transport;
  audio(): LanguageOption[];
  subtitles(): LanguageOption[];
  qualities(): QualityOption[];
  rendition(): { bitrateKbps: number; width: number; height: number; codecs: string };
  counters(): {
    droppedFrames: number;
    decodedFrames: number;
    throughputKbps: number;
    bufferS: number;
    /** Null for what is not live. */
    liveLatencyMs: number | null;
  };
  /** Null for what is not live, and while nothing is known of it. */
  liveWindow(): LiveWindow | null;
  /** Where in the window a moment is, in milliseconds since the epoch; null where it is not in it any more. */
  placeOf(momentMs: number): number | null;
  /** Whether a channel is to be followed closely, or watched at the speed of time. */
  follow(isAtEdge: boolean): void;
  selectAudio(key: string): void;
  /** Null: none. */
  selectSubtitle(key: string | null): void;
  /** Null: whatever fits. */
  selectQuality(height: number | null): void;
  hasThumbnails(): boolean;
  thumbnailAt(positionS: number): Promise<Thumbnail | null>;
  retry(): boolean;
  /** When playlists said something new. */
  newsMs(): number;
  destroy(): Promise<void>;
}

export interface EngineOptions {
  video: HTMLVideoElement;
  /** Where subtitles are drawn. */
  captions: HTMLElement;
  session: Session;
  format: Format;
  delivery: Delivery;
  preferences: Preferences;
  refresh(): Promise<void>;
  isExpired(): boolean;
  events: EngineEvents;
}

/**
 * A dead edge answers at once with a refused connection; a silent one is given up after the connection timeout. With 24 s
 * ahead in the buffer neither is seen, and with an empty one the picture is back inside three seconds.
 */
const retryParameters = {
  maxAttempts: 5,
  baseDelay: 120,
  backoffFactor: 2,
  fuzzFactor: 0.3,
  timeout: 20_000,
  stallTimeout: 3_000,
  connectionTimeout: 2_500,
};

/** A segment of a channel is whole after two seconds, and the encoders need some before. */
const WAKING_MS_MAX = 8_000;
const WAKING_POLL_MS = 250;

function configuration(options: EngineOptions): Record<string, unknown> {
  const { session, preferences } = options;
  const { widevine, playready, fairplay, clearkey } = session.licenses;
  const servers: Record<string, string> = {};
  if (widevine !== null) servers["com.widevine.alpha"] = widevine;
  if (playready !== null) servers["com.microsoft.playready"] = playready;
  if (fairplay !== null) servers["com.apple.fps"] = fairplay;
  if (clearkey !== null) servers["org.w3.clearkey"] = clearkey;
  return {
    drm: {
      servers,
      preferredKeySystems: ["com.apple.fps", "com.widevine.alpha", "com.microsoft.playready", "org.w3.clearkey"],
      ...(session.fairplayCertificate === null
        ? {}
        : { advanced: { "com.apple.fps": { serverCertificateUri: session.fairplayCertificate } } }),
      retryParameters: { ...retryParameters, maxAttempts: 3, connectionTimeout: 8_000 },
    },
    manifest: { retryParameters: { ...retryParameters, maxAttempts: 3 } },
    streaming: {
      retryParameters,
      bufferingGoal: 24,
      rebufferingGoal: 0.5,
      bufferBehind: 30,
      lowLatencyMode: false,
      // A failed request is the network's fault, which has fail-over of its own; taking a rendition away would not help.
      maxDisabledTime: 0,
    },
    abr: { enabled: true, defaultBandwidthEstimate: 2_500_000, restrictToElementSize: true, switchInterval: 4 },
    preferredAudio: preferences.audioLanguage === null ? [] : [{ language: preferences.audioLanguage }],
    preferredText: preferences.subtitleLanguage === null ? [] : [{ language: preferences.subtitleLanguage }],
    cmcd: {
      enabled: true,
      version: 1,
      useHeaders: false,
      sessionId: session.sessionId,
      contentId: session.content.id,
    },
  };
}

export async function createEngine(options: EngineOptions): Promise<Engine> {
  const library = await loadShaka(options.format);
  library.polyfill.installAll();
  if (!library.Player.isBrowserSupported()) throw new Error("unsupported");
  const player = new library.Player(null, options.captions);
  await player.attach(options.video);
  player.configure(configuration(options));
  const { live } = options.session;
  if (live !== null) player.configure(liveConfiguration(live, options.format));
  // What a channel's playlist says of keys is left aside: its CMAF headers say it too, each day's, and Shaka asks a server for those.
  if (needsKeysAhead(options) && live !== null) player.configure({ manifest: { ignoreDrmInfo: true } });
  else if (needsKeysAhead(options))
    player.configure({ drm: { servers: {}, clearKeys: await keysAhead(options.session) } });
  const news = readNews(() => performance.now());
  const transport = connect(library, player, options, news);
  listen(player, options);
  // Shaka stops its transfers in its own listener: what is left of them is there after it.
  let forgetting = 0;
  const onSeeking = () => {
    window.clearTimeout(forgetting);
    forgetting = window.setTimeout(() => forgetPrefetched(player));
  };
  options.video.addEventListener("seeking", onSeeking);
  return {
    transport,
    load: (startS) => loadManifest(player, options, startS),
    ...tracks(player, options),
    ...readings(player, options),
    ...liveControls(player, options),
    retry() {
      forgetPrefetched(player);
      return player.retryStreaming(0.1);
    },
    newsMs: news.lastMs,
    async destroy() {
      options.video.removeEventListener("seeking", onSeeking);
      window.clearTimeout(forgetting);
      await player.destroy();
    },
  };
}

/**
 * Who seeks while a header is on its way stops that transfer, and Shaka keeps the stopped one among what it has prefetched: it
 * takes it up again and again, and nothing more is ever loaded (shaka-player issue 10569). Without room for what is prefetched all of it goes.
 */
function forgetPrefetched(player: ShakaPlayer): void {
  const { segmentPrefetchLimit } = player.getConfiguration().streaming;
  player.configure("streaming.segmentPrefetchLimit", 0);
  player.configure("streaming.segmentPrefetchLimit", segmentPrefetchLimit);
}

/** Shaka asks no ClearKey server for HLS: the page asks for the session's keys itself and hands them over. */
const needsKeysAhead = ({ format, session: { licenses } }: EngineOptions): boolean =>
  format === "hls" && licenses.clearkey !== null && licenses.widevine === null && licenses.playready === null;

async function keysAhead(session: Session): Promise<Record<string, string>> {
  const answer = await fetch(session.licenses.clearkey ?? "", {
    method: "POST",
    credentials: "include",
    body: JSON.stringify({ kids: [], type: "temporary" }),
  });
  if (!answer.ok) throw new Error(`the licence server answered ${answer.status}`);
  const { keys } = (await answer.json()) as { keys: { kid: string; k: string }[] };
  return Object.fromEntries(keys.map(({ kid, k }) => [hexOf(kid), hexOf(k)]));
}

const hexOf = (base64url: string): string =>
  Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (byte) =>
    byte.charCodeAt(0).toString(16).padStart(2, "0"),
  ).join("");

type News = ReturnType<typeof readNews>;

function connect(library: Shaka, player: ShakaPlayer, options: EngineOptions, news: News): Transport {
  const transport = createTransport(library, {
    delivery: options.delivery,
    refresh: options.refresh,
    isExpired: options.isExpired,
    nowMs: () => performance.now(),
  });
  const { RequestType: Type } = library.net.NetworkingEngine;
  const networking = player.getNetworkingEngine();
  if (networking === null) throw new Error("The player was destroyed before it was set up.");
  networking.registerRequestFilter((type, request) => transport.filter(type, request));
  networking.registerResponseFilter((type, response) => {
    const { delivery } = options;
    if (type === Type.MANIFEST && options.session.live !== null) news.take(response.uri, response.data);
    if (type === Type.SEGMENT) delivery.lastUsed = cdnOf(delivery, response.uri)?.id ?? delivery.lastUsed;
    if (type === Type.CONTENT_STEERING) {
      delivery.preference = steeredOrder(delivery, parsed(response.data)) ?? delivery.preference;
    }
  });
  return transport;
}

function parsed(data: ArrayBuffer | ArrayBufferView): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return null;
  }
}

function listen(player: ShakaPlayer, { events, delivery }: EngineOptions): void {
  const on = (name: string, run: (event: unknown) => void) => {
    player.addEventListener(name, (event: unknown) => run(event));
  };
  const member = (event: unknown, key: string): unknown =>
    typeof event === "object" && event !== null ? Reflect.get(event, key) : undefined;
  on("error", (event) => events.onError(member(event, "detail")));
  on("buffering", (event) => events.onBuffering(member(event, "buffering") === true));
  for (const name of [
    "trackschanged",
    "adaptation",
    "variantchanged",
    "audiotrackchanged",
    "textchanged",
    "mediaqualitychanged",
  ]) {
    on(name, events.onTracks);
  }
  on("downloadfailed", (event) => {
    const failed = isFailedTransfer(member(event, "error")) || member(event, "aborted") === true;
    const request = member(event, "request");
    if (!failed || typeof request !== "object" || request === null) return;
    const uris: unknown = Reflect.get(request, "uris");
    const attempt: unknown = Reflect.get(request, "attempt");
    if (!Array.isArray(uris) || typeof attempt !== "number") return;
    const uri: unknown = uris[attempt % uris.length];
    if (typeof uri === "string") markFailed(delivery, uri, performance.now());
  });
}

/** One address on one network is enough: the request filter offers it on the others too. */
async function loadManifest(player: ShakaPlayer, options: EngineOptions, startS: number | null): Promise<void> {
  const { session, format, delivery } = options;
  const mimeType = format === "hls" ? "application/x-mpegurl" : "application/dash+xml";
  const manifest = format === "hls" ? session.manifests.hls : session.manifests.dash;
  const load = () => player.load(signed(delivery, manifest), startS !== null && startS > 0 ? startS : null, mimeType);
  await (session.live === null ? load() : patiently(load));
  if (format === "hls") readyText(player);
}

/** A channel that has just woken up lists parts and no whole segment, which Shaka's parser does not survive: a moment later it does. */
async function patiently(load: () => Promise<unknown>): Promise<void> {
  const untilMs = performance.now() + WAKING_MS_MAX;
  for (;;) {
    try {
      await load();
      return;
    } catch (error) {
      if (!(error instanceof TypeError) || performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAKING_POLL_MS));
    }
  }
}

/**
 * In HLS, Shaka places lines by the offset of a piece of picture, and tells it only to a text engine that is there when the
 * piece is appended (TextEngine.appendBuffer, "deferred appends"). Where no line is wanted yet there is none, and lines that
 * are switched on after the last piece would wait for ever. So one track is chosen and given up at once: the engine is made
 * while the first piece is still on its way, and no line is fetched.
 */
function readyText(player: ShakaPlayer): void {
  const textTracks = player.getTextTracks();
  const [first] = textTracks;
  if (first === undefined || textTracks.some(({ active }) => active)) return;
  player.selectTextTrack(first);
  player.selectTextTrack(null);
}

function languageKey(track: { language: string; label: string | null; roles: string[] }): string {
  return [track.language, track.label ?? "", track.roles.join("+")].join("|");
}

/** One quality a height: the best bitrate of it. */
export function qualitiesOf(
  videoTracks: readonly Pick<VideoTrack, "height" | "bandwidth" | "active">[],
): QualityOption[] {
  const byHeight = new Map<number, QualityOption>();
  for (const track of videoTracks) {
    const height = track.height ?? 0;
    if (height === 0) continue;
    const known = byHeight.get(height);
    byHeight.set(height, {
      height,
      bandwidth: Math.max(known?.bandwidth ?? 0, track.bandwidth),
      active: (known?.active ?? false) || track.active,
    });
  }
  return [...byHeight.values()].sort((a, b) => b.height - a.height);
}

function tracks(player: ShakaPlayer, { events }: EngineOptions) {
  return {
    audio: () => unique(player.getAudioTracks().map((track) => ({ ...optionOf(track), forced: false }))),
    subtitles: () => {
      const options = player.getTextTracks().map((track) => ({ ...optionOf(track), forced: track.forced }));
      return unique(options.filter(({ forced }) => !forced));
    },
    qualities: () => qualitiesOf(player.getVideoTracks()),
    selectAudio(key: string) {
      const track = player.getAudioTracks().find((candidate) => languageKey(candidate) === key);
      if (track !== undefined) player.selectAudioTrack(track);
    },
    selectSubtitle(key: string | null) {
      const track =
        key === null ? null : (player.getTextTracks().find((candidate) => languageKey(candidate) === key) ?? null);
      player.selectTextTrack(track);
      events.onTracks();
    },
    selectQuality(height: number | null) {
      player.configure("abr.enabled", height === null);
      const [track] = player
        .getVideoTracks()
        .filter((candidate) => candidate.height === height)
        .sort((a, b) => b.bandwidth - a.bandwidth);
      if (height !== null && track !== undefined) player.selectVideoTrack(track, true, 4);
      events.onTracks();
    },
  };
}

function optionOf(track: { language: string; label: string | null; roles: string[]; active: boolean }) {
  return { key: languageKey(track), language: track.language, label: track.label, active: track.active };
}

function unique(options: readonly LanguageOption[]): LanguageOption[] {
  const byKey = new Map<string, LanguageOption>();
  for (const option of options) if (!byKey.has(option.key) || option.active) byKey.set(option.key, option);
  return [...byKey.values()];
}

function liveControls(player: ShakaPlayer, { session: { live }, video, format }: EngineOptions) {
  return {
    liveWindow: () => (live === null ? null : windowOf(player, video.currentTime, live)),
    placeOf: (momentMs: number) => (live === null ? null : placeOf(player, momentMs, video.currentTime)),
    follow(isAtEdge: boolean) {
      if (live !== null) player.configure("streaming.liveSync", isAtEdge ? followEdge(live.latency, format) : STEADY);
    },
  };
}

function readings(player: ShakaPlayer, { video, delivery, session }: EngineOptions) {
  const imageTrack = () => {
    const [smallest] = player
      .getImageTracks()
      .filter(({ width }) => (width ?? 0) > 0)
      .sort((a, b) => (a.width ?? 0) - (b.width ?? 0));
    return smallest ?? player.getImageTracks()[0] ?? null;
  };
  return {
    rendition() {
      const stats = player.getStats();
      return {
        bitrateKbps: Math.round(finite(stats.streamBandwidth) / 1_000),
        width: Math.round(finite(stats.width)),
        height: Math.round(finite(stats.height)),
        codecs: stats.currentCodecs,
      };
    },
    counters() {
      const stats = player.getStats();
      const ahead = player
        .getBufferedInfo()
        .total.find(({ start, end }) => start <= video.currentTime + 0.1 && end >= video.currentTime);
      return {
        droppedFrames: finite(stats.droppedFrames),
        decodedFrames: finite(stats.decodedFrames),
        throughputKbps: Math.round(finite(stats.estimatedBandwidth) / 1_000),
        bufferS: ahead === undefined ? 0 : ahead.end - video.currentTime,
        liveLatencyMs: session.live === null ? null : latencyMsOf(player),
      };
    },
    hasThumbnails: () => imageTrack() !== null,
    async thumbnailAt(positionS: number): Promise<Thumbnail | null> {
      const track = imageTrack();
      if (track === null) return null;
      const found = await player.getThumbnails(track.id, positionS);
      const uri = found?.uris[0];
      if (found === null || found === undefined || uri === undefined) return null;
      return {
        url: signed(delivery, uri),
        x: found.positionX,
        y: found.positionY,
        width: found.width,
        height: found.height,
        sheetWidth: found.imageWidth,
        sheetHeight: found.imageHeight,
      };
    },
  };
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
