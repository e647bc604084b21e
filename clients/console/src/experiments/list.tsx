import { Plus } from "lucide-react";
import { Link } from "react-router";
import { api, type Experiment } from "../api.ts";
import { moment } from "../format.ts";
import { useLive } from "../live.ts";
import { Chip, Empty, Loaded, PageHead, RowSkeletons, TablePlace } from "../parts.tsx";
import { metricName } from "./words.ts";

/** All experiments, the newest first. */
export function ExperimentsPage() {
  const found = useLive("experiments", async (signal) => (await api.experiments(signal)).experiments);
  return (
    <div className="page">
      <PageHead
        title="Experiments"
        text="Two ways of doing something, each for a share of people. What does harm stops by itself."
        actions={
          <Link to="/experiments/new" className="button button-primary">
            <Plus size={18} aria-hidden="true" />
            Start an experiment
          </Link>
        }
      />
      <Loaded of={found} skeleton={<RowSkeletons count={4} className="h-16" />}>
        {(experiments) =>
          experiments.length === 0 ? (
            <Empty title="No experiment was ever started">
              <p>
                Start one where two ways of doing something are there to choose from. People are divided by a flag, the
                same person always sees the same, and results may be looked at at any time.
              </p>
            </Empty>
          ) : (
            <Table experiments={experiments} />
          )
        }
      </Loaded>
    </div>
  );
}

function Table({ experiments }: { experiments: readonly Experiment[] }) {
  return (
    <TablePlace label="Experiments">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Experiment</th>
            <th scope="col">State</th>
            <th scope="col">Surface</th>
            <th scope="col">Decides</th>
            <th scope="col" className="text-end">
              Of people
            </th>
            <th scope="col">Started</th>
            <th scope="col">Why it stopped</th>
          </tr>
        </thead>
        <tbody>
          {experiments.map((one) => (
            <tr key={one.name}>
              <th scope="row">
                <Link to={`/experiments/run/${one.name}`} className="font-semibold hover:underline">
                  {one.name}
                </Link>
              </th>
              <td>
                <Chip tone={one.state === "running" ? "live" : "plain"}>{one.state}</Chip>
              </td>
              <td>{one.surface}</td>
              <td>{metricName(one.metric)}</td>
              <td className="tabular text-end">{one.allocation} %</td>
              <td className="tabular whitespace-nowrap text-ink-2">{moment(one.startedAtMs)}</td>
              <td className="text-14 text-ink-2">{one.reason || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TablePlace>
  );
}
