import { useState } from "react";
import { useLoaderData, useRevalidator } from "react-router";
import type { Account } from "../../../../contracts/web/index.ts";
import { ago, dateInWords } from "../../../ui/time.ts";
import { useWords } from "../../../ui/words.tsx";
import { browserApi } from "../api.ts";
import type { LoaderData } from "../loaders.ts";
import { NoticePreferencesPart } from "../notices/preferences.tsx";
import { Part } from "../part.tsx";

/** Runs a change, then loads the page's data anew; a failure is told where it happened. */
function useChange() {
  const { revalidate } = useRevalidator();
  const [busy, setBusy] = useState<string | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const change = (key: string, run: () => Promise<unknown>) => {
    setBusy(key);
    setFailed(null);
    run()
      .then(() => revalidate())
      .catch(() => setFailed(key))
      .finally(() => setBusy(null));
  };
  return { busy, failed, change };
}

export function Component() {
  const { account, notices, nowMs } = useLoaderData<LoaderData<"account">>();
  const { m } = useWords();
  const { busy, failed, change } = useChange();
  return (
    <div className="gutter max-w-5xl pt-24 sm:pt-32">
      <h1 className="display text-40 sm:text-64">{m.accountTitle}</h1>
      <p className="mt-3 text-16 text-ink-2">
        {account.name} · {account.email}
      </p>
      {failed !== null && (
        <p role="alert" className="mt-4 text-16 text-warn">
          {m.couldNotSave}
        </p>
      )}
      <Plans account={account} busy={busy} change={change} />
      <Streams account={account} nowMs={nowMs} busy={busy} change={change} />
      <Devices account={account} nowMs={nowMs} busy={busy} change={change} />
      {notices !== null && <NoticePreferencesPart initial={notices} />}
    </div>
  );
}

interface PartProps {
  account: Account;
  busy: string | null;
  change(key: string, run: () => Promise<unknown>): void;
}

function Plans({ account, busy, change }: PartProps) {
  const { m, locale } = useWords();
  return (
    <Part title={m.plan}>
      <ul className="grid gap-4 sm:grid-cols-2">
        {account.plans.map((plan) => {
          const isCurrent = plan.tier === account.plan.tier;
          return (
            <li
              key={plan.tier}
              className={`flex flex-col items-start gap-1 rounded-xl p-6 ${isCurrent ? "bg-lift-2" : "bg-lift-1"}`}
            >
              <p className="flex w-full items-baseline justify-between gap-4">
                <span className="display text-28">{plan.label}</span>
                <span className="tabular text-16 text-ink-2">{plan.priceLabel}</span>
              </p>
              <p className="text-16 text-ink-2">
                {plan.qualityLabel} · {m.streamsAtOnce(plan.streamsMax)}
              </p>
              <div className="mt-4 flex min-h-12 items-center">
                {isCurrent ? (
                  <p className="text-16 font-semibold text-accent-line">
                    {m.currentPlan}
                    {account.plan.renewsAt !== null && (
                      <span className="block text-14 font-normal text-ink-2">
                        {m.renews(dateInWords(account.plan.renewsAt, locale))}
                      </span>
                    )}
                  </p>
                ) : (
                  <button
                    type="button"
                    disabled={busy !== null}
                    className="button button-quiet button-small needs-script"
                    onClick={() => change("plan", () => browserApi.choosePlan(plan.tier))}
                  >
                    {m.choosePlan(plan.label)}
                  </button>
                )}
              </div>
            </li>
          );
        })}
      </ul>
    </Part>
  );
}

function Streams({ account, nowMs, busy, change }: PartProps & { nowMs: number }) {
  const { m, locale } = useWords();
  return (
    <Part title={m.streams}>
      {account.streams.length === 0 && <p className="text-16 text-ink-2">{m.streamsNone}</p>}
      <ul>
        {account.streams.map((stream) => (
          <Row
            key={stream.sessionId}
            title={stream.contentTitle}
            text={`${stream.deviceName} · ${stream.profileName} · ${ago(stream.startedAt, nowMs, locale, m)}`}
            action={m.endStream}
            actionName={m.endStreamNamed(stream.deviceName)}
            isBusy={busy !== null}
            onAction={() => change(stream.sessionId, () => browserApi.endStream(stream.sessionId))}
          />
        ))}
      </ul>
    </Part>
  );
}

function Devices({ account, nowMs, busy, change }: PartProps & { nowMs: number }) {
  const { m, locale } = useWords();
  return (
    <Part title={m.devices}>
      {account.devices.length === 0 && <p className="text-16 text-ink-2">{m.devicesNone}</p>}
      <ul>
        {account.devices.map((device) => (
          <Row
            key={device.id}
            title={device.name}
            text={device.isThis ? m.thisDevice : m.lastSeen(ago(device.lastSeenAt, nowMs, locale, m))}
            action={device.isThis ? null : m.signOutDevice}
            actionName={m.signOutDeviceNamed(device.name)}
            isBusy={busy !== null}
            onAction={() => change(device.id, () => browserApi.signOutDevice(device.id))}
          />
        ))}
      </ul>
    </Part>
  );
}

interface RowProps {
  title: string;
  text: string;
  action: string | null;
  actionName: string;
  isBusy: boolean;
  onAction(): void;
}

function Row({ title, text, action, actionName, isBusy, onAction }: RowProps) {
  return (
    <li className="flex items-center gap-4 py-3">
      <div className="min-w-0 flex-1">
        <p className="truncate text-16 font-semibold">{title}</p>
        <p className="text-14 text-ink-2">{text}</p>
      </div>
      {action !== null && (
        <button
          type="button"
          aria-label={actionName}
          disabled={isBusy}
          onClick={onAction}
          className="button button-quiet button-small needs-script"
        >
          {action}
        </button>
      )}
    </li>
  );
}
