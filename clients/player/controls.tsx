import {
  ArrowLeft,
  Maximize,
  Minimize,
  Pause,
  PictureInPicture2,
  Play,
  RotateCcw,
  RotateCw,
  SkipForward,
  Volume1,
  Volume2,
  VolumeX,
} from "lucide-react";
import { type RefObject, useEffect, useState, useSyncExternalStore } from "react";
import { clock, timeLeft } from "../ui/time.ts";
import { useWords } from "../ui/words.tsx";
import { toggleFullScreen } from "./keyboard.ts";
import { LiveButtons, LiveTimeline } from "./live-controls.tsx";
import { ChaptersMenu, LanguageMenu, SettingsMenu } from "./menus.tsx";
import type { Playback } from "./playback.ts";
import { Scrubber } from "./scrubber.tsx";
import type { PlayerState } from "./state.ts";

interface ControlsProps {
  playback: Playback;
  state: PlayerState;
  container: RefObject<HTMLDivElement | null>;
  title: string;
  hasStats: boolean;
  onStats(isShown: boolean): void;
  onMenu(isOpen: boolean): void;
  onBack(): void;
  onNext(contentId: string): void;
  onChannel: ((step: 1 | -1) => void) | null;
}

/** The next episode is offered when so much is left. */
const NEXT_OFFER_S = 15;

export function Controls(props: ControlsProps) {
  const { playback, state } = props;
  const { m } = useWords();
  const content = state.session?.content;
  return (
    <>
      <div className="player-chrome">
        <div className="flex items-center gap-3 p-4 sm:p-8">
          <button type="button" aria-label={m.player.back} className="player-button" onClick={props.onBack}>
            <ArrowLeft size={28} aria-hidden="true" className="rtl:rotate-180" />
          </button>
          <p className="min-w-0">
            <bdi className="display block truncate text-20">{content?.title ?? props.title}</bdi>
            {content !== undefined && content.subtitle !== "" && (
              <bdi className="tabular block truncate text-14 text-ink-2">{content.subtitle}</bdi>
            )}
          </p>
        </div>
        <div className="px-4 pb-3 sm:px-8 sm:pb-6">
          {state.live === null ? (
            <Timeline playback={playback} state={state} />
          ) : (
            <LiveTimeline playback={playback} state={state} live={state.live} />
          )}
          <Buttons {...props} />
        </div>
      </div>
      {state.live === null && <Offers {...props} />}
    </>
  );
}

/** A film's time runs from left to right in every language, as its clock does. */
function Timeline({ playback, state }: { playback: Playback; state: PlayerState }) {
  const { m } = useWords();
  return (
    <div dir="ltr" className="flex items-center gap-4">
      <span className="tabular min-w-11 text-end text-14">{clock(state.positionS, state.durationS)}</span>
      <Scrubber playback={playback} state={state} />
      <span
        className="tabular hidden min-w-11 text-14 text-ink-2 sm:inline"
        title={timeLeft(state.positionS, state.durationS, m)}
      >
        {clock(state.durationS)}
      </span>
    </div>
  );
}

function Buttons({ playback, state, container, hasStats, onStats, onMenu, onNext, onChannel }: ControlsProps) {
  const { m } = useWords();
  const nextId = state.session?.content.nextEpisodeId ?? null;
  return (
    <div className="flex items-center gap-0.5 sm:gap-2">
      <button
        type="button"
        aria-label={state.paused ? m.play : m.player.pause}
        className="player-button"
        onClick={playback.togglePlay}
      >
        {state.paused ? (
          <Play size={28} fill="currentColor" aria-hidden="true" />
        ) : (
          <Pause size={28} fill="currentColor" aria-hidden="true" />
        )}
      </button>
      <button
        type="button"
        aria-label={m.player.backTen}
        className="player-button"
        onClick={() => playback.seekBy(-10)}
      >
        <RotateCcw size={24} aria-hidden="true" />
      </button>
      <button
        type="button"
        aria-label={m.player.forwardTen}
        className="player-button"
        onClick={() => playback.seekBy(10)}
      >
        <RotateCw size={24} aria-hidden="true" />
      </button>
      <Volume playback={playback} state={state} />
      {state.session?.live != null && <LiveButtons playback={playback} state={state} onChannel={onChannel} />}
      <div className="ms-auto flex min-w-0 items-center gap-0.5 sm:gap-2">
        {nextId !== null && (
          <button
            type="button"
            aria-label={m.player.next}
            className="player-button hidden! sm:inline-flex!"
            onClick={() => onNext(nextId)}
          >
            <SkipForward size={24} aria-hidden="true" className="rtl:rotate-180" />
          </button>
        )}
        <ChaptersMenu playback={playback} state={state} container={container} onMenu={onMenu} />
        <LanguageMenu playback={playback} state={state} container={container} onMenu={onMenu} />
        <SettingsMenu
          playback={playback}
          state={state}
          container={container}
          onMenu={onMenu}
          hasStats={hasStats}
          onStats={onStats}
        />
        <PictureInPictureButton container={container} />
        <FullScreenButton container={container} />
      </div>
    </div>
  );
}

