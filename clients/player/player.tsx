/** The player as one component: give it a title and an API, it does the rest. */
import { type ReactNode, useEffect, useEffectEvent, useRef, useState, useSyncExternalStore } from "react";
import { ProgressLine, StatePage, TraceId } from "../ui/feedback.tsx";
import { clock } from "../ui/time.ts";
import { useWords } from "../ui/words.tsx";
import type { PlaybackApi } from "./api.ts";
import { leftOfBreak } from "./breaks.ts";
import { Controls } from "./controls.tsx";
import { useIdle } from "./idle.ts";
import { commandOf, run } from "./keyboard.ts";
import { createPlayback, type Playback } from "./playback.ts";
import { Refusal } from "./refusal.tsx";
import type { Format } from "./shaka.ts";
import { type PlayerState, stateAtStart } from "./state.ts";
import { Stats } from "./stats.tsx";

export interface PlayerProps {
  api: PlaybackApi;
  contentId: string;
  format: Format;
  startS: number | null;
  /** A channel begins with the beginning of what is on. */
  startsOver?: boolean;
  title: string;
  /** Shown until the first picture. */
  poster: ReactNode;
  /** 0 to 1 while the title is still being encoded: the player waits, and begins when it is remade. */
  preparing: number | null;
  onBack(): void;
  onNext(contentId: string): void;
  /** To the next channel (1) or the one before (-1); null where there is nothing to change to. */
  onChannel?: ((step: 1 | -1) => void) | null;
}

const noSubscription = () => () => undefined;

function usePlayerState(playback: Playback | null): PlayerState {
  return useSyncExternalStore(
    playback?.store.subscribe ?? noSubscription,
    playback?.store.get ?? (() => stateAtStart),
    () => stateAtStart,
  );
}

export function Player(props: PlayerProps) {
  const { m } = useWords();
  const root = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const captions = useRef<HTMLDivElement>(null);
  const [playback, setPlayback] = useState<Playback | null>(null);
  const state = usePlayerState(playback);
  const [hasStats, setHasStats] = useState(false);
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  const isHeld = state.phase !== "ready" || state.paused || state.waiting || state.ended || isMenuOpen;
  const { isIdle, wake, rest } = useIdle(root, isHeld);
  const { api, contentId, format, startS, startsOver = false, preparing, onBack, onChannel = null } = props;
  const isPreparing = preparing !== null;

  const onClick = useEffectEvent((event: MouseEvent) => {
    // A mouse pauses by a press on the picture; a finger calls the controls first, or sends them away.
    const isTouch = event instanceof PointerEvent && event.pointerType === "touch";
    if (!isTouch) playback?.togglePlay();
    else if (isIdle) wake();
    else rest();
  });
  const onDoubleClick = useEffectEvent(() => {
    if (root.current !== null) run("fullScreen", playback, root.current, { onBack, onChannel });
  });
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const command = playback === null || isMenuOpen ? null : commandOf(event);
    if (command === null || root.current === null) return;
    // Pages scroll by the keys that change channels.
    if (onChannel === null && (command === "channelUp" || command === "channelDown")) return;
    event.preventDefault();
    wake();
    run(command, playback, root.current, { onBack, onChannel });
  });

  useEffect(() => {
    const [place, layer] = [stage.current, captions.current];
    if (isPreparing || place === null || layer === null) return;
    // One element for one playback. Subtitles come from the manifest and are drawn in their own layer over it.
    const video = document.createElement("video");
    video.playsInline = true;
    video.addEventListener("click", (event) => onClick(event));
    video.addEventListener("dblclick", () => onDoubleClick());
    place.append(video);
    const created = createPlayback({ video, captions: layer, api, contentId, format, startS, startsOver });
    setPlayback(created);
    return () => {
      created.destroy();
      video.remove();
      setPlayback(null);
    };
  }, [api, contentId, format, startS, startsOver, isPreparing]);

  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);

  useMediaSession(props.title, playback);

  const adLeftS = leftOfBreak(state.session?.adBreaks ?? [], state.positionS);
  const hasPicture = state.phase === "ready" && (state.positionS > 0 || !state.paused);
  return (
    <div ref={root} className="player" data-idle={isIdle ? "" : undefined}>
      <div ref={stage} />
      <div ref={captions} className="player-captions" />
      {!hasPicture && <div className="pointer-events-none absolute inset-0 opacity-45">{props.poster}</div>}
      {(state.phase === "starting" || (state.phase === "ready" && (state.waiting || state.seeking))) &&
        preparing === null && (
          <Waiting
            label={state.phase === "starting" ? m.player.starting : m.loading}
            title={hasPicture ? null : props.title}
          />
        )}
      {adLeftS !== null && hasPicture && (
        <p className="player-ad tabular text-14">{m.player.ad(clock(Math.ceil(adLeftS)))}</p>
      )}
      {preparing !== null && <Preparing title={props.title} progress={preparing} onBack={props.onBack} />}
      {playback !== null && state.phase === "ready" && (
        <Controls
          playback={playback}
          state={state}
          container={root}
          title={props.title}
          hasStats={hasStats}
          onStats={setHasStats}
          onMenu={setIsMenuOpen}
          onBack={props.onBack}
          onNext={props.onNext}
          onChannel={onChannel}
        />
      )}
      {playback !== null && hasStats && <Stats playback={playback} state={state} onClose={() => setHasStats(false)} />}
      {playback !== null && state.phase === "refused" && state.refusal !== null && (
        <Cover>
          <Refusal playback={playback} refusal={state.refusal} onBack={props.onBack} />
        </Cover>
      )}
      {playback !== null && state.phase === "failed" && (
        <Cover>
          <StatePage
            isAlert
            title={m.errorTitle}
            text={m.player.errors[state.error?.kind ?? "unknown"]}
            actions={<TryOrBack label={m.tryAgain} onTry={playback.restart} onBack={props.onBack} />}
          >
            <TraceId traceId={[state.session?.sessionId, state.error?.code].filter(Boolean).join("/")} />
          </StatePage>
        </Cover>
      )}
      {playback !== null && state.phase === "endedElsewhere" && (
        <Cover>
          <StatePage
            isAlert
            title={m.player.endedElsewhere}
            text={m.player.endedElsewhereText}
            actions={<TryOrBack label={m.player.continueHere} onTry={playback.restart} onBack={props.onBack} />}
          />
        </Cover>
      )}
    </div>
  );
}

