import { useState } from "react";
import { StatePage, TraceId } from "../ui/feedback.tsx";
import { ago } from "../ui/time.ts";
import { useWords } from "../ui/words.tsx";
import type { ApiError } from "./http.ts";
import type { Playback } from "./playback.ts";

interface RefusalProps {
  playback: Playback;
  refusal: ApiError;
  onBack(): void;
}

/** Why the platform would not start, and what would change that. */
export function Refusal({ playback, refusal, onBack }: RefusalProps) {
  const { m } = useWords();
  const back = (
    <button type="button" className="button button-quiet" onClick={onBack}>
      {m.player.back}
    </button>
  );
  if (refusal.reason === "stream_limit") return <TooMany playback={playback} refusal={refusal} onBack={onBack} />;
  const retry = (
    <button type="button" className="button button-primary" onClick={playback.restart}>
      {m.tryAgain}
    </button>
  );
  switch (refusal.reason) {
    case "not_entitled":
    case "age":
    case "market":
    case "window": {
      const unlock = {
        not_entitled: { href: "/account", label: m.locked.tier },
        age: { href: "/profiles", label: m.locked.age },
        market: { href: "/", label: m.locked.market },
        window: { href: "/", label: m.locked.window },
      }[refusal.reason];
      const actions = (
        <>
          <a href={unlock.href} className="button button-primary">
            {unlock.label}
          </a>
          {back}
        </>
      );
      return <StatePage isAlert title={m.notEntitledTitle} text={refusal.problem.detail} actions={actions} />;
    }
    case "unreachable":
      return (
        <StatePage
          isAlert
          title={navigator.onLine ? m.errorTitle : m.offlineTitle}
          text={m.player.errors.network}
          actions={
            <>
              {retry}
              {back}
            </>
          }
        />
      );
    case "off_air":
    case "blackout": {
      const isOff = refusal.reason === "off_air";
      return (
        <StatePage
          title={isOff ? m.live.offAir : m.live.blackout}
          text={isOff ? m.live.offAirText : m.live.blackoutText}
          actions={
            <>
              {retry}
              {back}
            </>
          }
        />
      );
    }
    case "processing":
      return (
        <StatePage
          title={m.processing}
          text={m.processingText}
          actions={
            <>
              {retry}
              {back}
            </>
          }
        />
      );
    default: {
      const signIn = (
        <a href="/sign-in" className="button button-primary">
          {m.signIn}
        </a>
      );
      return (
        <StatePage
          isAlert
          title={m.errorTitle}
          text={refusal.problem.detail || m.errorText}
          actions={
            <>
              {refusal.status === 401 ? signIn : retry}
              {back}
            </>
          }
        >
          <TraceId traceId={refusal.problem.traceId} />
        </StatePage>
      );
    }
  }
}

/** Which devices hold the streams of this account; one press ends one and begins here. */
function TooMany({ playback, refusal, onBack }: RefusalProps) {
  const { m, locale } = useWords();
  const [busy, setBusy] = useState<string | null>(null);
  const [nowMs] = useState(() => Date.now());
  const [hasFailed, setHasFailed] = useState(false);
  const end = (sessionId: string) => {
    setBusy(sessionId);
    setHasFailed(false);
    playback.endOther(sessionId).catch(() => {
      setBusy(null);
      setHasFailed(true);
    });
  };
  return (
    <StatePage
      isAlert
      title={m.tooManyTitle}
      text={m.tooManyText}
      actions={
        <button type="button" className="button button-quiet" onClick={onBack}>
          {m.player.back}
        </button>
      }
    >
      <ul className="w-full max-w-xl">
        {(refusal.problem.streams ?? []).map((stream) => (
          <li key={stream.sessionId} className="flex items-center gap-4 py-3">
            <div className="min-w-0 flex-1">
              <p className="truncate text-16 font-semibold">{stream.deviceName}</p>
              <p className="truncate text-14 text-ink-2">
                {stream.contentTitle} · {stream.profileName} · {ago(stream.startedAt, nowMs, locale, m)}
              </p>
            </div>
            <button
              type="button"
              aria-label={m.endStreamNamed(stream.deviceName)}
              disabled={busy !== null}
              className="button button-primary button-small"
              onClick={() => end(stream.sessionId)}
            >
              {m.endStream}
            </button>
          </li>
        ))}
      </ul>
      {hasFailed && <p className="text-14 text-warn">{m.couldNotSave}</p>}
    </StatePage>
  );
}
