import { OctagonX } from "lucide-react";
import { useParams } from "react-router";
import { api, type Look, type MetricResult, type Results } from "../api.ts";
import { IntervalBar, IntervalChart } from "../charts/interval.tsx";
import { difference, figure, moment, pValue } from "../format.ts";
import { useLive } from "../live.ts";
import { BackTo, Chip, Confirm, Empty, Loaded, PageHead, RowSkeletons, TablePlace } from "../parts.tsx";
import { useDeeds } from "../undo.tsx";
import { guardrailText, METRICS, metricName, VERDICTS } from "./words.ts";

/** One experiment: what can be said of it now, how that came to be, and whether it does harm. */
export function ExperimentPage() {
  const { name = "" } = useParams();
  const found = useLive(`experiment/${name}`, (signal) => api.results(name, signal));
  const { attempt } = useDeeds();
  const { data } = found;
  const isRunning = data?.experiment?.state === "running";
  const stop = async () => {
    if (await attempt(() => api.stop(name), { text: `${name} is stopped: everybody has the control` }))
      await found.reload();
  };
  return (
    <div className="page">
      <PageHead
        above={<BackTo to="/experiments">Experiments</BackTo>}
        title={name}
        text={data && aboutOf(data)}
        actions={
          isRunning && (
            <Confirm verb="Stop" title={`Stop ${name}?`} icon={<OctagonX size={18} aria-hidden="true" />} onYes={stop}>
              <p>
                Everybody has the control again, at once. It cannot be started anew under this name; its results stay.
              </p>
            </Confirm>
          )
        }
      />
      <Loaded of={found} skeleton={<RowSkeletons count={3} className="h-48" />}>
        {(results) => <Told results={results} />}
      </Loaded>
    </div>
  );
}

function aboutOf({ experiment }: Results): string {
  if (experiment === undefined) return "";
  const { surface, allocation, startedAtMs, windowS, state, stoppedAtMs, reason } = experiment;
  const hours = windowS / 3_600;
  const window = hours >= 1 ? `${Number(hours.toFixed(1))} h` : `${Math.round(windowS / 60)} min`;
  const end = state === "running" ? "" : ` Stopped ${moment(stoppedAtMs)}: ${reason}.`;
  return `On ${surface}, for ${allocation} % of people, since ${moment(startedAtMs)}; each counts for ${window} after the first sight.${end}`;
}

function Told({ results }: { results: Results }) {
  const { metrics, history } = results;
  const primary = metrics.find(({ role }) => role === "primary");
  const guardrails = metrics.filter(({ role }) => role === "guardrail");
  return (
    <>
      <Verdict results={results} />
      <section className="section" aria-labelledby="effect-title">
        <h2 id="effect-title" className="section-title">
          Effect on {metricName(results.experiment?.metric ?? "").toLowerCase()}
        </h2>
        {primary?.known === true ? (
          <Effect of={primary} looks={looksOf(primary, history, results)} />
        ) : (
          <Empty title="Too few people are counted">
            <p>
              Each arm needs a hundred people whose window is over. The effect and its interval are drawn here as they
              come to be known.
            </p>
          </Empty>
        )}
      </section>
      <Arms results={results} />
      <Guardrails metrics={guardrails} />
    </>
  );
}

/** Looks of a metric; where none was kept, the present one alone. */
function looksOf(of: MetricResult, history: readonly Look[], { arms }: Results): readonly Look[] {
  const own = history.filter(({ metric }) => metric === of.metric);
  if (own.length > 0) return own;
  const counted = arms.reduce((sum, arm) => sum + arm.counted, 0);
  const { metric, effect, low, high } = of;
  return [{ metric, effect, low, high, counted, atMs: String(Date.now()) }];
}

function Verdict({ results }: { results: Results }) {
  const { name, text, tone } = VERDICTS[results.verdict] ?? { name: results.verdict, text: "", tone: "plain" as const };
  const { experiment } = results;
  return (
    <div className="verdict" data-tone={tone}>
      <p className="display text-28">{name}</p>
      <p className="mt-1 text-ink-2">
        {text}
        {results.verdict === "too_early" && experiment && ` Not before ${moment(experiment.earliestAtMs)}.`}
      </p>
    </div>
  );
}