function Cover({ children }: { children: ReactNode }) {
  return <div className="absolute inset-0 z-20 overflow-y-auto bg-ground/88">{children}</div>;
}

function TryOrBack({ label, onTry, onBack }: { label: string; onTry(): void; onBack(): void }) {
  const { m } = useWords();
  return (
    <>
      <button type="button" className="button button-primary" onClick={onTry}>
        {label}
      </button>
      <button type="button" className="button button-quiet" onClick={onBack}>
        {m.player.back}
      </button>
    </>
  );
}

function Waiting({ label, title }: { label: string; title: string | null }) {
  return (
    <div
      role="status"
      className="pointer-events-none absolute inset-0 z-[3] flex flex-col items-center justify-center gap-6"
    >
      {title !== null && (
        <p className="display on-picture px-6 text-center text-40">
          <bdi>{title}</bdi>
        </p>
      )}
      <svg viewBox="0 0 48 48" aria-hidden="true" className="player-waiting size-12">
        <circle cx="24" cy="24" r="20" fill="none" stroke="currentColor" strokeOpacity="0.25" strokeWidth="3" />
        <path
          d="M24 4a20 20 0 0 1 20 20"
          fill="none"
          stroke="var(--color-accent-line)"
          strokeWidth="3"
          strokeLinecap="round"
        />
      </svg>
      <span className="sr-only">{label}</span>
    </div>
  );
}

function Preparing({ title, progress, onBack }: { title: string; progress: number; onBack(): void }) {
  const { m } = useWords();
  const percent = Math.round(progress * 100);
  return (
    <Cover>
      <StatePage
        title={title}
        text={m.processingText}
        actions={
          <button type="button" className="button button-quiet" onClick={onBack}>
            {m.player.back}
          </button>
        }
      >
        <div className="w-full max-w-md">
          <p className="tabular mb-2 text-16 font-semibold">
            {m.processing} · {percent}%
          </p>
          <ProgressLine value={progress} label={m.processingPercent(percent)} />
        </div>
      </StatePage>
    </Cover>
  );
}

/** The keys of a keyboard, a headset or a lock screen. */
function useMediaSession(title: string, playback: Playback | null): void {
  useEffect(() => {
    if (playback === null || !("mediaSession" in navigator)) return;
    const session = navigator.mediaSession;
    session.metadata = new MediaMetadata({ title });
    const actions: [MediaSessionAction, MediaSessionActionHandler][] = [
      ["play", () => playback.store.get().paused && playback.togglePlay()],
      ["pause", () => !playback.store.get().paused && playback.togglePlay()],
      ["seekbackward", () => playback.seekBy(-10)],
      ["seekforward", () => playback.seekBy(10)],
      ["seekto", ({ seekTime }) => seekTime !== undefined && playback.seekTo(seekTime)],
    ];
    for (const [action, handler] of actions) session.setActionHandler(action, handler);
    return () => {
      session.metadata = null;
      for (const [action] of actions) session.setActionHandler(action, null);
    };
  }, [title, playback]);
}
