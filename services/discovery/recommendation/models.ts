import { Worker } from "node:worker_threads";
import { LRUCache } from "lru-cache";
import { problem } from "#kernel";
import type { Candidate, Reason, Report, TrainingSet, Wish } from "./domain-model.ts";
import type { FromModel, ToModel } from "./model-worker.ts";

/** A fitted model in its worker. Whoever asks waits at most as long as their own deadline; an answer that comes later is dropped. */
export interface LiveModel {
  readonly report: Report;
  readonly trainedAtMs: number;
  readonly isOpen: () => boolean;
  recommend(wish: Wish): Promise<readonly Candidate[]>;
  explain(liked: readonly string[], contentId: string): Promise<readonly Reason[]>;
  close(): void;
}

const HEAP_MB_MAX = 512;
const WAITING_MAX = 1_000;
/** Each model is a thread with its matrices; those of tenants that nobody asked for longest go. */
const TENANTS_MAX = 8;

/** Resolves when the model is fitted. */
export function openModel(set: TrainingSet, trainedAtMs: number): Promise<LiveModel> {
  const worker = new Worker(new URL("./model-worker.ts", import.meta.url), {
    workerData: set,
    name: "recommendation",
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  });
  // Nobody waits for it to end: it holds nothing.
  worker.unref();
  interface Waiting {
    resolve(answer: FromModel): void;
    reject(error: unknown): void;
  }
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let isOpen = true;
  const ask = (message: ToModel): Promise<FromModel> =>
    new Promise((resolve, reject) => {
      if (!isOpen) return reject(problem.unavailable("the model is gone"));
      if (waiting.size >= WAITING_MAX) return reject(problem.exhausted("too many wait for the model"));
      waiting.set(message.id, { resolve, reject });
      worker.postMessage(message);
    });
  return new Promise((fitted, failed) => {
    worker.on("message", (message: FromModel) => {
      if (!("report" in message)) {
        waiting.get(message.id)?.resolve(message);
        waiting.delete(message.id);
        return;
      }
      fitted({
        ...{ report: message.report, trainedAtMs, isOpen: () => isOpen },
        async recommend(wish) {
          const answer = await ask({ id: ++last, ask: "recommend", wish });
          return "candidates" in answer ? answer.candidates : [];
        },
        async explain(liked, contentId) {
          const answer = await ask({ id: ++last, ask: "explain", liked, contentId });
          return "reasons" in answer ? answer.reasons : [];
        },
        close: () => void worker.terminate(),
      });
    });
    const end = (error: unknown): void => {
      isOpen = false;
      failed(error);
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    worker.on("error", end);
    worker.on("exit", () => end(problem.unavailable("the model's worker ended")));
  });
}

/** The models of this process, by tenant. */
export interface Models {
  /** The tenant's model; one that is not there yet, or died, is made once for all who ask, and stays for those who come later. */
  load(tenant: string): Promise<LiveModel>;
  /** Takes the place of the one before. */
  replace(tenant: string, model: LiveModel): void;
  close(): void;
}

export function openModels(make: (tenant: string) => Promise<LiveModel>): Models {
  const live = new LRUCache<string, LiveModel>({ max: TENANTS_MAX, dispose: (model) => model.close() });
  const coming = new Map<string, Promise<LiveModel>>();
  let isClosed = false;
  const keep = (tenant: string, model: LiveModel): LiveModel => {
    if (isClosed) model.close();
    else live.set(tenant, model);
    return model;
  };
  return {
    load(tenant) {
      const known = live.get(tenant);
      if (known?.isOpen()) return Promise.resolve(known);
      const under = coming.get(tenant);
      if (under) return under;
      const made = make(tenant)
        .then((model) => keep(tenant, model))
        .finally(() => coming.delete(tenant));
      coming.set(tenant, made);
      return made;
    },
    replace: (tenant, model) => void keep(tenant, model),
    close() {
      isClosed = true;
      live.clear();
    },
  };
}
