/** What the picture tells of itself: events of the video element and the engine, as state, as measures and as reasons for a beat. */
import type { Engine } from "./engine.ts";
import type { Heartbeats } from "./heartbeats.ts";
import { savePreferences } from "./preferences.ts";
import type { Qoe, QoeEvent } from "./qoe.ts";
import type { LiveWindow, PlayerState, Store } from "./state.ts";
import { listenToVideo } from "./video.ts";

const LOOK_MS = 2_000;

export interface Watched {
  readonly video: HTMLVideoElement;
  readonly store: Store<PlayerState>;
  note(event: QoeEvent): void;
  qoe(): Qoe;
  /** Said again and again while a channel's next picture is waited for. */
  onStuck(): void;
  /** Null between two sessions. */
  run(): { readonly engine: Engine; readonly heartbeats: Heartbeats } | null;
  /** Ends it all. */
  readonly signal: AbortSignal;
}

export interface Readings {
  buffering(isBuffering: boolean): void;
  readTracks(): void;
}

const monotonicMs = () => performance.now();

export function readPicture(watched: Watched): Readings {
  listen(watched);
  lookAtNetwork(watched);
  return {
    buffering: (isBuffering) => buffering(watched, isBuffering),
    readTracks: () => readTracks(watched),
  };
}

function buffering({ video, store, note, run }: Watched, isBuffering: boolean): void {
  const { waiting } = store.get();
  store.set({ waiting: isBuffering });
  const atMs = monotonicMs();
  if (isBuffering) {
    note({ type: "waiting", atMs });
    note({ type: "stopped", atMs });
    if (store.get().phase === "ready") run()?.heartbeats.beat();
  } else if (waiting) {
    note({ type: "resumed", atMs });
    if (!video.paused) note({ type: "playing", atMs });
  }
}

function readTracks({ store, note, qoe, run }: Watched): void {
  const now = run();
  if (now === null) return;
  const { engine, heartbeats } = now;
  const rendition = engine.rendition();
  const before = qoe();
  if (rendition.bitrateKbps > 0) note({ type: "rendition", atMs: monotonicMs(), ...rendition });
  if (qoe().resolutionDrops > before.resolutionDrops) heartbeats.beat();
  store.set({
    audio: engine.audio(),
    subtitles: engine.subtitles(),
    qualities: engine.qualities(),
    height: rendition.height,
  });
}

/**
 * A network that has become slower than the picture is told at once, and a picture that stands still every two seconds:
 * the platform may know a better network.
 */
function lookAtNetwork(watched: Watched): void {
  const { store, qoe, run, signal } = watched;
  let wasFast = true;
  const timer = setInterval(() => {
    const now = run();
    if (now === null || store.get().phase !== "ready") return;
    // The world goes on while the picture is held.
    if (store.get().live !== null) readClock(watched);
    if (store.get().waiting && store.get().live !== null) watched.onStuck();
    const isFast = now.engine.counters().throughputKbps >= qoe().bitrateKbps;
    if (store.get().waiting || (wasFast && !isFast)) now.heartbeats.beat();
    wasFast = isFast;
  }, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

function readClock({ video, store, run }: Watched): void {
  const { buffered, currentTime, duration } = video;
  const engine = run()?.engine;
  const live = windowNow(engine?.liveWindow() ?? null, store.get());
  if (live !== null && live.isAtEdge !== store.get().live?.isAtEdge) engine?.follow(live.isAtEdge);
  let bufferedEndS = currentTime;
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= currentTime + 0.25) bufferedEndS = Math.max(bufferedEndS, buffered.end(index));
  }
  store.set({
    positionS: currentTime,
    bufferedEndS,
    live: sameWindow(store.get().live, live),
    durationS:
      store.get().session?.live == null && Number.isFinite(duration) && duration > 0 ? duration : store.get().durationS,
  });
}

/** Who stands still for want of data has not gone back in time: to the world and to the player they are still with it. */
function windowNow(seen: LiveWindow | null, { live, waiting }: PlayerState): LiveWindow | null {
  return seen !== null && live !== null && waiting ? { ...seen, isAtEdge: live.isAtEdge } : seen;
}

/** The window moves all the time; who looks at it sees seconds. */
function sameWindow(known: LiveWindow | null, now: LiveWindow | null): LiveWindow | null {
  if (known === null || now === null || known.isAtEdge !== now.isAtEdge) return now;
  return Math.floor(known.edgeS) === Math.floor(now.edgeS) && Math.floor(known.startS) === Math.floor(now.startS)
    ? known
    : now;
}

function listen(watched: Watched): void {
  const { video, store, note, run, signal } = watched;
  listenToVideo(video, signal, {
    clock: () => {
      if (store.get().phase === "ready") readClock(watched);
    },
    playing: () => {
      store.set({ paused: false, ended: false });
      note({ type: "firstFrame", atMs: monotonicMs() });
      note({ type: "resumed", atMs: monotonicMs() });
      note({ type: "playing", atMs: monotonicMs() });
      readTracks(watched);
    },
    paused: () => {
      if (store.get().phase !== "ready") return;
      store.set({ paused: true });
      note({ type: "stopped", atMs: monotonicMs() });
      run()?.heartbeats.beat();
    },
    resumedByViewer: () => {
      store.set({ paused: false, ended: false });
      run()?.heartbeats.beat();
    },
    seeking: () => {
      store.set({ seeking: true, ended: false });
      note({ type: "seeking", atMs: monotonicMs() });
      run()?.heartbeats.beat();
    },
    seeked: () => {
      store.set({ seeking: false });
      note({ type: "resumed", atMs: monotonicMs() });
      readClock(watched);
      run()?.heartbeats.beat();
    },
    ended: () => {
      if (store.get().phase !== "ready") return;
      store.set({ ended: true, paused: true, positionS: store.get().durationS });
      note({ type: "stopped", atMs: monotonicMs() });
      run()?.heartbeats.beat();
    },
    volume: () => {
      store.set({ volume: video.volume, muted: video.muted });
      savePreferences({ volume: video.volume, muted: video.muted });
    },
    rate: () => {
      // Shaka holds the picture by a rate of zero while it buffers: that is not the viewer's choice.
      if (video.playbackRate > 0) store.set({ rate: video.playbackRate });
    },
  });
}
