import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { useWords } from "../ui/words.tsx";
import type { NerdFacts, Playback } from "./playback.ts";
import { averageBitrateKbps, rebufferDurationMs } from "./qoe.ts";
import type { PlayerState } from "./state.ts";

const EVERY_MS = 500;

/** The fields of a heartbeat, as they are now. Their names are the specification's: nobody translates those. */
function rows(facts: NerdFacts, state: PlayerState): [string, string][] {
  const nowMs = performance.now();
  const { qoe } = facts;
  return [
    ["Session", state.session?.sessionId ?? ""],
    ["CDN", facts.cdnId],
    ["Picture", `${qoe.width}×${qoe.height} ${facts.codecs}`],
    ["Bitrate", `${qoe.bitrateKbps} kbit/s, average ${averageBitrateKbps(qoe, nowMs)}, most ${qoe.bitrateMaxKbps}`],
    ["Throughput", `${facts.throughputKbps} kbit/s`],
    ["Buffer", `${facts.bufferS.toFixed(1)} s`],
    ...(facts.liveLatencyMs === null
      ? []
      : [["Latency", `${(facts.liveLatencyMs / 1_000).toFixed(2)} s behind the world`] as [string, string]]),
    ["Start-up", qoe.videoStartTimeMs === null ? "–" : `${qoe.videoStartTimeMs} ms`],
    ["Rebuffering", `${qoe.rebufferCount} times, ${Math.round(rebufferDurationMs(qoe, nowMs))} ms`],
    ["Switches", `${qoe.bitrateSwitches}, drops in resolution ${qoe.resolutionDrops}`],
    ["Frames", `${facts.decodedFrames} decoded, ${facts.droppedFrames} dropped`],
    ["Errors", String(qoe.errors.length)],
  ];
}

export function Stats({ playback, state, onClose }: { playback: Playback; state: PlayerState; onClose(): void }) {
  const { m } = useWords();
  const [facts, setFacts] = useState(() => playback.nerdFacts());
  useEffect(() => {
    const id = setInterval(() => setFacts(playback.nerdFacts()), EVERY_MS);
    return () => clearInterval(id);
  }, [playback]);
  return (
    <section
      aria-label={m.player.stats}
      className="absolute start-4 top-24 z-10 max-w-[calc(100%-2rem)] rounded-xl bg-black/80 p-4 text-12 sm:start-8"
    >
      <button
        type="button"
        aria-label={m.player.closeStats}
        className="player-button absolute end-1 top-1 size-11"
        onClick={onClose}
      >
        <X size={18} aria-hidden="true" />
      </button>
      <dl dir="ltr" className="tabular grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 pe-10">
        {facts !== null &&
          rows(facts, state).map(([name, value]) => (
            <div key={name} className="col-span-2 grid grid-cols-subgrid">
              <dt className="text-ink-2">{name}</dt>
              <dd className="break-all select-text">{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}
