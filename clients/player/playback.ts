/**
 * One title from "Play" to the end: the session with the platform, the engine, the beats and the tokens, behind one store.
 */
import type { HeartbeatAnswer, Session } from "../../contracts/web/index.ts";
import type { PlaybackApi } from "./api.ts";
import { type AdBreak, onClock, placeOf } from "./breaks.ts";
import { createDelivery, type Delivery, presentCdn } from "./delivery.ts";
import { thisDevice } from "./device.ts";
import { createEngine, type Engine, type Thumbnail } from "./engine.ts";
import { isEngineError, playerErrorOf } from "./errors.ts";
import { createHeartbeats, type Heartbeats } from "./heartbeats.ts";
import { ApiError } from "./http.ts";
import { endure, isPassing, type Outage, standStill, type Still } from "./outage.ts";
import { openProgramme } from "./programme.ts";
import { loadPreferences, savePreferences } from "./preferences.ts";
import { heartbeatOf, type Qoe, type QoeEvent, qoeAtStart, reduceQoe } from "./qoe.ts";
import { readPicture } from "./readings.ts";
import { type Format, loadShaka } from "./shaka.ts";
import { createStore, type PlayerState, stateAtStart, type Store } from "./state.ts";
import { keepTokens, type TokenKeeper } from "./tokens.ts";

export interface PlaybackOptions {
  video: HTMLVideoElement;
  captions: HTMLElement;
  api: PlaybackApi;
  contentId: string;
  format: Format;
  /** Overrides the resume position: `Play` from the start. */
  startS: number | null;
  /** Of a channel: begins with the beginning of what is on, where that may be and is still there. */
  startsOver: boolean;
}

export interface NerdFacts {
  qoe: Qoe;
  cdnId: string;
  codecs: string;
  droppedFrames: number;
  decodedFrames: number;
  throughputKbps: number;
  bufferS: number;
  liveLatencyMs: number | null;
}

export interface Playback {
  store: Store<PlayerState>;
  togglePlay(): void;
  seekTo(positionS: number): void;
  seekBy(deltaS: number): void;
  /** To where the world is; nothing for what is not live. */
  goLive(): void;
  /** Where the present programme of a channel began, on the clock of the picture; null where that is not to be had (any more). */
  programmeStartS(): number | null;
  setVolume(volume: number): void;
  toggleMuted(): void;
  setRate(rate: number): void;
  selectAudio(key: string): void;
  selectSubtitle(key: string | null): void;
  selectQuality(height: number | null): void;
  thumbnailAt(positionS: number): Promise<Thumbnail | null>;
  nerdFacts(): NerdFacts | null;
  /** Starts anew at the present position, after an error or an end from elsewhere. */
  restart(): void;
  endOther(sessionId: string): Promise<void>;
  destroy(): void;
}

/** Everything that lives as long as one session with the platform. */
interface Run {
  session: Session;
  delivery: Delivery;
  engine: Engine;
  heartbeats: Heartbeats;
  tokens: TokenKeeper;
  programme: { stop(): void };
  over: boolean;
}

/** A film with ads is longer, and its chapters begin later. */
function onItsClock(session: Session): Session {
  const { adBreaks, content } = session;
  const addedS = adBreaks.reduce((sum: number, { durationS }: AdBreak) => sum + durationS, 0);
  const chapters = content.chapters.map((each) => ({ ...each, startS: onClock(adBreaks, each.startS) }));
  return { ...session, content: { ...content, durationS: content.durationS + addedS, chapters } };
}

const monotonicMs = () => performance.now();
const timer = (run: () => void, delayMs: number) => {
  const id = setTimeout(run, delayMs);
  return () => clearTimeout(id);
};

