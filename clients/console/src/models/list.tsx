import { Link } from "react-router";
import { api, type Model, type Version } from "../api.ts";
import { scaleOf, spanOf } from "../charts/scale.ts";
import { figure, plainText } from "../format.ts";
import { useLive } from "../live.ts";
import { Chip, Loaded, PageHead, RowSkeletons, TablePlace } from "../parts.tsx";
import { TrainButton } from "./actions.tsx";
import { answersOf, METRICS, type MetricName, metricOf, metricsOf, servingOf, trainingText } from "./words.ts";

interface Found {
  readonly models: readonly Model[];
  readonly versions: readonly Version[];
}

/** Every model: first those with versions of their own, then all others with what answers without them. */
export function ModelsPage() {
  const found = useLive("models", async (signal): Promise<Found> => {
    const [{ models }, { versions }] = await Promise.all([api.models(signal), api.versions("", signal)]);
    return { models, versions };
  });
  return (
    <div className="page">
      <PageHead
        title="Models"
        text="A version has to be better than what it replaces before it decides anything, and goes back by itself where it does harm."
      />
      <Loaded of={found} skeleton={<RowSkeletons count={3} className="h-48" />}>
        {({ models, versions }) => (
          <>
            <div className="model-cards">
              {models
                .filter(({ name }) => name !== "")
                .map((model) => (
                  <Card
                    key={model.name}
                    model={model}
                    versions={versions.filter(({ name }) => name === model.name)}
                    onAsked={() => found.reload()}
                  />
                ))}
            </div>
            <Others models={models.filter(({ name }) => name === "")} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Card({ model, versions, onAsked }: { model: Model; versions: readonly Version[]; onAsked(): Promise<void> }) {
  const serving = servingOf(versions);
  const [newest] = versions;
  const [metric = "auc"] = metricsOf(versions);
  const training = trainingText(model);
  return (
    <article className="model-card" aria-label={model.title}>
      <div className="flex items-start justify-between gap-4">
        <h2 className="display text-20">
          <Link to={`/models/${model.name}`} className="hover:underline">
            {model.title}
          </Link>
        </h2>
        <Spark versions={versions} metric={metric} />
      </div>
      <p className="mt-2 text-ink">{answersOf(serving)}</p>
      {newest !== undefined && (
        <p className="tabular mt-1 text-14 text-ink-2">
          Newest: version {newest.version}, {METRICS[metric].name} {figure(metricOf(newest, metric).value)} beside{" "}
          {figure(metricOf(newest, metric).beside)}
        </p>
      )}
      {versions.length === 0 && model.lack === "" && (
        <p className="mt-1 text-14 text-ink-2">There is enough to learn from. It is trained within the hour, or now.</p>
      )}
      {model.lack !== "" && <p className="mt-1 text-14 text-ink-2">{model.lack}</p>}
      {training !== undefined && (
        <p className="mt-3 text-14" role="status">
          <Chip tone={model.training?.state === "failed" ? "warn" : "live"}>{model.training?.state}</Chip>{" "}
          <span className="text-ink-2">{training}</span>
        </p>
      )}
      <div className="mt-auto flex flex-wrap gap-3 pt-4">
        <Link to={`/models/${model.name}`} className="button button-quiet button-small">
          Versions of {model.name}
        </Link>
        <TrainButton model={model} onAsked={onAsked} />
      </div>
    </article>
  );
}

/** What versions are judged by first, so small that it says only which way it goes. */
function Spark({ versions, metric }: { versions: readonly Version[]; metric: MetricName }) {
  const values = versions.toReversed().map((version) => metricOf(version, metric).value);
  if (values.length < 2) return null;
  const [from, to] = spanOf(values);
  const y = scaleOf(from, to, 30, 2);
  const x = scaleOf(0, values.length - 1, 3, 93);
  return (
    <svg viewBox="0 0 96 32" className="h-8 w-24 flex-none" aria-hidden="true">
      <path d={`M${values.map((value, at) => `${x(at)} ${y(value)}`).join("L")}`} className="chart-line" />
      <circle cx={x(values.length - 1)} cy={y(values.at(-1) ?? 0)} r="3" className="interval-dot" />
    </svg>
  );
}

const STATES: Readonly<Record<string, string>> = {
  here: "Trained and served here",
  loaded: "Run here, weights of others",
  missing: "Not there yet",
};

function Others({ models }: { models: readonly Model[] }) {
  return (
    <section className="section" aria-labelledby="others-title">
      <h2 id="others-title" className="section-title">
        Models without versions here
      </h2>
      <p className="mt-2 max-w-[70ch] text-ink-2">
        They are trained within their services, or come with weights of others. Each says what answers without it.
      </p>
      <TablePlace label="What they are judged by, and what answers without them">
        <table className="table table-wide">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Judged by</th>
              <th scope="col">Without it</th>
              <th scope="col">How to retrain</th>
            </tr>
          </thead>
          <tbody>
            {models.map((model) => (
              <tr key={model.title}>
                <th scope="row" className="min-w-44">
                  {model.title}
                  <span className="mt-1 block">
                    <Chip tone={model.state === "missing" ? "warn" : "plain"}>
                      {STATES[model.state] ?? model.state}
                    </Chip>
                  </span>
                </th>
                {[model.metric, model.fallback, model.retrain].map((text, at) => (
                  <td key={["metric", "fallback", "retrain"][at]} className="min-w-44 text-14 text-ink-2">
                    {plainText(text)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </TablePlace>
    </section>
  );
}
