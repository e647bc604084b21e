import { type Experiment, Experiments } from "#contracts/experiments";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { duration, plain, table } from "./terminal.ts";

interface Json {
  readonly json: boolean;
}

/** `marquee experiment list` */
export async function listExperiments(cli: Cli, { json }: Json): Promise<ExitCode> {
  const { experiments } = await cli.client.of(Experiments).list({});
  if (json) {
    for (const one of experiments) cli.terminal.out(JSON.stringify(toJson(one)));
    return 0;
  }
  const rows = experiments.map((one) => [
    ...[one.name, one.surface, one.state, `${one.allocation} %`, one.metric],
    ...[minute(one.startedAtMs), plain(one.reason)],
  ]);
  const head = ["EXPERIMENT", "SURFACE", "STATE", "OF PEOPLE", "METRIC", "STARTED (UTC)", "WHY STOPPED"];
  for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  return 0;
}

interface StartOptions extends Json {
  readonly surface: string;
  readonly percent: string;
  readonly metric: string;
  readonly scale: string;
  readonly window: string;
}

/** `marquee experiment start` */
export async function startExperiment(
  cli: Cli,
  name: string,
  { surface, percent, metric, scale, window, json }: StartOptions,
): Promise<ExitCode> {
  const { experiment } = await cli.client.of(Experiments).start({
    ...{ name, surface, metric, scale: number(scale, "--scale") },
    treatmentPercent: Math.round(number(percent, "--percent")),
    windowS: Math.round(number(window, "--window") * 3_600),
  });
  return tell(cli, experiment, json);
}

/** `marquee experiment stop` */
export async function stopExperiment(cli: Cli, name: string, { json }: Json): Promise<ExitCode> {
  const { experiment } = await cli.client.of(Experiments).stop({ name });
  return tell(cli, experiment, json);
}

const VERDICTS: Readonly<Record<string, string>> = {
  too_early: "too early: a week has to pass, so that every kind of day is in it",
  no_difference_yet: "no difference yet; it may be looked at again at any time",
  better: "the treatment is better",
  worse: "the treatment is worse",
  sample_ratio_mismatch:
    "the arms have not the people that were meant: results say nothing, look for what keeps people out",
};

/** `marquee experiment results` */
export async function showResults(cli: Cli, name: string, { json }: Json): Promise<ExitCode> {
  const { experiment, arms, metrics, sampleRatioPValue, verdict } = await cli.client.of(Experiments).results({ name });
  if (json) {
    const plainArms = arms.map((arm) => ({ name: arm.name, exposed: arm.exposed, counted: arm.counted }));
    const plainMetrics = metrics.map(({ $typeName: _, $unknown: __, ...metric }) => metric);
    const shown = experiment && toJson(experiment);
    cli.terminal.out(JSON.stringify({ ...shown, arms: plainArms, metrics: plainMetrics, sampleRatioPValue, verdict }));
    return 0;
  }
  const counts = arms.map((arm) => `${arm.exposed} met ${arm.name}, ${arm.counted} of them are counted`);
  cli.terminal.out(`${plain(name)}: ${VERDICTS[verdict] ?? verdict}`);
  for (const line of counts) cli.terminal.out(line);
  const rows = metrics.map((one) => [
    ...[one.metric, one.role, one.controlMean.toFixed(4), one.treatmentMean.toFixed(4), one.effect.toFixed(4)],
    one.known ? `${one.low.toFixed(4)} to ${one.high.toFixed(4)}` : "-",
    one.pValue.toPrecision(3),
  ]);
  const head = ["METRIC", "ROLE", "CONTROL", "TREATMENT", "EFFECT", "ALWAYS-VALID 95 %", "P"];
  for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  cli.terminal.note(`Sample ratio: p ${sampleRatioPValue.toPrecision(3)}`);
  return 0;
}

function tell(cli: Cli, one: Experiment | undefined, json: boolean): ExitCode {
  if (!one) throw problem.internal("experiments answered without the experiment");
  if (json) cli.terminal.out(JSON.stringify(toJson(one)));
  else
    cli.terminal.out(
      one.state === "running"
        ? `${one.name} runs for ${one.allocation} % of people on ${one.surface}; each counts ${duration(one.windowS)} after the first sight`
        : `${one.name} is stopped (${plain(one.reason)}): everybody has the control`,
    );
  return 0;
}

function number(text: string, what: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw problem.invalid(`${what} '${plain(text)}' is no number of 0 or more`);
  return value;
}

const minute = (ms: bigint): string => new Date(Number(ms)).toISOString().slice(0, 16).replace("T", " ");

const toJson = (one: Experiment) => ({
  ...{ name: one.name, surface: one.surface, state: one.state, allocation: one.allocation, metric: one.metric },
  ...{ scale: one.scale, windowS: one.windowS, startedAtMs: Number(one.startedAtMs), reason: one.reason },
  ...{ earliestAtMs: Number(one.earliestAtMs), stoppedAtMs: Number(one.stoppedAtMs) },
});
