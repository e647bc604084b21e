/** A model in a thread of its own: it is fitted when the thread starts, and then asked. Learning takes the processor for seconds. */
import { parentPort, workerData } from "node:worker_threads";
import { yieldThread } from "#kernel/priority";
import { type Candidate, fitModel, type Reason, type Report, type TrainingSet, type Wish } from "./domain-model.ts";

export type ToModel =
  | { readonly id: number; readonly ask: "recommend"; readonly wish: Wish }
  | { readonly id: number; readonly ask: "explain"; readonly liked: readonly string[]; readonly contentId: string };

export type FromModel =
  | { readonly report: Report }
  | { readonly id: number; readonly candidates: readonly Candidate[] }
  | { readonly id: number; readonly reasons: readonly Reason[] };

/** Whoever waits for an answer of the product goes first. */
const NICENESS = 5;

if (!parentPort) throw new Error("a model runs as a worker");
const port = parentPort;
yieldThread(NICENESS);
const model = fitModel(workerData as TrainingSet);
const answer = (message: FromModel): void => port.postMessage(message);
answer({ report: model.report });

port.on("message", (message: ToModel) => {
  const { id } = message;
  if (message.ask === "recommend") answer({ id, candidates: model.recommend(message.wish) });
  else answer({ id, reasons: model.explain(message.liked, message.contentId) });
});
