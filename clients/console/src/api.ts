/** What the pages ask of the console's own listener. Types are the contracts', in protobuf's JSON. */
import type { GetManyResponse, UpdateResponse } from "../../../contracts/catalog/index.ts";
import type {
  ListResponse as ExperimentList,
  ResultsResponse,
  StartRequest,
  StartResponse,
} from "../../../contracts/experiments/index.ts";
import type {
  DecideResponse,
  FindingsResponse,
  GetResponse,
  ListResponse as TitleList,
  SimilarResponse,
  UnsureResponse,
} from "../../../contracts/metadata/index.ts";
import type { ListResponse as VersionList, OverviewResponse } from "../../../contracts/models/index.ts";

/** A message as protobuf's JSON has it: 64-bit integers are texts. */
export type Json<T> = T extends bigint | Uint8Array
  ? string
  : T extends readonly (infer U)[]
    ? readonly Json<U>[]
    : T extends object
      ? { readonly [K in keyof T as K extends "$typeName" | "$unknown" ? never : K]: Json<T[K]> }
      : T;

export type Finding = Json<FindingsResponse>["findings"][number];
export type EnrichedTitle = Json<TitleList>["titles"][number];
export type Step = EnrichedTitle["steps"][number];
export type Unsure = Json<UnsureResponse>["results"][number];
export type CatalogTitle = Json<GetManyResponse>["titles"][number];
export type Model = Json<OverviewResponse>["models"][number];
export type Version = Json<VersionList>["versions"][number];
export type Experiment = Json<ExperimentList>["experiments"][number];
export type Results = Json<ResultsResponse>;
export type Look = Results["history"][number];
export type MetricResult = Results["metrics"][number];
export type NewExperiment = Omit<Json<StartRequest>, "">;

export interface Session {
  readonly label: string;
  readonly tenant: string;
  readonly endsAtMs: number;
  /** Where viewers are. */
  readonly publicUrl: string;
}

const DEADLINE_MS = 35_000;

/** What was answered in place of what was asked; `unreachable` where nothing came back. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly traceId: string;
  constructor(problem: { status: number; reason: string; detail: string; traceId: string }, cause?: unknown) {
    super(problem.detail, { cause });
    this.name = "ApiError";
    this.status = problem.status;
    this.reason = problem.reason;
    this.traceId = problem.traceId;
  }
}

const textOf = (value: unknown, member: string): string => {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, member) : "";
  return typeof found === "string" ? found : "";
};

async function send<T>(method: "GET" | "POST", path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  let status = 0;
  let value: unknown;
  try {
    const response = await fetch(`/api/${path}`, {
      method,
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      ...(method === "POST"
        ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) }
        : {}),
    });
    status = response.status;
    value = await response.json();
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    const detail = "The product does not answer. It may be stopped, or on its way up again.";
    throw new ApiError({ status: 503, reason: "unreachable", detail, traceId: "" }, cause);
  }
  if (status === 200) return value as T;
  throw new ApiError({
    ...{ status, reason: textOf(value, "type").replace(/^.*\//, ""), detail: textOf(value, "detail") },
    traceId: textOf(value, "traceId").replace(/^0+$/, ""),
  });
}

const call = <T>(path: string, body: object, signal?: AbortSignal): Promise<Json<T>> =>
  send<Json<T>>("POST", `call/${path}`, body, signal);

export const api = {
  enter: (code: string) => send<Session>("POST", "enter", { code }),
  session: () => send<Session>("GET", "session"),
  leave: () => send<object>("POST", "leave"),

  findings: (state: string, signal?: AbortSignal) => call<FindingsResponse>("metadata/findings", { state }, signal),
  findingsOf: (contentId: string, state: string, signal?: AbortSignal) =>
    call<FindingsResponse>("metadata/findings", { contentId, state }, signal),
  decide: (id: string, verdict: "accepted" | "rejected" | "waiting") =>
    call<DecideResponse>("metadata/decide", { id, verdict }),
  unsure: (signal?: AbortSignal) => call<UnsureResponse>("metadata/unsure", {}, signal),
  titles: (signal?: AbortSignal) => call<TitleList>("metadata/list", {}, signal),
  title: (contentId: string, signal?: AbortSignal) => call<GetResponse>("metadata/get", { contentId }, signal),
  similar: (contentId: string, signal?: AbortSignal) =>
    call<SimilarResponse>("metadata/similar", { contentId }, signal),
  correct: (contentId: string, what: string, value: unknown) =>
    call<object>("metadata/correct", { contentId, what, valueJson: value === undefined ? "" : JSON.stringify(value) }),
  showSubtitles: (contentId: string, isShown: boolean) =>
    call<object>("metadata/publishSubtitles", { contentId, withdraw: !isShown }),
  enrich: (contentId: string, step: string) => call<object>("metadata/enrich", { contentId, step }),
  names: (ids: readonly string[], signal?: AbortSignal) =>
    call<GetManyResponse>("catalog/getMany", { ids: [...new Set(ids)].slice(0, 200) }, signal),
  choosePicture: (id: string, backdropKey: string) => call<UpdateResponse>("catalog/update", { id, backdropKey }),

  models: (signal?: AbortSignal) => call<OverviewResponse>("models/overview", {}, signal),
  versions: (name: string, signal?: AbortSignal) => call<VersionList>("models/list", { name }, signal),
  train: (name: string) => call<object>("models/train", { name }),
  promote: (name: string, version: number) => call<object>("models/promote", { name, version }),
  rollback: (name: string) => call<object>("models/rollback", { name }),

  experiments: (signal?: AbortSignal) => call<ExperimentList>("experiments/list", {}, signal),
  results: (name: string, signal?: AbortSignal) => call<ResultsResponse>("experiments/results", { name }, signal),
  start: (wanted: NewExperiment) => call<StartResponse>("experiments/start", wanted),
  stop: (name: string) => call<object>("experiments/stop", { name }),
};

/** A moment of a title, as our listener cuts it. */
export const pictureUrl = (contentId: string, timeS: number): string =>
  `/api/picture/${encodeURIComponent(contentId)}/${Math.max(0, Math.round(timeS * 1_000))}`;
