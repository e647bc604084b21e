/** Learns what words mean, beside the worker that answers: it is begun for one lesson, says what came of it, and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { type Lesson, modelOf } from "./domain-meaning.ts";

if (!parentPort) throw new Error("lessons are learnt in a worker");
parentPort.postMessage(modelOf(workerData as Lesson));
