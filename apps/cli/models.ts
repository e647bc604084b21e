import { Models, type Version } from "#contracts/models";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { plain, table } from "./terminal.ts";

interface Json {
  readonly json: boolean;
}

/** `marquee model list`: versions, where each stands, and why. */
export async function listModels(cli: Cli, name: string | undefined, { json }: Json): Promise<ExitCode> {
  const { versions } = await cli.client.of(Models).list({ name: name ?? "" });
  if (json) {
    for (const version of versions) cli.terminal.out(JSON.stringify(toJson(version)));
    return 0;
  }
  const rows = versions.map((version) => [
    ...[version.name, String(version.version), `${version.stage}${version.share > 0 ? ` ${version.share} %` : ""}`],
    new Date(Number(version.trainedAtMs)).toISOString().slice(0, 16).replace("T", " "),
    ...[qualityOf(version), String(version.live?.predictions ?? 0), figure(version.live?.psi)],
    plain(version.reason),
  ]);
  const head = ["MODEL", "VERSION", "STAGE", "TRAINED (UTC)", "QUALITY", "PREDICTIONS", "PSI", "WHY"];
  for (const line of table(head, rows, Math.max(cli.terminal.columns, 140))) cli.terminal.out(line);
  if (versions.length === 0) cli.terminal.note("No model was trained yet: rules answer in their place.");
  return 0;
}

/** `marquee model train` */
export async function trainModel(cli: Cli, name: string): Promise<ExitCode> {
  await cli.client.of(Models).train({ name });
  cli.terminal.out(`${plain(name)} is trained anew: ./marquee model list ${plain(name)} shows what came of it`);
  return 0;
}

/** `marquee model promote` */
export async function promoteModel(cli: Cli, name: string, text: string, { json }: Json): Promise<ExitCode> {
  if (!/^\d{1,9}$/.test(text)) throw problem.invalid(`'${plain(text)}' is no version: write a number`);
  const { version } = await cli.client.of(Models).promote({ name, version: Number(text) });
  return tell(cli, name, version, json);
}

/** `marquee model rollback` */
export async function rollBackModel(cli: Cli, name: string, { json }: Json): Promise<ExitCode> {
  const { version } = await cli.client.of(Models).rollback({ name });
  return tell(cli, name, version, json);
}

function tell(cli: Cli, name: string, version: Version | undefined, json: boolean): ExitCode {
  if (json) cli.terminal.out(JSON.stringify(version ? toJson(version) : null));
  else if (!version) cli.terminal.out(`nothing of ${plain(name)} is left: its rule answers`);
  else cli.terminal.out(`${plain(name)} ${version.version} is ${version.stage} for ${version.share} %`);
  return 0;
}

/** By what the gate judged it. */
const qualityOf = ({ metrics }: Version): string =>
  metrics["ndcg"] === undefined ? `AUC ${figure(metrics["auc"])}` : `NDCG ${figure(metrics["ndcg"])}`;

const figure = (value: number | undefined): string => (value === undefined || value < 0 ? "-" : value.toFixed(3));

const toJson = ({ lineage, live, ...version }: Version) => ({
  ...{ name: version.name, version: version.version, stage: version.stage, share: version.share },
  ...{ reason: version.reason, trainedAtMs: Number(version.trainedAtMs), metrics: version.metrics },
  stageSinceMs: Number(version.stageSinceMs),
  segments: version.segments.map(({ segment, rows, auc, ndcg }) => ({
    ...{ segment, rows, auc },
    ...(version.metrics["ndcg"] === undefined ? {} : { ndcg }),
  })),
  lineage: lineage && {
    ...{ fromMs: Number(lineage.fromMs), toMs: Number(lineage.toMs), cause: lineage.cause, sha256: lineage.sha256 },
    ...{ trainingRows: lineage.trainingRows, testRows: lineage.testRows, features: lineage.features },
  },
  live: live && { predictions: live.predictions, failures: live.failures, psi: live.psi, kl: live.kl },
});
