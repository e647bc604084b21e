/** The index's worker: finds away from the event loop that answers people. It does no I/O of its own, and keeps each tenant's titles apart. */
import { parentPort } from "node:worker_threads";
import { type Answer, answer, type Question } from "./domain-answer.ts";
import { createLibrary, type Library, type Suggestion } from "./domain-library.ts";
import type { Entry, Sight } from "./domain-title.ts";

export type Task =
  /** Puts entries, JSON of each, or takes them out where there is none; from nothing where it is the first. */
  | {
      readonly do: "take";
      readonly isFirst: boolean;
      readonly changes: readonly { readonly contentId: string; readonly entry: string | null }[];
    }
  | { readonly do: "answer"; readonly question: Question; readonly sight: Sight }
  | { readonly do: "suggest"; readonly text: string; readonly limit: number; readonly sight: Sight };

export interface Outcomes {
  readonly take: null;
  readonly answer: Answer;
  readonly suggest: readonly Suggestion[];
}

export type ToEngine = Task & { readonly id: number; readonly tenant: string };
export type FromEngine =
  | { readonly id: number; readonly value: Outcomes[keyof Outcomes] }
  | { readonly id: number; readonly message: string };

if (!parentPort) throw new Error("the index runs as a worker");
const port = parentPort;
const libraries = new Map<string, Library>();

function run(task: ToEngine): Outcomes[keyof Outcomes] {
  const library = libraries.get(task.tenant) ?? createLibrary();
  switch (task.do) {
    case "take": {
      const target = task.isFirst ? createLibrary() : library;
      for (const { contentId, entry } of task.changes) {
        if (entry === null) target.delete(contentId);
        else target.put(JSON.parse(entry) as Entry);
      }
      libraries.set(task.tenant, target);
      return null;
    }
    case "answer":
      return answer(library, task.question, task.sight);
    case "suggest":
      return library.suggest(task.text, task.sight, task.limit);
  }
}

port.on("message", (task: ToEngine) => {
  let outcome: FromEngine;
  try {
    outcome = { id: task.id, value: run(task) };
  } catch (error) {
    outcome = { id: task.id, message: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(outcome);
});
