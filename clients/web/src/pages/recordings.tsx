import { Play } from "lucide-react";
import { useState } from "react";
import { Link, useLoaderData, useRevalidator } from "react-router";
import type { Recording, SeriesRule } from "../../../../contracts/web/recordings/index.ts";
import { durationInWords } from "../../../ui/time.ts";
import { useWords } from "../../../ui/words.tsx";
import { browserApi } from "../api.ts";
import type { LoaderData } from "../loaders.ts";
import { Part } from "../part.tsx";
import { titleIn } from "../recordings/title.ts";

const HOUR_S = 3_600;

/** What is there, what comes, and which series are followed. */
export function Component() {
  const { recordings, series, quota } = useLoaderData<LoaderData<"recordings">>();
  const { m } = useWords();
  const { revalidate } = useRevalidator();
  const [busy, setBusy] = useState<string | null>(null);
  const [hasFailed, setHasFailed] = useState(false);
  const change = (id: string, run: () => Promise<unknown>) => {
    setBusy(id);
    setHasFailed(false);
    run()
      .then(() => revalidate())
      .catch(() => setHasFailed(true))
      .finally(() => setBusy(null));
  };
  const remove = (id: string) => change(id, () => browserApi.deleteRecording(id));
  const there = recordings.filter(({ recordedS }) => recordedS > 0);
  const coming = recordings.filter(
    ({ state, recordedS }) => state === "scheduled" || (state === "recording" && recordedS === 0),
  );
  const failed = recordings.filter(({ state, recordedS }) => state === "failed" && recordedS === 0);
  return (
    <div className="gutter max-w-5xl pt-24 sm:pt-32">
      <h1 className="display text-40 sm:text-64">{m.recordings.title}</h1>
      <p className="tabular mt-3 text-16 text-ink-2">
        {m.recordings.room(Math.round(quota.usedS / HOUR_S), Math.round(quota.maxS / HOUR_S))}
      </p>
      {hasFailed && (
        <p role="alert" className="mt-4 text-16 text-warn">
          {m.couldNotSave}
        </p>
      )}
      {recordings.length === 0 && series.length === 0 && <Empty />}
      {there.length > 0 && (
        <ul className="mt-8">
          {there.map((one) => (
            <Row key={one.id} of={one} isBusy={busy === one.id} onRemove={() => remove(one.id)} />
          ))}
        </ul>
      )}
      {coming.length > 0 && (
        <Part title={m.recordings.coming}>
          <ul>
            {coming.toReversed().map((one) => (
              <Row key={one.id} of={one} isBusy={busy === one.id} onRemove={() => remove(one.id)} />
            ))}
          </ul>
        </Part>
      )}
      {series.length > 0 && (
        <Part title={m.recordings.series}>
          <ul>
            {series.map((rule) => (
              <SeriesRow
                key={rule.id}
                rule={rule}
                isBusy={busy === rule.id}
                onEnd={() => change(rule.id, () => browserApi.endSeries(rule.id))}
              />
            ))}
          </ul>
        </Part>
      )}
      {failed.length > 0 && (
        <Part title={m.recordings.failed}>
          <ul>
            {failed.map((one) => (
              <Row key={one.id} of={one} isBusy={busy === one.id} onRemove={() => remove(one.id)} />
            ))}
          </ul>
        </Part>
      )}
    </div>
  );
}

function Empty() {
  const { m } = useWords();
  return (
    <div className="mt-16">
      <h2 className="display text-28">{m.recordings.empty}</h2>
      <p className="mt-2 text-16 text-ink-2">{m.recordings.emptyText}</p>
      <Link to="/guide" className="button button-primary mt-6">
        {m.recordings.toGuide}
      </Link>
    </div>
  );
}

function Row({ of, isBusy, onRemove }: { of: Recording; isBusy: boolean; onRemove(): void }) {
  const { m, locale } = useWords();
  const title = titleIn(of.titles, locale);
  const when = new Intl.DateTimeFormat(locale, {
    ...{ weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" },
  }).format(of.startMs);
  const canPlay = of.recordedS > 0;
  const failures: ReadonlyMap<string, string> = new Map(Object.entries(m.recordings.failures));
  return (
    <li className="flex items-center gap-4 border-b border-line/50 py-4 last:border-0">
      {canPlay && (
        <Link to={`/recordings/${of.id}`} className="button button-quiet button-round" aria-label={m.playTitle(title)}>
          <Play size={20} aria-hidden="true" fill="currentColor" />
        </Link>
      )}
      <div className="min-w-0 flex-1">
        <p className="truncate text-16 font-semibold" dir="auto">
          {title}
        </p>
        <p className="tabular text-14 text-ink-2">
          {of.channelName} · {when}
          {canPlay && ` · ${durationInWords(of.recordedS, m)}`}
        </p>
        {of.state === "recording" && <p className="text-14 font-semibold text-accent-line">{m.recordings.now}</p>}
        {of.state === "failed" && (
          <p className="text-14 text-warn">{failures.get(of.failure) ?? m.recordings.failures.no_signal}</p>
        )}
        {of.missingS > 0 && canPlay && (
          <p className="text-14 text-ink-3">{m.recordings.missing(durationInWords(of.missingS, m))}</p>
        )}
      </div>
      <button
        type="button"
        className="button button-quiet button-small needs-script"
        disabled={isBusy}
        aria-label={canPlay ? m.recordings.deleteNamed(title) : m.recordings.callOffNamed(title)}
        onClick={onRemove}
      >
        {canPlay || of.state === "failed" ? m.recordings.delete : m.recordings.callOff}
      </button>
    </li>
  );
}

function SeriesRow({ rule, isBusy, onEnd }: { rule: SeriesRule; isBusy: boolean; onEnd(): void }) {
  const { m } = useWords();
  const facts = [
    rule.isNewOnly ? m.recordings.newOnly : m.recordings.allEpisodes,
    ...(rule.keep > 0 ? [m.recordings.keeps(rule.keep)] : []),
  ];
  return (
    <li className="flex items-center gap-4 py-3">
      <div className="min-w-0 flex-1">
        <p className="truncate text-16 font-semibold" dir="auto">
          {rule.title}
        </p>
        <p className="text-14 text-ink-2">{facts.join(" · ")}</p>
      </div>
      <button
        type="button"
        className="button button-quiet button-small needs-script"
        disabled={isBusy}
        aria-label={m.recordings.endSeriesNamed(rule.title)}
        onClick={onEnd}
      >
        {m.recordings.endSeries}
      </button>
    </li>
  );
}
