import { useEffect, useState } from "react";
import type { NoticePreferences } from "../../../../contracts/web/notifications/index.ts";
import { useWords } from "../../../ui/words.tsx";
import { browserApi } from "../api.ts";
import { Part } from "../part.tsx";
import { type PushState, pushState, turnPushOff, turnPushOn } from "./push.ts";

const QUIET_DEFAULT = { fromMinute: 22 * 60, untilMinute: 7 * 60 };

const clockOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

function minuteOf(clock: string): number | null {
  const match = /^(\d{2}):(\d{2})/.exec(clock);
  return match === null ? null : Number(match[1]) * 60 + Number(match[2]);
}

/** How the profile wants to be told of what. Each change is saved at once, with the zone that this browser is in. */
export function NoticePreferencesPart({ initial }: { initial: NoticePreferences }) {
  const { m } = useWords();
  const [preferences, setPreferences] = useState(initial);
  const [hasFailed, setHasFailed] = useState(false);
  const save = (change: Partial<NoticePreferences>) => {
    const before = preferences;
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const next = { ...preferences, zone, ...change };
    setPreferences(next);
    setHasFailed(false);
    const { choices, quiet } = next;
    browserApi.setNoticePreferences({ choices, zone, quiet }).catch(() => {
      setPreferences(before);
      setHasFailed(true);
    });
  };
  return (
    <Part title={m.notices.title} id="notifications">
      {hasFailed && (
        <p role="alert" className="mb-4 text-16 text-warn">
          {m.couldNotSave}
        </p>
      )}
      <Choices preferences={preferences} save={save} />
      <Quiet preferences={preferences} save={save} />
      <ThisDevice onTurnedOn={() => save({})} />
    </Part>
  );
}

interface PartProps {
  preferences: NoticePreferences;
  save(change: Partial<NoticePreferences>): void;
}

function Choices({ preferences: { choices }, save }: PartProps) {
  const { m } = useWords();
  const names: ReadonlyMap<string, string> = new Map(Object.entries(m.notices.kinds));
  const ways = [
    ["inApp", m.notices.inApp],
    ["email", m.notices.email],
    ["push", m.notices.push],
  ] as const;
  return choices.map((choice) => (
    <fieldset key={choice.kind} className="mb-6">
      <legend className="text-16 font-semibold">{names.get(choice.kind) ?? choice.kind}</legend>
      <div className="mt-1 flex flex-wrap gap-x-8">
        {ways.map(([way, label]) => (
          <Check
            key={way}
            label={label}
            isOn={choice[way]}
            onChange={(isOn) =>
              save({ choices: choices.map((one) => (one.kind === choice.kind ? { ...one, [way]: isOn } : one)) })
            }
          />
        ))}
      </div>
    </fieldset>
  ));
}

function Check({ label, isOn, onChange }: { label: string; isOn: boolean; onChange(isOn: boolean): void }) {
  return (
    <label className="inline-flex min-h-11 items-center gap-3 text-16">
      <input
        type="checkbox"
        checked={isOn}
        onChange={(event) => onChange(event.currentTarget.checked)}
        className="size-5 flex-none accent-accent-line"
      />
      {label}
    </label>
  );
}

function Quiet({ preferences: { quiet, zone }, save }: PartProps) {
  const { m } = useWords();
  const change = (name: "fromMinute" | "untilMinute", clock: string) => {
    const minute = minuteOf(clock);
    if (quiet !== null && minute !== null) save({ quiet: { ...quiet, [name]: minute } });
  };
  return (
    <fieldset className="mb-6">
      <legend className="text-16 font-semibold">{m.notices.quiet}</legend>
      <Check
        label={m.notices.quietText}
        isOn={quiet !== null}
        onChange={(isOn) => save({ quiet: isOn ? QUIET_DEFAULT : null })}
      />
      {quiet !== null && (
        <div className="flex flex-wrap items-end gap-4 pt-2">
          <Time label={m.notices.from} minute={quiet.fromMinute} onChange={(clock) => change("fromMinute", clock)} />
          <Time label={m.notices.until} minute={quiet.untilMinute} onChange={(clock) => change("untilMinute", clock)} />
          <p className="pb-3 text-14 text-ink-3">{m.notices.zone(zone)}</p>
        </div>
      )}
    </fieldset>
  );
}

function Time({ label, minute, onChange }: { label: string; minute: number; onChange(clock: string): void }) {
  return (
    <label className="block text-14 text-ink-2">
      {label}
      <input
        type="time"
        required
        value={clockOf(minute)}
        onChange={(event) => onChange(event.currentTarget.value)}
        className="field tabular mt-1 block w-36 text-ink"
      />
    </label>
  );
}

function ThisDevice({ onTurnedOn }: { onTurnedOn(): void }) {
  const { m } = useWords();
  const [state, setState] = useState<PushState>("unsupported");
  const [isBusy, setIsBusy] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);
  useEffect(() => {
    pushState()
      .then(setState)
      .catch(() => {});
  }, []);
  if (state === "unsupported") return null;
  const turn = async () => {
    setIsBusy(true);
    setHasFailed(false);
    try {
      const next = await (state === "on" ? turnPushOff() : turnPushOn());
      setState(next);
      if (next === "on") onTurnedOn();
    } catch {
      setHasFailed(true);
    } finally {
      setIsBusy(false);
    }
  };
  const texts = { on: m.notices.thisDeviceOn, off: m.notices.thisDeviceOff, denied: m.notices.thisDeviceDenied };
  return (
    <div className="flex items-center gap-4">
      <div className="min-w-0 flex-1">
        <h3 className="text-16 font-semibold">{m.notices.thisDevice}</h3>
        <p className="text-14 text-ink-2">{texts[state]}</p>
        {hasFailed && (
          <p role="alert" className="text-14 text-warn">
            {m.couldNotSave}
          </p>
        )}
      </div>
      {state !== "denied" && (
        <button
          type="button"
          className="button button-quiet button-small"
          disabled={isBusy}
          onClick={() => void turn()}
        >
          {state === "on" ? m.notices.turnOff : m.notices.turnOn}
        </button>
      )}
    </div>
  );
}
