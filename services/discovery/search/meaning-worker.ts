/** Learns what words mean, beside the worker that answers: it is begun for one lesson, says what came of it, and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { seededRandom } from "#learning/random";
import { truncatedSvd } from "#learning/svd";
import type { Lesson, MeaningModel } from "./domain-meaning.ts";

const RANK = 128;
const ITERATIONS = 1;
/** The same catalogue always comes to the same. */
const SEED = 25;

if (!parentPort) throw new Error("lessons are learnt in a worker");
const { titles, matrix, stems, idf } = workerData as Lesson;
const { rank, right } = truncatedSvd(matrix, { rank: RANK, iterations: ITERATIONS, random: seededRandom(SEED) });
parentPort.postMessage({ titles, stems, idf, rank, right: Float32Array.from(right) } satisfies MeaningModel);
