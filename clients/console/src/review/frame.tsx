import { NavLink, Outlet, useOutletContext } from "react-router";
import { api, type EnrichedTitle, type Finding, type Unsure } from "../api.ts";
import { type Live, useLive } from "../live.ts";
import { PageHead } from "../parts.tsx";

export interface Queue {
  readonly findings: readonly Finding[];
  readonly results: readonly Unsure[];
  readonly titles: readonly EnrichedTitle[];
}

export const useQueue = (): Live<Queue> => useOutletContext<Live<Queue>>();

async function load(signal: AbortSignal): Promise<Queue> {
  const [{ findings }, { results }, { titles }] = await Promise.all([
    api.findings("waiting", signal),
    api.unsure(signal),
    api.titles(signal),
  ]);
  return { findings, results, titles };
}

/** What waits for a person, in three lists; how much is in each stands beside its name. */
export function ReviewFrame() {
  const queue = useLive("queue", load);
  const { data } = queue;
  const tabs = [
    { to: "/review", name: "Flagged", count: data?.findings.length },
    { to: "/review/unsure", name: "Unsure", count: data?.results.length },
    { to: "/review/titles", name: "Titles", count: data?.titles.length },
  ];
  return (
    <div className="page">
      <PageHead title="Review" text="Models point, people decide. What you say wins over every later run." />
      <nav aria-label="Lists" className="tabs">
        {tabs.map(({ to, name, count }) => (
          <NavLink key={to} to={to} end className="tab">
            {name}
            {count !== undefined && <span className="tab-count tabular">{count}</span>}
          </NavLink>
        ))}
      </nav>
      <Outlet context={queue} />
    </div>
  );
}
