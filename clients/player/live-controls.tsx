import { ChevronDown, ChevronUp, RotateCcw } from "lucide-react";
import { clock } from "../ui/time.ts";
import { useWords } from "../ui/words.tsx";
import type { Playback } from "./playback.ts";
import { Scrubber } from "./scrubber.tsx";
import type { LiveWindow, PlayerState } from "./state.ts";

/** A channel's window as a line, and behind it how far one is from the world: at it, or with the way back to it. */
export function LiveTimeline({ playback, state, live }: { playback: Playback; state: PlayerState; live: LiveWindow }) {
  const { m } = useWords();
  const behindS = Math.max(0, live.edgeS - state.positionS);
  return (
    <div dir="ltr" className="flex items-center gap-4">
      <Scrubber playback={playback} state={state} />
      {live.isAtEdge ? (
        <span className="inline-flex min-h-11 min-w-20 items-center justify-end gap-2 text-14 font-semibold">
          <span className="live-dot" aria-hidden="true" />
          {m.live.isLive}
        </span>
      ) : (
        <>
          <span className="tabular text-14 text-ink-2" title={m.live.behind(clock(behindS))}>
            -{clock(behindS)}
          </span>
          <button type="button" className="button button-quiet button-small" onClick={playback.goLive}>
            {m.live.goLive}
          </button>
        </>
      )}
    </div>
  );
}

interface LiveButtonsProps {
  playback: Playback;
  state: PlayerState;
  onChannel: ((step: 1 | -1) => void) | null;
}

/** What one does with a channel and not with a film: see the programme from its beginning, and change to another channel. */
export function LiveButtons({ playback, state, onChannel }: LiveButtonsProps) {
  const { m } = useWords();
  const startS = state.live === null ? null : playback.programmeStartS();
  return (
    <>
      {startS !== null && (
        <button
          type="button"
          aria-label={m.live.startOver}
          title={m.live.startOver}
          className="player-button"
          onClick={() => playback.seekTo(startS)}
        >
          <RotateCcw size={24} strokeWidth={2.75} aria-hidden="true" />
        </button>
      )}
      {onChannel !== null && (
        <>
          <button type="button" aria-label={m.live.channelDown} className="player-button" onClick={() => onChannel(-1)}>
            <ChevronDown size={28} aria-hidden="true" />
          </button>
          <button type="button" aria-label={m.live.channelUp} className="player-button" onClick={() => onChannel(1)}>
            <ChevronUp size={28} aria-hidden="true" />
          </button>
        </>
      )}
    </>
  );
}
