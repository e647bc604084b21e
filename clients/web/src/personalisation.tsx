import { useEffect, useState } from "react";
import { useWords } from "../../ui/words.tsx";
import { browserApi } from "./api.ts";

/** Whether a profile gets recommendations of its own; a change counts at once, whatever becomes of the form around it. */
export function PersonalisationSwitch({ profileId }: { profileId: string }) {
  const { m } = useWords();
  const [isOn, setIsOn] = useState<boolean | null>(null);
  const [hasFailed, setHasFailed] = useState(false);
  useEffect(() => {
    let isCurrent = true;
    browserApi.personalisation(profileId).then(
      ({ enabled }) => isCurrent && setIsOn(enabled),
      () => isCurrent && setHasFailed(true),
    );
    return () => {
      isCurrent = false;
    };
  }, [profileId]);
  const change = (next: boolean) => {
    setIsOn(next);
    setHasFailed(false);
    browserApi.setPersonalisation(profileId, next).catch(() => {
      setIsOn(!next);
      setHasFailed(true);
    });
  };
  return (
    <div className="flex min-h-11 items-center gap-4">
      <input
        id="is-personalised"
        type="checkbox"
        checked={isOn ?? false}
        disabled={isOn === null}
        onChange={(event) => change(event.target.checked)}
        aria-describedby="is-personalised-hint"
        className="size-6 flex-none accent-(--color-accent)"
      />
      <div>
        <label htmlFor="is-personalised" className="block text-16 font-semibold">
          {m.personalisation}
        </label>
        <p id="is-personalised-hint" className="text-14 text-ink-2">
          {m.personalisationHint}
        </p>
        {hasFailed && (
          <p role="alert" className="text-14 text-warn">
            {m.couldNotSave}
          </p>
        )}
      </div>
    </div>
  );
}
