import { Worker } from "node:worker_threads";
import { type Clock, type Context, type Db, type Logger, problem } from "#kernel";
import type { Search } from "#contracts/search";
import type { FromEngine, Outcomes, Task, ToEngine } from "./engine-worker.ts";
import * as store from "./store.ts";

type Asking = Extract<Task, { readonly do: "answer" | "suggest" }>;

/** The index of this process: a worker that begins with the first question, and is filled tenant by tenant from the entries in the database. */
export interface Engine {
  ask<T extends Asking>(context: Context, task: T): Promise<Outcomes[T["do"]]>;
  /** Says that entries of a tenant changed here: the next question looks. */
  expire(tenant: string): void;
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly db: Db<typeof Search>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes a tenant's entries where there never were any. */
  readonly fill: (tenant: string) => Promise<void>;
}

/** What another process wrote is found after so long. */
const FRESH_MS = 1_000;
const PAGE_MAX = 500;
const WAITING_MAX = 500;

interface Loaded extends store.Head {
  readonly checkedAtMs: number;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

export function openEngine({ db, clock, logger, fill }: EngineOptions): Engine {
  const waiting = new Map<number, Waiting>();
  const loaded = new Map<string, Loaded>();
  const refreshing = new Map<string, Promise<void>>();
  let worker: Worker | undefined;
  let asked = 0;

  /** Everybody who waits is told, and the next question begins anew. */
  function lose(one: Worker, error: Error): void {
    if (worker !== one) return;
    worker = undefined;
    loaded.clear();
    for (const { reject } of waiting.values())
      reject(problem.unavailable("the search index is being made anew: try again in a moment", { cause: error }));
    waiting.clear();
  }

  function begin(): Worker {
    const one = new Worker(new URL("./engine-worker.ts", import.meta.url), { name: "search", execArgv: [] });
    one.on("message", (outcome: FromEngine) => {
      const who = waiting.get(outcome.id);
      waiting.delete(outcome.id);
      if (!who && "message" in outcome)
        logger.warn("what words mean was not learnt: search goes on by the words alone", { reason: outcome.message });
      if ("message" in outcome) who?.reject(problem.internal(`the search index failed: ${outcome.message}`));
      else who?.resolve(outcome.value as never);
    });
    one.on("error", (error) => {
      logger.error("the search index died", { error });
      lose(one, error);
    });
    one.on("exit", () => lose(one, new Error("the worker ended")));
    // It keeps nobody awake who wants to end.
    one.unref();
    return one;
  }

  function send<T extends Task>(tenant: string, task: T): Promise<Outcomes[T["do"]]> {
    if (waiting.size >= WAITING_MAX)
      throw problem.exhausted("too many people search at this moment: try again shortly", { retryAfterS: 1 });
    const to = (worker ??= begin());
    const id = (asked += 1);
    return new Promise<Outcomes[T["do"]]>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      to.postMessage({ ...task, id, tenant } satisfies ToEngine);
    });
  }

  async function refresh(tenant: string): Promise<void> {
    const read = <T>(work: Parameters<typeof db.read<T>>[1]): Promise<T> => db.read({ tenant }, work);
    const checkedAtMs = clock.nowMs();
    let head = await read(store.head);
    if (head.generation === 0) {
      await fill(tenant);
      head = await read(store.head);
    }
    const known = loaded.get(tenant);
    let isFirst = known?.generation !== head.generation;
    let revision = isFirst ? 0 : (known?.revision ?? 0);
    while (isFirst || revision < head.revision) {
      const changes = await read((tx) => store.changedAfter(tx, revision, PAGE_MAX));
      await send(tenant, { do: "take", isFirst, changes });
      isFirst = false;
      const last = changes.at(-1);
      if (!last) break;
      ({ revision } = last);
    }
    loaded.set(tenant, { generation: head.generation, revision: Math.max(revision, head.revision), checkedAtMs });
  }

  /** One at a time for a tenant; those who come meanwhile wait for it. */
  function refreshed(tenant: string): Promise<void> {
    const running = refreshing.get(tenant);
    if (running) return running;
    const started = refresh(tenant).finally(() => refreshing.delete(tenant));
    refreshing.set(tenant, started);
    return started;
  }

  return {
    async ask({ tenant }, task) {
      const known = loaded.get(tenant);
      if (!known || clock.nowMs() - known.checkedAtMs >= FRESH_MS) {
        const news = refreshed(tenant);
        // What is loaded already answers while the database is away.
        if (known)
          await news.catch((error: unknown) =>
            logger.warn("the search index could not be brought up to date", { error }),
          );
        else await news;
      }
      return send(tenant, task);
    },
    expire(tenant) {
      const known = loaded.get(tenant);
      if (known) loaded.set(tenant, { ...known, checkedAtMs: Number.NEGATIVE_INFINITY });
    },
    async close() {
      await worker?.terminate();
    },
  };
}
