import { Menu } from "@base-ui/react/menu";
import { Captions, Check, ListVideo, Settings } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { clock, languageInWords } from "../ui/time.ts";
import { useWords } from "../ui/words.tsx";
import { chapterAt } from "./chapters.ts";
import type { Playback } from "./playback.ts";
import type { LanguageOption, PlayerState } from "./state.ts";

const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

interface MenuProps {
  playback: Playback;
  state: PlayerState;
  /** The player's own element: menus live inside it, so that full screen shows them. */
  container: RefObject<HTMLDivElement | null>;
  onMenu(isOpen: boolean): void;
}

interface PopupProps {
  label: string;
  icon: ReactNode;
  container: RefObject<HTMLDivElement | null>;
  onMenu(isOpen: boolean): void;
  children: ReactNode;
}

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

export function LanguageMenu({ playback, state, container, onMenu }: MenuProps) {
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

/** The parts that a film is divided into, to go to one of them; films without any have no such button. */
export function ChaptersMenu({ playback, state, container, onMenu }: MenuProps) {
  const { m } = useWords();
  const chapters = state.session?.content.chapters ?? [];
  if (chapters.length < 2) return null;
  const current = chapterAt(chapters, state.positionS);
  return (
    <Popup
      label={m.player.chapters}
      icon={<ListVideo size={24} aria-hidden="true" className="rtl:-scale-x-100" />}
      container={container}
      onMenu={onMenu}
    >
      <Group
        title={m.player.chapters}
        value={String(current?.startS ?? NONE)}
        onChange={(value) => playback.seekTo(Number(value))}
      >
        {chapters.map(({ startS, title }) => (
          <Option key={startS} value={String(startS)}>
            <bdi className="min-w-0 flex-1 truncate">{title}</bdi>
            <span className="tabular ps-4 text-14 text-ink-3">{clock(startS, state.durationS)}</span>
          </Option>
        ))}
      </Group>
    </Popup>
  );
}

interface SettingsProps extends MenuProps {
  hasStats: boolean;
  onStats(isShown: boolean): void;
}

export function SettingsMenu({ playback, state, container, onMenu, hasStats, onStats }: SettingsProps) {
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
        {state.session?.live == null && (
          <Group
            title={m.player.speed}
            value={String(state.rate)}
            onChange={(value) => playback.setRate(Number(value))}
          >
            {RATES.map((rate) => (
              <Option key={rate} value={String(rate)}>
                <span className="tabular">{rate === 1 ? m.player.normalSpeed : `${rate}×`}</span>
              </Option>
            ))}
          </Group>
        )}
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