function Effect({ of, looks }: { of: MetricResult; looks: readonly Look[] }) {
  const unit = METRICS[of.metric]?.unit ?? "";
  return (
    <>
      <p className="tabular mt-3 text-20">
        <span className="font-semibold">{difference(of.effect)}</span>{" "}
        <span className="text-ink-2">
          ({difference(of.low)} to {difference(of.high)}) {unit}, {pValue(of.pValue)}
        </span>
      </p>
      <p className="tabular mt-1 text-14 text-ink-2">
        Control {figure(of.controlMean)}, treatment {figure(of.treatmentMean)}
      </p>
      <IntervalChart looks={looks} label={`Effect on ${metricName(of.metric).toLowerCase()}`} />
    </>
  );
}

const RATIO_ALPHA = 0.001;

function Arms({ results }: { results: Results }) {
  const { arms, sampleRatioPValue } = results;
  const isOff = sampleRatioPValue < RATIO_ALPHA;
  return (
    <section className="section" aria-labelledby="arms-title">
      <h2 id="arms-title" className="section-title">
        Arms
      </h2>
      {arms.length === 0 ? (
        <p className="mt-3 text-ink-2">Nobody has met it yet.</p>
      ) : (
        <table className="table mt-4 max-w-xl">
          <thead>
            <tr>
              <th scope="col">Arm</th>
              <th scope="col" className="text-end">
                Met it
              </th>
              <th scope="col" className="text-end">
                Counted
              </th>
            </tr>
          </thead>
          <tbody>
            {arms.map((arm) => (
              <tr key={arm.name}>
                <th scope="row" className="font-normal capitalize">
                  {arm.name}
                </th>
                <td className="tabular text-end">{arm.exposed.toLocaleString("en-GB")}</td>
                <td className="tabular text-end">{arm.counted.toLocaleString("en-GB")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="mt-4 flex flex-wrap items-center gap-2 text-14">
        <Chip tone={isOff ? "warn" : "good"}>{isOff ? "Sample ratio is off" : "Sample ratio holds"}</Chip>
        <span className="tabular text-ink-2">
          {pValue(sampleRatioPValue)}; below 0.001 the arms are not what was meant
        </span>
      </p>
    </section>
  );
}

function Guardrails({ metrics }: { metrics: readonly MetricResult[] }) {
  return (
    <section className="section" aria-labelledby="guardrails-title">
      <h2 id="guardrails-title" className="section-title">
        Guardrails
      </h2>
      <p className="mt-2 text-ink-2">Where one of them is surely worse, the experiment stops by itself.</p>
      {metrics.length === 0 ? (
        <p className="mt-3 text-ink-2">They are looked at as soon as somebody is counted.</p>
      ) : (
        <TablePlace label="Guardrails in figures">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Guardrail</th>
                <th scope="col">State</th>
                <th scope="col" className="text-end">
                  Control
                </th>
                <th scope="col" className="text-end">
                  Treatment
                </th>
                <th scope="col">Effect and interval</th>
              </tr>
            </thead>
            <tbody>
              {metrics.map((one) => {
                const { text, tone } = guardrailText(one);
                return (
                  <tr key={one.metric}>
                    <th scope="row" className="font-normal">
                      {metricName(one.metric)}
                    </th>
                    <td>
                      <Chip tone={tone}>{text}</Chip>
                    </td>
                    <td className="tabular text-end">{figure(one.controlMean)}</td>
                    <td className="tabular text-end">{figure(one.treatmentMean)}</td>
                    <td className="tabular whitespace-nowrap">
                      {one.known ? (
                        <span className="flex items-center gap-4">
                          <IntervalBar low={one.low} high={one.high} effect={one.effect} />
                          {difference(one.effect)} ({difference(one.low)} to {difference(one.high)})
                        </span>
                      ) : (
                        "–"
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </TablePlace>
      )}
    </section>
  );
}