export function createPlayback(options: PlaybackOptions): Playback {
  const { video, api } = options;
  const preferences = loadPreferences();
  const store = createStore<PlayerState>({ ...stateAtStart, volume: preferences.volume, muted: preferences.muted });
  let qoe: Qoe = qoeAtStart;
  let run: Run | null = null;
  /** Raised by every new start: what an older one still awaits is then thrown away. */
  let generation = 0;
  let startS = options.startS;
  let outage: Outage | null = null;
  let still: Still | null = null;
  const off = new AbortController();
  video.volume = preferences.volume;
  video.muted = preferences.muted;

  const note = (event: QoeEvent) => {
    qoe = reduceQoe(qoe, event);
  };

  const onAir = openProgramme({
    ...{ video, store, contentId: options.contentId, request: api.programme, setTimer: timer, signal: off.signal },
    placeOf: (momentMs) => run?.engine.placeOf(momentMs) ?? null,
  });

  /* ---- the session ---- */

  const start = async () => {
    generation += 1;
    const mine = generation;
    leave();
    store.set({ phase: "starting", error: null, refusal: null, waiting: false, ended: false, paused: true });
    note({ type: "requested", atMs: monotonicMs() });
    // The library is on its way while the platform decides; where it fails to come, opening says so.
    loadShaka(options.format).catch(() => undefined);
    let session: Session;
    try {
      session = onItsClock(await api.start(options.contentId, thisDevice()));
    } catch (error) {
      if (mine !== generation) return;
      if (error instanceof ApiError) store.set({ phase: "refused", refusal: error });
      else fail(error);
      return;
    }
    if (mine !== generation) {
      api.stop(session.sessionId, {
        positionS: session.resumePositionS,
        durationS: session.content.durationS,
        sequence: 0,
      });
      return;
    }
    const placeS = startS === null ? null : onClock(session.adBreaks, startS);
    const positionS = placeS ?? (session.live === null ? session.resumePositionS : null);
    store.set({ session, durationS: session.content.durationS, positionS: positionS ?? 0, live: null });
    await open(session, positionS, mine);
  };

  const open = async (session: Session, positionS: number | null, mine: number) => {
    const delivery = createDelivery(session.cdns);
    const tokens = keepTokens({
      expiresAt: session.tokenExpiresAt,
      request: () => api.token(session.sessionId),
      onTokens: ({ cdns }) => {
        delivery.cdns = cdns;
      },
      nowMs: Date.now,
      setTimer: timer,
    });
    try {
      const engine = await createEngine({
        video,
        captions: options.captions,
        session,
        format: options.format,
        delivery,
        preferences: loadPreferences(),
        refresh: tokens.refresh,
        isExpired: tokens.isExpired,
        events: { onError: fail, onBuffering: buffering, onTracks: readTracks },
      });
      if (mine !== generation) {
        tokens.stop();
        await engine.destroy();
        return;
      }
      run = {
        session,
        delivery,
        engine,
        heartbeats: beats(session),
        tokens,
        programme: onAir.follow(session),
        over: false,
      };
      await engine.load(positionS);
      if (mine !== generation) return;
      store.set({ phase: "ready", hasThumbnails: engine.hasThumbnails() });
      readTracks();
      if (options.startsOver && session.live !== null) onAir.startOver();
      // Refused without a press of the viewer's: the play button waits for it.
      await video.play().catch(() => store.set({ paused: true }));
    } catch (error) {
      if (run?.tokens !== tokens) tokens.stop();
      if (mine === generation) fail(error);
    }
  };

  const fail = (error: unknown) => {
    // Shaka reports each load that a newer one interrupts (7000) and what it repairs by itself (severity 1).
    if (isEngineError(error) && (error.code === 7_000 || Reflect.get(error, "severity") === 1)) return;
    if (endures(error)) return;
    const playerError = playerErrorOf(error, window.isSecureContext);
    note({ type: "error", atMs: monotonicMs(), code: playerError.code, message: playerError.detail });
    run?.heartbeats.beat();
    store.set({ phase: "failed", error: playerError, waiting: false });
  };

  /** A channel that plays gets over what the network does; whether that is so now. */
  const endures = (error: unknown): boolean => {
    if (run === null || store.get().phase !== "ready" || store.get().live === null || !isPassing(error)) return false;
    return endureMore() !== "give up";
  };

  const endureMore = () => {
    const { outage: next, what } = endure(outage, monotonicMs());
    outage = next;
    if (what === "leap") goLive();
    return what;
  };

  const goLive = () => {
    const edge = run?.engine.liveWindow();
    if (edge == null) return;
    seekTo(edge.edgeS);
    run?.engine.retry();
  };

  /** Says goodbye to the platform and frees the engine. Safe to call at any time, and more than once. */
  const leave = () => {
    const left = run;
    run = null;
    if (left === null) return;
    left.heartbeats.stop();
    left.tokens.stop();
    left.programme.stop();
    sayGoodbye(left);
    left.engine.destroy().catch(() => undefined);
  };

  const sayGoodbye = (left: Run) => {
    if (left.over) return;
    left.over = true;
    // A beat after the farewell would be the next one's number, and of a session that is over.
    left.heartbeats.stop();
    const facts = { ...placeToKeep(), sequence: left.heartbeats.sequence() };
    api.stop(left.session.sessionId, facts);
  };

  /* ---- beats ---- */

  const beats = (session: Session): Heartbeats =>
    createHeartbeats({
      intervalS: session.heartbeatIntervalS,
      compose: (sequence) => {
        const { paused, waiting, ended } = store.get();
        const counters = run?.engine.counters() ?? {
          droppedFrames: 0,
          decodedFrames: 0,
          throughputKbps: 0,
          bufferS: 0,
          liveLatencyMs: null,
        };
        const state = ended ? "ended" : waiting ? "buffering" : paused ? "paused" : "playing";
        const facts = { sequence, ...placeToKeep(), state, cdnId: cdnNow(), ...counters } as const;
        return heartbeatOf(qoe, facts, monotonicMs());
      },
      send: (beat) => api.heartbeat(session.sessionId, beat),
      onAnswer: answered,
      onFailure(error, sinceLastMs) {
        // A session that the server no longer knows died while this machine slept: the same device may begin again at once.
        if (error instanceof ApiError && [404, 409, 410].includes(error.status)) lostSession(sinceLastMs);
      },
      nowMs: monotonicMs,
      setTimer: timer,
    });

  const answered = (answer: HeartbeatAnswer) => {
    if (run === null) return;
    if (answer.ended) {
      lostSession(0);
      return;
    }
    const [first] = answer.switchTo ?? [];
    if (answer.switchTo === null || first === undefined) return;
    run.delivery.preference = answer.switchTo;
    run.delivery.unhealthyUntilMs.delete(first);
    run.engine.transport.moveTo(first);
  };

  const lostSession = (sinceLastMs: number) => {
    if (run === null) return;
    const sleptMs = Math.max(sinceLastMs, run.heartbeats.msSinceAnswer());
    const slept = sleptMs > run.session.heartbeatIntervalS * 3_000;
    run.over = true;
    startS = placeToReturnTo();
    video.pause();
    if (slept) void start();
    else {
      leave();
      store.set({ phase: "endedElsewhere" });
    }
  };

  /* ---- readings ---- */

  /** What a bookmark is made of: a channel has no place to come back to. */
  const placeToKeep = () =>
    store.get().session?.live == null
      ? { positionS: position(), durationS: store.get().durationS }
      : { positionS: 0, durationS: 0 };
  /** Where a new session begins, which may have other ads: a channel's picture goes on where it was only for who had gone back in time. */
  const placeToReturnTo = () => {
    const { live, session } = store.get();
    if (session?.live == null) return placeOf(session?.adBreaks ?? [], position());
    return live?.isAtEdge === false ? position() : null;
  };
  const position = () => (video.ended ? store.get().durationS : video.currentTime || store.get().positionS);
  const cdnNow = () => (run === null ? "" : (run.delivery.lastUsed ?? presentCdn(run.delivery, monotonicMs())));

  const { buffering, readTracks } = readPicture({
    video,
    store,
    note,
    qoe: () => qoe,
    onStuck() {
      const look = standStill(still, monotonicMs(), run?.engine.newsMs() ?? 0);
      ({ still } = look);
      if (look.isHopeless) {
        startS = null;
        void start();
        return;
      }
      if (store.get().live?.isAtEdge === true) endureMore();
      // The engine asks again by itself after a failed transfer, and not where a piece was missing and nothing came after it yet.
      else run?.engine.retry();
    },
    run: () => run,
    signal: off.signal,
  });

  /* ---- the page goes and comes ---- */

  window.addEventListener("pagehide", () => run !== null && sayGoodbye(run), { signal: off.signal });
  window.addEventListener(
    "pageshow",
    (event) => {
      // Back from the browser's page cache: the farewell has been sent, so the session begins anew.
      if (!event.persisted) return;
      startS = placeToReturnTo();
      void start();
    },
    { signal: off.signal },
  );
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && run?.heartbeats.beat(), {
    signal: off.signal,
  });
  window.addEventListener("online", () => store.get().phase === "ready" && run?.engine.retry(), { signal: off.signal });

  void start();

  const seekTo = (positionS: number) => {
    if (store.get().phase !== "ready") return;
    const { durationS, live } = store.get();
    const [firstS, lastS] = live === null ? [0, Math.max(0, durationS - 0.5)] : [live.startS, live.edgeS];
    const target = Math.min(Math.max(firstS, positionS), lastS);
    video.currentTime = target;
    store.set({ positionS: target, ended: false });
  };

  return {
    store,
    togglePlay() {
      if (store.get().phase !== "ready") return;
      if (store.get().ended) seekTo(0);
      if (video.paused) video.play().catch(() => store.set({ paused: true }));
      else video.pause();
    },
    seekTo,
    seekBy: (deltaS) => seekTo(video.currentTime + deltaS),
    goLive() {
      goLive();
      if (video.paused) video.play().catch(() => store.set({ paused: true }));
    },
    programmeStartS: onAir.startS,
    setVolume(volume) {
      video.volume = Math.min(1, Math.max(0, volume));
      video.muted = volume === 0;
    },
    toggleMuted() {
      video.muted = !video.muted;
      if (!video.muted && video.volume === 0) video.volume = 0.5;
    },
    setRate(rate) {
      video.playbackRate = rate;
      video.defaultPlaybackRate = rate;
    },
    selectAudio(key) {
      run?.engine.selectAudio(key);
      const chosen = store.get().audio.find((option) => option.key === key);
      if (chosen !== undefined) savePreferences({ audioLanguage: chosen.language });
    },
    selectSubtitle(key) {
      run?.engine.selectSubtitle(key);
      const chosen = store.get().subtitles.find((option) => option.key === key);
      savePreferences({ subtitleLanguage: key === null ? null : (chosen?.language ?? null) });
    },
    selectQuality(height) {
      store.set({ qualityAuto: height === null });
      run?.engine.selectQuality(height);
    },
    thumbnailAt: (positionS) => run?.engine.thumbnailAt(positionS).catch(() => null) ?? Promise.resolve(null),
    nerdFacts() {
      if (run === null) return null;
      return { qoe, cdnId: cdnNow(), codecs: run.engine.rendition().codecs, ...run.engine.counters() };
    },
    restart() {
      if (store.get().session !== null) startS = placeToReturnTo();
      void start();
    },
    async endOther(sessionId) {
      await api.endStream(sessionId);
      void start();
    },
    destroy() {
      generation += 1;
      off.abort();
      leave();
    },
  };
}
