import { useState } from "react";
import { Link, useParams } from "react-router";
import { api, type Model, type Version } from "../api.ts";
import { VersionChart } from "../charts/lines.tsx";
import { figure, plainText } from "../format.ts";
import { useLive } from "../live.ts";
import { BackTo, Chip, Empty, Loaded, PageHead, RowSkeletons } from "../parts.tsx";
import { RollBackButton, TrainButton } from "./actions.tsx";
import { VersionRows } from "./versions.tsx";
import { answersOf, METRICS, type MetricName, metricOf, metricsOf, servingOf, stageOf, trainingText } from "./words.ts";

/** One model: who answers, how its versions did, and why each stands where it does. */
export function ModelPage() {
  const { name = "" } = useParams();
  const found = useLive(`model/${name}`, async (signal) => {
    const [{ models }, { versions }] = await Promise.all([api.models(signal), api.versions(name, signal)]);
    return { model: models.find((one) => one.name === name), versions };
  });
  const { data } = found;
  const onDone = () => found.reload();
  return (
    <div className="page">
      <PageHead
        above={<BackTo to="/models">Models</BackTo>}
        title={data?.model?.title ?? name}
        text={data && answersOf(servingOf(data.versions))}
        actions={
          data?.model && (
            <>
              <TrainButton model={data.model} onAsked={onDone} />
              <RollBackButton name={name} versions={data.versions} onDone={onDone} />
            </>
          )
        }
      />
      <Loaded of={found} skeleton={<RowSkeletons count={2} className="h-64" />}>
        {({ model, versions }) =>
          model === undefined ? (
            <Empty title={`There is no model “${name}”`}>
              <Link to="/models">All models</Link>
            </Empty>
          ) : (
            <>
              <Standing model={model} />
              {versions.length === 0 ? (
                <Empty title="No version yet">
                  <p>
                    {model.lack === ""
                      ? "There is enough to learn from: train it, or wait until it is done by itself."
                      : model.lack}
                  </p>
                  <p className="mt-2">Until then: {plainText(model.fallback)}.</p>
                </Empty>
              ) : (
                <>
                  <Chart versions={versions} />
                  <VersionRows model={model} versions={versions} onDone={onDone} />
                </>
              )}
            </>
          )
        }
      </Loaded>
    </div>
  );
}

/** What goes on with its training, and what is in its way. */
function Standing({ model }: { model: Model }) {
  const training = trainingText(model);
  if (training === undefined) return null;
  return (
    <p className="fault mt-6" data-tone="plain" role="status">
      <Chip tone={model.training?.state === "failed" ? "warn" : "live"}>{model.training?.state}</Chip> {training}
    </p>
  );
}

function Chart({ versions }: { versions: readonly Version[] }) {
  const metrics = metricsOf(versions);
  const [chosen, setMetric] = useState<MetricName>();
  const metric = chosen ?? metrics[0] ?? "auc";
  const { name, isMoreBetter } = METRICS[metric];
  const known = versions
    .toReversed()
    .map((version) => ({ version, ...metricOf(version, metric) }))
    .filter(({ value }) => Number.isFinite(value));
  return (
    <section className="section" aria-labelledby="chart-title">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 id="chart-title" className="section-title">
          {name} over versions
        </h2>
        <fieldset className="choices mt-0">
          <legend className="sr-only">Metric</legend>
          {metrics.map((value) => (
            <label key={value} className="choice">
              <input type="radio" name="metric" checked={metric === value} onChange={() => setMetric(value)} />
              {METRICS[value].name}
            </label>
          ))}
        </fieldset>
      </div>
      <p className="mt-1 text-14 text-ink-2">
        On rows that a version was not trained on. {isMoreBetter ? "More" : "Less"} is better.
      </p>
      {known.length === 0 ? (
        <p className="mt-3 text-ink-2">No version has this figure.</p>
      ) : (
        <VersionChart
          label={name}
          besideName="what answered then, on the same rows"
          points={known.map(({ version, value }) => ({
            ...{ x: version.version, y: value },
            mark: /refused|rolled_back/.test(version.stage)
              ? "cross"
              : version.stage === "candidate"
                ? "hollow"
                : "full",
            title: `Version ${version.version}, ${stageOf(version).name.toLowerCase()}: ${figure(value)}`,
          }))}
          beside={known
            .map(({ version, beside }) => ({ x: version.version, y: beside }))
            .filter(({ y }) => Number.isFinite(y))}
        />
      )}
    </section>
  );
}
