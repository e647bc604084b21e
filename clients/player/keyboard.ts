/** What keys do in the player. */
import type { Playback } from "./playback.ts";

export type Command =
  | "toggle"
  | "back10"
  | "forward10"
  | "louder"
  | "softer"
  | "mute"
  | "fullScreen"
  | "captions"
  | "leave"
  | "channelUp"
  | "channelDown"
  | { tenths: number };

interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  target: EventTarget | null;
}

const KEYS = new Map<string, Command>(
  Object.entries({
    " ": "toggle",
    k: "toggle",
    ArrowLeft: "back10",
    j: "back10",
    ArrowRight: "forward10",
    l: "forward10",
    ArrowUp: "louder",
    ArrowDown: "softer",
    m: "mute",
    f: "fullScreen",
    c: "captions",
    Escape: "leave",
    PageUp: "channelUp",
    PageDown: "channelDown",
    ChannelUp: "channelUp",
    ChannelDown: "channelDown",
  } as const),
);

/** Null: the key is not ours, or it belongs to what has the focus (a button's space, a slider's arrows, a field's letters). */
export function commandOf(event: Key): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = typeof Element !== "undefined" && event.target instanceof Element ? event.target : null;
  if (target?.closest("input, textarea, select, [role=menu], [role=slider]") != null) {
    if (!["f", "m", "c", "k", "Escape"].includes(event.key)) return null;
    if (target.closest("input, textarea, select") != null && event.key !== "Escape") return null;
  }
  if (event.key === " " && target?.closest("button, a") != null) return null;
  if (/^[0-9]$/.test(event.key)) return { tenths: Number(event.key) };
  return KEYS.get(event.key.length === 1 ? event.key.toLowerCase() : event.key) ?? null;
}

export async function toggleFullScreen(root: HTMLElement): Promise<void> {
  try {
    if (document.fullscreenElement === null) await root.requestFullscreen({ navigationUI: "hide" });
    else await document.exitFullscreen();
  } catch {
    // A page in a frame or a device without full screen: the picture stays as large as it is.
  }
}

/** What the page around the player does. */
export interface Around {
  onBack(): void;
  /** To the next channel (1) or the one before (-1); null where there is nothing to change to. */
  readonly onChannel: ((step: 1 | -1) => void) | null;
}

export function run(command: Command, playback: Playback | null, root: HTMLElement, around: Around): void {
  if (playback === null) return;
  const { volume, durationS, subtitles, live } = playback.store.get();
  if (typeof command === "object") {
    const [startS, endS] = live === null ? [0, durationS] : [live.startS, live.edgeS];
    playback.seekTo(startS + ((endS - startS) * command.tenths) / 10);
    return;
  }
  switch (command) {
    case "toggle":
      return playback.togglePlay();
    case "back10":
      return playback.seekBy(-10);
    case "forward10":
      return playback.seekBy(10);
    case "louder":
      return playback.setVolume(volume + 0.1);
    case "softer":
      return playback.setVolume(volume - 0.1);
    case "mute":
      return playback.toggleMuted();
    case "fullScreen":
      return void toggleFullScreen(root);
    case "captions": {
      const isOn = subtitles.some(({ active }) => active);
      return playback.selectSubtitle(isOn ? null : (subtitles[0]?.key ?? null));
    }
    case "leave":
      // In full screen the browser itself takes Escape to leave it.
      if (document.fullscreenElement === null) around.onBack();
      return;
    case "channelUp":
      return around.onChannel?.(1);
    case "channelDown":
      return around.onChannel?.(-1);
  }
}
