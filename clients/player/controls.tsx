import { Menu } from "@base-ui/react/menu";
import {
  ArrowLeft,
  Captions,
  Check,
  Maximize,
  Minimize,
  Pause,
  PictureInPicture2,
  Play,
  RotateCcw,
  RotateCw,
  Settings,
  SkipForward,
  Volume1,
  Volume2,
  VolumeX,
} from "lucide-react";
import { type ReactNode, type RefObject, useEffect, useState, useSyncExternalStore } from "react";
import { clock, languageInWords, timeLeft } from "../ui/time.ts";
import { useWords } from "../ui/words.tsx";
import { toggleFullScreen } from "./keyboard.ts";
import type { Playback } from "./playback.ts";
import { Scrubber } from "./scrubber.tsx";
import type { LanguageOption, PlayerState } from "./state.ts";

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
}

const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;
/** The next episode is offered when so much is left. */
const NEXT_OFFER_S = 15;

export function Controls(props: ControlsProps) {
  const { playback, state } = props;
  const { m } = useWords();
  const content = state.session?.content;
  return (
    <>
      <div className="player-chrome" onClick={(event) => event.target === event.currentTarget && playback.togglePlay()}>
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
          <Timeline playback={playback} state={state} />
          <Buttons {...props} />
        </div>
      </div>
      <Offers {...props} />
    </>
  );
}

/** A film's time runs from left to right in every language, as its clock does. */
function Timeline({ playback, state }: { playback: Playback; state: PlayerState }) {
  const { m } = useWords();
  return (
    <div dir="ltr" className="flex items-center gap-4">
      <span className="tabular min-w-11 text-14">{clock(state.positionS, state.durationS)}</span>
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

function Buttons({ playback, state, container, hasStats, onStats, onMenu, onNext }: ControlsProps) {
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
      <div className="ms-auto flex items-center gap-0.5 sm:gap-2">
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
    <div className="group/volume flex items-center">
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

interface PopupProps {
  label: string;
  icon: ReactNode;
  container: RefObject<HTMLDivElement | null>;
  onMenu(isOpen: boolean): void;
  children: ReactNode;
}

/** Menus live inside the player, so that full screen shows them. */
function Popup({ label, icon, container, onMenu, children }: PopupProps) {
  return (
    <Menu.Root modal={false} onOpenChange={(isOpen) => onMenu(isOpen)}>
      <Menu.Trigger aria-label={label} className="player-button">
        {icon}
      </Menu.Trigger>
      <Menu.Portal container={container}>
        <Menu.Positioner side="top" align="end" sideOffset={12} collisionPadding={16} className="z-20">
          <Menu.Popup className="player-menu">{children}</Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

const CHECK = <Check size={18} aria-hidden="true" />;

function Option({ value, children }: { value: string; children: ReactNode }) {
  return (
    <Menu.RadioItem value={value} closeOnClick={false} className="player-option">
      <span className="w-5 flex-none text-accent-line">
        <Menu.RadioItemIndicator>{CHECK}</Menu.RadioItemIndicator>
      </span>
      {children}
    </Menu.RadioItem>
  );
}

function Group(props: { title: string; value: string; onChange(value: string): void; children: ReactNode }) {
  return (
    <Menu.Group className="min-w-48 flex-1">
      <Menu.GroupLabel className="px-3 pt-1 pb-2 text-14 text-ink-3">{props.title}</Menu.GroupLabel>
      <Menu.RadioGroup value={props.value} onValueChange={(value: unknown) => props.onChange(String(value))}>
        {props.children}
      </Menu.RadioGroup>
    </Menu.Group>
  );
}

const NONE = "";

function LanguageMenu({
  playback,
  state,
  container,
  onMenu,
}: Pick<ControlsProps, "playback" | "state" | "container" | "onMenu">) {
  const { m, locale } = useWords();
  const active = (options: readonly LanguageOption[]) => options.find((option) => option.active)?.key ?? NONE;
  const name = ({ label, language }: LanguageOption) =>
    label ?? (language === "" || language === "und" ? m.player.originalLanguage : languageInWords(language, locale));
  return (
    <Popup
      label={m.player.subtitlesAndAudio}
      icon={<Captions size={26} aria-hidden="true" />}
      container={container}
      onMenu={onMenu}
    >
      <div className="flex flex-wrap gap-x-6 gap-y-4">
        <Group
          title={m.subtitles}
          value={active(state.subtitles)}
          onChange={(key) => playback.selectSubtitle(key === NONE ? null : key)}
        >
          <Option value={NONE}>{m.player.off}</Option>
          {state.subtitles.map((option) => (
            <Option key={option.key} value={option.key}>
              {name(option)}
            </Option>
          ))}
        </Group>
        {state.audio.length > 0 && (
          <Group title={m.audio} value={active(state.audio)} onChange={playback.selectAudio}>
            {state.audio.map((option) => (
              <Option key={option.key} value={option.key}>
                {name(option)}
              </Option>
            ))}
          </Group>
        )}
      </div>
    </Popup>
  );
}

type SettingsProps = Pick<ControlsProps, "playback" | "state" | "container" | "onMenu" | "hasStats" | "onStats">;

function SettingsMenu({ playback, state, container, onMenu, hasStats, onStats }: SettingsProps) {
  const { m } = useWords();
  const chosen = state.qualityAuto ? NONE : String(state.qualities.find(({ active }) => active)?.height ?? NONE);
  const auto = state.qualityAuto && state.height > 0 ? m.player.autoNow(state.height) : m.player.auto;
  return (
    <Popup
      label={m.player.settings}
      icon={<Settings size={24} aria-hidden="true" />}
      container={container}
      onMenu={onMenu}
    >
      <div className="flex flex-wrap gap-x-6 gap-y-4">
        <Group
          title={m.player.quality}
          value={chosen}
          onChange={(value) => playback.selectQuality(value === NONE ? null : Number(value))}
        >
          <Option value={NONE}>{auto}</Option>
          {state.qualities.map(({ height }) => (
            <Option key={height} value={String(height)}>
              <span className="tabular">{height}p</span>
            </Option>
          ))}
        </Group>
        <Group title={m.player.speed} value={String(state.rate)} onChange={(value) => playback.setRate(Number(value))}>
          {RATES.map((rate) => (
            <Option key={rate} value={String(rate)}>
              <span className="tabular">{rate === 1 ? m.player.normalSpeed : `${rate}×`}</span>
            </Option>
          ))}
        </Group>
      </div>
      <Menu.Separator className="my-2 h-px bg-ink/12" />
      <Menu.CheckboxItem checked={hasStats} onCheckedChange={onStats} className="player-option">
        <span className="w-5 flex-none text-accent-line">
          <Menu.CheckboxItemIndicator>{CHECK}</Menu.CheckboxItemIndicator>
        </span>
        {m.player.stats}
      </Menu.CheckboxItem>
    </Popup>
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
      <div className="arrive pointer-events-none absolute inset-0 flex flex-col items-center justify-center gap-6 bg-ground/60">
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