function Volume({ playback, state }: { playback: Playback; state: PlayerState }) {
  const { m } = useWords();
  const isSilent = state.muted || state.volume === 0;
  const Icon = isSilent ? VolumeX : state.volume < 0.5 ? Volume1 : Volume2;
  return (
    <div className="group/volume flex min-w-0 items-center">
      <button
        type="button"
        aria-label={isSilent ? m.player.unmute : m.player.mute}
        className="player-button"
        onClick={playback.toggleMuted}
      >
        <Icon size={24} aria-hidden="true" />
      </button>
      <input
        type="range"
        min={0}
        max={1}
        step={0.05}
        value={isSilent ? 0 : state.volume}
        aria-label={m.player.volume}
        onChange={(event) => playback.setVolume(Number(event.target.value))}
        className="hidden w-0 opacity-0 transition-[width,opacity] duration-200 group-focus-within/volume:w-24 group-focus-within/volume:opacity-100 group-hover/volume:w-24 group-hover/volume:opacity-100 md:block"
      />
    </div>
  );
}

function PictureInPictureButton({ container }: { container: RefObject<HTMLDivElement | null> }) {
  const { m } = useWords();
  const [isPossible, setIsPossible] = useState(false);
  useEffect(() => setIsPossible(document.pictureInPictureEnabled === true), []);
  if (!isPossible) return null;
  const toggle = async () => {
    try {
      if (document.pictureInPictureElement !== null) await document.exitPictureInPicture();
      else await container.current?.querySelector("video")?.requestPictureInPicture();
    } catch {
      // The browser declines where no picture is there yet; the press may be repeated.
    }
  };
  return (
    <button
      type="button"
      aria-label={m.player.pip}
      className="player-button hidden! sm:inline-flex!"
      onClick={() => void toggle()}
    >
      <PictureInPicture2 size={24} aria-hidden="true" />
    </button>
  );
}

function subscribeToFullScreen(changed: () => void): () => void {
  document.addEventListener("fullscreenchange", changed);
  return () => document.removeEventListener("fullscreenchange", changed);
}

function FullScreenButton({ container }: { container: RefObject<HTMLDivElement | null> }) {
  const { m } = useWords();
  const isFull = useSyncExternalStore(
    subscribeToFullScreen,
    () => document.fullscreenElement !== null,
    () => false,
  );
  return (
    <button
      type="button"
      aria-label={isFull ? m.player.exitFullScreen : m.player.fullScreen}
      className="player-button"
      onClick={() => container.current !== null && void toggleFullScreen(container.current)}
    >
      {isFull ? <Minimize size={24} aria-hidden="true" /> : <Maximize size={24} aria-hidden="true" />}
    </button>
  );
}

/** What the film itself offers at a moment: skip the intro, go on to the next episode, see it again. */
function Offers({ playback, state, onNext }: ControlsProps) {
  const { m } = useWords();
  const [isDeclined, setIsDeclined] = useState(false);
  const content = state.session?.content;
  const { positionS, durationS, ended } = state;
  const nextId = content?.nextEpisodeId ?? null;
  const leftS = Math.ceil(durationS - positionS);
  const offersNext = nextId !== null && !isDeclined && durationS > 60 && (ended || leftS <= NEXT_OFFER_S);
  useEffect(() => {
    if (ended && nextId !== null && !isDeclined) onNext(nextId);
  }, [ended, nextId, isDeclined, onNext]);
  const introEndS = content?.introEndS ?? null;
  const inIntro =
    content?.introStartS != null && introEndS !== null && positionS >= content.introStartS && positionS < introEndS - 1;
  if (offersNext) {
    return (
      <div className="arrive absolute end-4 bottom-36 z-10 flex flex-wrap justify-end gap-3 sm:end-8">
        <button type="button" className="button button-quiet" onClick={() => setIsDeclined(true)}>
          {m.player.watchCredits}
        </button>
        <button type="button" className="button button-primary tabular" onClick={() => onNext(nextId)}>
          <SkipForward size={20} fill="currentColor" aria-hidden="true" className="rtl:rotate-180" />
          {m.player.nextIn(Math.max(0, leftS))}
        </button>
      </div>
    );
  }
  if (inIntro && introEndS !== null) {
    return (
      <div className="arrive absolute end-4 bottom-36 z-10 sm:end-8">
        <button type="button" className="button button-primary" onClick={() => playback.seekTo(introEndS)}>
          {m.player.skipIntro}
        </button>
      </div>
    );
  }
  if (ended) {
    return (
      <div className="arrive pointer-events-none absolute inset-0 z-[2] flex flex-col items-center justify-center gap-6 bg-ground/60">
        <p className="display text-40">{m.player.ended}</p>
        <button type="button" className="button button-primary pointer-events-auto" onClick={playback.togglePlay}>
          <RotateCcw size={20} aria-hidden="true" />
          {m.player.playAgain}
        </button>
      </div>
    );
  }
  return null;
}
