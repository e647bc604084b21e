import { type Model, Recommendation } from "#contracts/recommendation";
import type { Cli, ExitCode } from "./cli.ts";
import { table } from "./terminal.ts";

interface Options {
  readonly json: boolean;
}
const TRAINING_MS_MAX = 600_000;

/** `marquee recommendations status` */
export async function showModel(cli: Cli, { json }: Options): Promise<ExitCode> {
  const { model } = await cli.client.of(Recommendation).status({});
  if (model) tell(cli, model, json);
  else cli.terminal.note("nothing was trained yet: ./marquee recommendations train");
  return 0;
}

/** `marquee recommendations train` */
export async function trainModel(cli: Cli, { json }: Options): Promise<ExitCode> {
  const { model } = await cli.client.of(Recommendation, { deadlineMs: TRAINING_MS_MAX }).train({});
  if (model) tell(cli, model, json);
  return 0;
}

function tell({ terminal }: Cli, model: Model, isJson: boolean): void {
  const trainedAt = new Date(Number(model.trainedAtMs)).toISOString();
  const { profiles, titles, interactions, algorithm, ndcg, ndcgOfPopularity, cases } = model;
  if (isJson) {
    const figures = { trainedAt, profiles, titles, interactions, algorithm, ndcg, ndcgOfPopularity, cases };
    terminal.out(JSON.stringify(figures));
    return;
  }
  const head = ["TRAINED (UTC)", "PROFILES", "TITLES", "LIKES", "RANKER", "NDCG@10", "OF POPULARITY", "CASES"];
  const quality = cases === 0 ? ["-", "-", "too few"] : [ndcg.toFixed(3), ndcgOfPopularity.toFixed(3), String(cases)];
  const row = [trainedAt.slice(0, 16).replace("T", " "), ...[profiles, titles, interactions].map(String), algorithm];
  for (const line of table(head, [[...row, ...quality]], terminal.columns)) terminal.out(line);
}
