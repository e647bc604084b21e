import { ChevronDown } from "lucide-react";
import { useState } from "react";
import type { Model, Version } from "../api.ts";
import { day, figure, moment, percent } from "../format.ts";
import { Chip } from "../parts.tsx";
import { PromoteButton } from "./actions.tsx";
import { importanceOf, METRICS, metricOf, metricsOf, stageOf, type Tried, triedOf } from "./words.ts";

interface Props {
  model: Model;
  versions: readonly Version[];
  onDone(): Promise<void>;
}

/** Each version with its figures and why it stands where it does; what it was made of opens below it. */
export function VersionRows({ model, versions, onDone }: Props) {
  return (
    <section className="section" aria-labelledby="versions-title">
      <h2 id="versions-title" className="section-title">
        Versions
      </h2>
      <ul className="rows">
        {versions.map((version) => (
          <li key={version.version}>
            <Row version={version} psiMax={model.psiMax} onDone={onDone} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Row({ version, psiMax, onDone }: { version: Version; psiMax: number; onDone(): Promise<void> }) {
  const [isOpen, setIsOpen] = useState(false);
  const { name, tone } = stageOf(version);
  const { live } = version;
  const serves = version.share > 0;
  return (
    <article className="version" aria-label={`Version ${version.version}`}>
      <div className="version-head">
        <h3 className="display tabular text-20">v{version.version}</h3>
        <p className="flex flex-wrap items-center gap-2">
          <Chip tone={tone}>
            {name}
            {serves && ` ${version.share} %`}
          </Chip>
          <span className="text-14 text-ink-3">since {moment(version.stageSinceMs)}</span>
        </p>
        <div className="version-actions">
          <PromoteButton version={version} onDone={onDone} />
          <button
            type="button"
            className="button button-plain button-small"
            aria-expanded={isOpen}
            aria-label={`Details of version ${version.version}`}
            onClick={() => setIsOpen(!isOpen)}
          >
            Details
            <ChevronDown size={16} aria-hidden="true" className={isOpen ? "rotate-180" : ""} />
          </button>
        </div>
      </div>
      <p className="mt-2 max-w-[80ch] text-14 text-ink-2">{version.reason}</p>
      <dl className="figures">
        {metricsOf([version]).map((metric) => {
          const { value, beside } = metricOf(version, metric);
          return (
            <Figure
              key={metric}
              name={METRICS[metric].name}
              value={figure(value)}
              beside={Number.isFinite(beside) ? `beside ${figure(beside)}` : ""}
            />
          );
        })}
        {serves && live && (
          <>
            <Figure
              name="Answers"
              value={live.predictions.toLocaleString("en-GB")}
              beside={`${live.failures.toLocaleString("en-GB")} failed`}
            />
            <Figure
              name="Drift (PSI)"
              value={live.psi < 0 ? "too few people" : figure(live.psi, 3)}
              beside={live.psi < 0 ? "" : `at most ${psiMax}`}
              isBad={live.psi > psiMax}
            />
          </>
        )}
      </dl>
      {isOpen && <Details version={version} />}
    </article>
  );
}

function Figure(props: { name: string; value: string; beside: string; isBad?: boolean }) {
  return (
    <div>
      <dt className="text-12 text-ink-3">{props.name}</dt>
      <dd className={props.isBad === true ? "tabular text-warn" : "tabular"}>
        {props.value}
        {props.beside !== "" && <span className="ms-2 text-14 text-ink-3">{props.beside}</span>}
      </dd>
    </div>
  );
}

function Details({ version }: { version: Version }) {
  const { lineage, segments } = version;
  const isOrder = version.metrics["ndcg"] !== undefined;
  const tried = triedOf(version);
  const importance = importanceOf(version);
  const most = importance[0]?.[1] ?? 1;
  return (
    <div className="details arrive">
      {segments.length > 0 && (
        <div>
          <h4 className="text-14 font-semibold">Segments</h4>
          <table className="table table-small mt-2">
            <thead>
              <tr>
                <th scope="col">Segment</th>
                <th scope="col" className="text-end">
                  Rows
                </th>
                <th scope="col" className="text-end">
                  {isOrder ? METRICS.ndcg.name : METRICS.auc.name}
                </th>
              </tr>
            </thead>
            <tbody>
              {segments.map(({ segment, rows, auc, ndcg }) => (
                <tr key={segment}>
                  <th scope="row" className="font-normal">
                    {segment}
                  </th>
                  <td className="tabular text-end">{rows.toLocaleString("en-GB")}</td>
                  <td className="tabular text-end">{figure(isOrder ? ndcg : auc)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {importance.length > 0 && (
        <div>
          <h4 className="text-14 font-semibold">What it looks at</h4>
          <ul className="mt-2 flex flex-col gap-1.5">
            {importance.map(([name, share]) => (
              <li key={name} className="share">
                <code className="truncate text-14">{name}</code>
                <span className="share-bar" aria-hidden="true">
                  <span style={{ width: `${(100 * share) / most}%` }} />
                </span>
                <span className="tabular text-end text-14 text-ink-2">{percent(share)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {tried.length > 0 && <TriedOptions tried={tried} isOrder={isOrder} />}
      {lineage && (
        <div>
          <h4 className="text-14 font-semibold">What it was made of</h4>
          <p className="mt-2 text-14 text-ink-2">
            {lineage.trainingRows.toLocaleString("en-GB")} rows to learn from and{" "}
            {lineage.testRows.toLocaleString("en-GB")} to judge by, of {day(lineage.fromMs)} to {day(lineage.toMs)}.
            Trained {moment(version.trainedAtMs)}, asked for by {lineage.cause}.
          </p>
          <p className="mt-2 text-14 break-all text-ink-3">
            SHA-256 <code>{lineage.sha256}</code>
          </p>
        </div>
      )}
    </div>
  );
}

/** Options that were tried before the training: only what did well was tried on more rows. */
function TriedOptions({ tried, isOrder }: { tried: readonly Tried[]; isOrder: boolean }) {
  return (
    <div>
      <h4 className="text-14 font-semibold">What was tried</h4>
      <table className="table table-small mt-2">
        <thead>
          <tr>
            <th scope="col">Options</th>
            <th scope="col" className="text-end">
              Of the rows
            </th>
            <th scope="col" className="text-end">
              {isOrder ? "1 − NDCG@10" : METRICS.logLoss.name}
            </th>
          </tr>
        </thead>
        <tbody>
          {tried.map(({ options, share, loss, isChosen }) => (
            <tr key={`${options} ${share}`}>
              <th scope="row" className="font-normal">
                {options === "" ? "its own" : options}
                {isChosen && (
                  <span className="ms-2">
                    <Chip tone="good">chosen</Chip>
                  </span>
                )}
              </th>
              <td className="tabular text-end">{percent(share)}</td>
              <td className="tabular text-end">{figure(loss)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
