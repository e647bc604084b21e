/** The index's worker: finds away from the event loop that answers people. It does no I/O of its own, and keeps each tenant's titles apart. */
import { parentPort, Worker } from "node:worker_threads";
import { type Answer, answer, type Question } from "./domain-answer.ts";
import { createLibrary, type Library, type Suggestion } from "./domain-library.ts";
import type { MeaningModel } from "./domain-meaning.ts";
import type { Entry, Sight } from "./domain-title.ts";

export type Task =
  /** Puts entries, JSON of each, or takes them out where there is none; from nothing where it is the first. */
  | {
      readonly do: "take";
      readonly isFirst: boolean;
      readonly changes: readonly { readonly contentId: string; readonly entry: string | null }[];
    }
  | { readonly do: "answer"; readonly question: Question; readonly sight: Sight }
  | { readonly do: "suggest"; readonly text: string; readonly limit: number; readonly sight: Sight }
  /** Waits until what words mean was learnt, where there is anything to learn. */
  | { readonly do: "settle" };

export interface Outcomes {
  readonly take: null;
  readonly answer: Answer;
  readonly suggest: readonly Suggestion[];
  readonly settle: null;
}

export type ToEngine = Task & { readonly id: number; readonly tenant: string };
export type FromEngine =
  | { readonly id: number; readonly value: Outcomes[keyof Outcomes] }
  | { readonly id: number; readonly message: string };

if (!parentPort) throw new Error("the index runs as a worker");
const port = parentPort;
const libraries = new Map<string, Library>();

const failed = (id: number, error: unknown): FromEngine => ({
  id,
  message: error instanceof Error ? error.message : String(error),
});

/** Meaning is learnt when titles have not changed for so long, and anew when there are so many more or fewer of them. */
const QUIET_MS = 1_000;
const CHANGED_SHARE = 0.2;
const lessons = new Map<string, { readonly timer: NodeJS.Timeout; readonly done: Promise<void> }>();
/** One lesson at a time: the others wait. */
let learning: Promise<void> = Promise.resolve();

/** Takes steps in between what people wait for. */
async function between<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await new Promise(setImmediate);
  }
}

/** Has a worker of its own learn, and takes what it learnt in between two answers. */
async function learn(tenant: string): Promise<void> {
  const library = libraries.get(tenant);
  if (!library || Math.abs(library.size - library.learntOf) <= CHANGED_SHARE * library.learntOf) return;
  const lesson = await between(library.lesson());
  if (!lesson) return;
  const model = await new Promise<MeaningModel>((resolve, reject) => {
    const { matrix } = lesson;
    const buffers = [matrix.starts.buffer, matrix.columns.buffer, matrix.values.buffer] as ArrayBuffer[];
    const worker = new Worker(new URL("./meaning-worker.ts", import.meta.url), {
      ...{ name: "meaning", execArgv: [], workerData: lesson, transferList: buffers },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the lesson ended without a model")));
  });
  await between(library.learn(model));
}

/** Nobody waits for it, so whoever began this worker is told as number 0. */
const untold = (error: unknown): void => port.postMessage(failed(0, error));

function learnSoon(tenant: string): void {
  const waiting = lessons.get(tenant);
  if (waiting) {
    waiting.timer.refresh();
    return;
  }
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    lessons.delete(tenant);
    // Without it, words are found as they are.
    learning = learning.then(() => learn(tenant)).catch(untold);
    void learning.then(resolve);
  }, QUIET_MS);
  lessons.set(tenant, { timer, done });
}

function run(task: ToEngine): Outcomes[keyof Outcomes] | Promise<null> {
  const library = libraries.get(task.tenant) ?? createLibrary();
  switch (task.do) {
    case "take": {
      const target = task.isFirst ? createLibrary() : library;
      for (const { contentId, entry } of task.changes) {
        if (entry === null) target.delete(contentId);
        else target.put(JSON.parse(entry) as Entry);
      }
      libraries.set(task.tenant, target);
      learnSoon(task.tenant);
      return null;
    }
    case "answer":
      return answer(library, task.question, task.sight);
    case "suggest":
      return library.suggest(task.text, task.sight, task.limit);
    case "settle":
      return (lessons.get(task.tenant)?.done ?? learning).then(() => null);
  }
}

port.on("message", (task: ToEngine) => {
  let outcome: FromEngine;
  try {
    const value = run(task);
    if (value instanceof Promise) {
      value.then(
        (settled) => port.postMessage({ id: task.id, value: settled } satisfies FromEngine),
        (error: unknown) => port.postMessage(failed(task.id, error)),
      );
      return;
    }
    outcome = { id: task.id, value };
  } catch (error) {
    outcome = failed(task.id, error);
  }
  port.postMessage(outcome);
});
