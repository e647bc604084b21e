import { z } from "zod";
import { type Problem, problem } from "#kernel/errors";
import type { TrackedRun, Tracking } from "#kernel/ports/tracking";

export interface MlflowOptions {
  /** Of the server, without a path of its API: `https://mlflow.example.org`. */
  readonly url: string;
  readonly token?: string;
}

const TIMEOUT_MS = 10_000;
/** Limits of MLflow's own: of a batch, and of what a value may be long in all of its releases. */
const METRICS_MAX = 1_000;
const PARAMS_MAX = 100;
const PARAM_CHARACTERS_MAX = 250;
const TAG_CHARACTERS_MAX = 5_000;
const KEY_TAG = "marquee.version";

const Experiment = z.object({ experiment: z.object({ experiment_id: z.string(), lifecycle_stage: z.string() }) });
const NewExperiment = z.object({ experiment_id: z.string() });
const Run = z.object({ info: z.object({ run_id: z.string() }) });
const NewRun = z.object({ run: Run });
const Found = z.object({ runs: z.array(Run).max(1).default([]) });
const Nothing = z.object({});
const Fault = z.object({ error_code: z.string().max(100) });

/** A tracking server that speaks MLflow's REST API 2.0. */
export function openMlflow({ url, token }: MlflowOptions): Tracking {
  const at = `MLflow at ${new URL(url).host}`;

  /** The fault's own code comes as the second; whoever asked decides what it means. */
  async function call<T>(
    schema: z.ZodType<T>,
    path: string,
    { body, signal, but }: { readonly body?: object; readonly signal: AbortSignal; readonly but?: string },
  ): Promise<T | undefined> {
    const response = await fetch(`${url.replace(/\/$/, "")}/api/2.0/mlflow/${path}`, {
      ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
      headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    }).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw problem.unavailable(`${at} cannot be reached: see whether it runs, and MARQUEE_MLFLOW_URL`, { cause });
    });
    const said: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      const code = Fault.safeParse(said).data?.error_code;
      if (but !== undefined && code === but) return undefined;
      throw faultOf(at, path, response.status, code);
    }
    const answer = schema.safeParse(said);
    if (!answer.success) throw problem.unavailable(`${at} answers '${path}' with something else`);
    return answer.data;
  }
  const must = <T>(answer: T | undefined): T => {
    if (answer === undefined) throw problem.unavailable(`${at} lost what it had`);
    return answer;
  };

  async function experimentOf(name: string, signal: AbortSignal): Promise<string> {
    const path = `experiments/get-by-name?${new URLSearchParams({ experiment_name: name }).toString()}`;
    const find = () => call(Experiment, path, { signal, but: "RESOURCE_DOES_NOT_EXIST" });
    let found = await find();
    if (!found) {
      // Another process may be faster.
      const made = await call(NewExperiment, "experiments/create", {
        ...{ body: { name }, signal, but: "RESOURCE_ALREADY_EXISTS" },
      });
      if (made) return made.experiment_id;
      found = must(await find());
    }
    if (found.experiment.lifecycle_stage !== "active")
      throw problem.precondition(`experiment '${name}' of ${at} was deleted: restore it there, or remove it for good`);
    return found.experiment.experiment_id;
  }

  async function runOf(run: TrackedRun, signal: AbortSignal): Promise<string> {
    const experiment = await experimentOf(run.experiment, signal);
    const search = {
      ...{ experiment_ids: [experiment], max_results: 1, order_by: ["attributes.start_time ASC"] },
      filter: `tags.\`${KEY_TAG}\` = '${run.key}'`,
    };
    const [found] = must(await call(Found, "runs/search", { body: search, signal })).runs;
    if (found) return found.info.run_id;
    const body = {
      ...{ experiment_id: experiment, run_name: run.key, start_time: run.startedAtMs },
      tags: [{ key: KEY_TAG, value: run.key }],
    };
    return must(await call(NewRun, "runs/create", { body, signal })).run.info.run_id;
  }

  return {
    at,
    async note(run, signal) {
      if (!/^[\w./-]{1,200}$/.test(run.key)) throw problem.invalid(`'${run.key.slice(0, 80)}' is no key of a run`);
      const run_id = await runOf(run, signal);
      // All of it each time: what is there already is the same, and a process may have died half way.
      await call(Nothing, "runs/log-batch", {
        body: {
          run_id,
          metrics: Object.entries(run.metrics)
            .filter(([, value]) => Number.isFinite(value))
            .slice(0, METRICS_MAX - 2 * PARAMS_MAX)
            .map(([key, value]) => ({ key, value, timestamp: run.endedAtMs, step: 0 })),
          params: pairsOf(run.params, PARAM_CHARACTERS_MAX),
          tags: pairsOf(run.tags, TAG_CHARACTERS_MAX),
        },
        signal,
      });
      await call(NewEnd, "runs/update", { body: { run_id, status: "FINISHED", end_time: run.endedAtMs }, signal });
    },
  };
}
const NewEnd = z.object({ run_info: z.object({ status: z.literal("FINISHED") }) });

const pairsOf = (of: Readonly<Record<string, string>>, charactersMax: number) =>
  Object.entries(of)
    .slice(0, PARAMS_MAX)
    .map(([key, value]) => ({ key, value: value.slice(0, charactersMax) }));

function faultOf(at: string, path: string, status: number, code = "no code"): Problem {
  if (status === 401 || status === 403)
    return problem.precondition(`${at} refuses us (${status}): set MARQUEE_MLFLOW_TOKEN`);
  const said = `${at} answers ${status} (${code}) to '${path.replace(/\?.*/, "")}'`;
  return status >= 500 || status === 429 ? problem.unavailable(said) : problem.precondition(said);
}
