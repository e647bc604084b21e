/** What is said of experiments, and what can be started. Pure. */
import type { Experiment, MetricResult, NewExperiment } from "../api.ts";
import type { Tone } from "../parts.tsx";

export const METRICS: Readonly<
  Record<string, { readonly name: string; readonly unit: string; readonly hint: string }>
> = {
  viewed: { name: "Watched anything", unit: "share of people", hint: "0.02: two more of a hundred people" },
  watch_s: { name: "Time watched", unit: "seconds a person", hint: "120: two minutes more for each person" },
  sessions: { name: "Sessions", unit: "sessions a person", hint: "0.2: one more for every fifth person" },
  errors: { name: "Errors", unit: "errors a person", hint: "0.05: one for every twentieth person" },
};
export const metricName = (metric: string): string => METRICS[metric]?.name ?? metric;

export const VERDICTS: Readonly<Record<string, { readonly name: string; readonly text: string; readonly tone: Tone }>> =
  {
    too_early: {
      ...{ name: "Too early", tone: "plain" },
      text: "A week has to pass, so that every kind of day is in it.",
    },
    no_difference_yet: {
      ...{ name: "No difference yet", tone: "plain" },
      text: "It may be looked at at any time; looking does not spoil it.",
    },
    better: { name: "Better", tone: "good", text: "The treatment is better than the control." },
    worse: { name: "Worse", tone: "warn", text: "The treatment is worse than the control." },
    sample_ratio_mismatch: {
      ...{ name: "Sample ratio mismatch", tone: "warn" },
      text: "The arms have not the people that were meant: results say nothing. Look for what keeps people out of one of them.",
    },
  };

/** Which way a guardrail has moved, where that is sure. */
export function guardrailText({ metric, known, low, high }: MetricResult): {
  readonly text: string;
  readonly tone: Tone;
} {
  if (!known) return { text: "Too few people", tone: "plain" };
  const isMoreWorse = metric === "errors";
  if (isMoreWorse ? low > 0 : high < 0) return { text: "Worse", tone: "warn" };
  if (isMoreWorse ? high < 0 : low > 0) return { text: "Better", tone: "good" };
  return { text: "Holds", tone: "good" };
}

export interface Form {
  readonly name: string;
  readonly surface: string;
  readonly percent: string;
  readonly metric: string;
  readonly scale: string;
  readonly hours: string;
}
export const EMPTY_FORM: Form = { name: "", surface: "", percent: "50", metric: "viewed", scale: "", hours: "24" };

const NAME = /^[a-z][a-z0-9-]{0,59}$/;
const HOURS_MAX = 14 * 24;
const RUNNING_MAX = 3;

type Problems = Partial<Record<keyof Form, string>>;

function nameProblem(text: string): string | undefined {
  if (text === "") return "It needs a name";
  return NAME.test(text) ? undefined : "Lower-case letters, digits and hyphens, with a letter first";
}

const numberIn = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text.replace(",", ".")));

/** What is wrong with a form, by field. The service checks the same, and more: it knows what others start meanwhile. */
export function problemsOf(form: Form, known: readonly Experiment[]): Problems {
  const problems: Problems = {};
  const [name, surface] = [nameProblem(form.name), nameProblem(form.surface)];
  if (name !== undefined) problems.name = name;
  else if (known.some((one) => one.name === form.name))
    problems.name = "This name was used before: take another one, so that results stay apart";
  const others = known.filter((one) => one.surface === form.surface && one.state === "running").length;
  if (surface !== undefined) problems.surface = surface.replace("It needs a name", "Say where people meet it");
  else if (others >= RUNNING_MAX)
    problems.surface = `${others} experiments run there, which is the most: stop one first`;
  const percent = numberIn(form.percent);
  if (!(Number.isInteger(percent) && percent >= 5 && percent <= 50)) problems.percent = "A whole number from 5 to 50";
  const scale = numberIn(form.scale);
  if (!(scale > 0 && scale < 1e9)) problems.scale = "A number above 0";
  const hours = numberIn(form.hours);
  if (!(hours > 0 && hours <= HOURS_MAX)) problems.hours = `More than 0 and at most ${HOURS_MAX} hours, two weeks`;
  return problems;
}

/** A form without problems, as the service takes it. */
export const toRequest = (form: Form): NewExperiment => ({
  ...{ name: form.name, surface: form.surface, metric: form.metric },
  treatmentPercent: numberIn(form.percent),
  scale: numberIn(form.scale),
  windowS: Math.max(1, Math.round(numberIn(form.hours) * 3_600)),
});
