import { Worker } from "node:worker_threads";
import { problem } from "#kernel/errors";
import { type Asr, type AsrModel, SPEECH_HZ, SPEECH_S_MAX, type SpeechSound } from "#kernel/ports/asr";
import type { AsrFiles, Reply, Request } from "./messages.ts";

/** Where weights come from; undefined while nobody has taken any in. */
export interface AsrWeights {
  about(): Promise<AsrModel | undefined>;
  read(): Promise<AsrFiles>;
}

const LOAD_MS_MAX = 120_000;
/** A machine that is full takes many times as long as an idle one. */
const TRANSCRIBE_MS_MAX = 600_000;

interface Waiting {
  readonly worker: Worker;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

type Ask = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

/** Whisper on the ONNX runtime in a worker that starts with the first piece of sound and goes when it may rest. */
export function openEmbeddedAsr(weights: AsrWeights): Asr {
  let running: { readonly worker: Worker; readonly ready: Promise<unknown> } | undefined;
  let nextId = 1;
  const waiting = new Map<number, Waiting>();

  function start(): Worker {
    const worker = new Worker(new URL("./embedded-worker.ts", import.meta.url), { name: "asr", execArgv: [] });
    let fault = "it was stopped";
    worker.on("message", (reply: Reply) => waiting.get(reply.id)?.resolve(reply));
    worker.on("error", (error) => (fault = error.message));
    worker.once("exit", () => {
      if (running?.worker === worker) running = undefined;
      for (const { worker: of, reject } of waiting.values())
        if (of === worker) reject(problem.unavailable(`the speech recogniser ended: ${fault}`));
    });
    // What nobody waits for keeps no process alive.
    worker.unref();
    return worker;
  }

  async function ask(worker: Worker, what: Ask, signal: AbortSignal): Promise<Reply> {
    signal.throwIfAborted();
    const id = nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const giveUp = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : problem.aborted("the transcription was stopped"));
      // A piece that nobody wants any more would hold the next one up.
      void worker.terminate();
    };
    signal.addEventListener("abort", giveUp, { once: true });
    waiting.set(id, { worker, resolve, reject });
    try {
      worker.postMessage({ id, ...what } satisfies Request);
      const reply = await promise;
      if (reply.kind === "failed") throw problem.internal(`the speech recogniser failed: ${reply.message}`);
      return reply;
    } finally {
      signal.removeEventListener("abort", giveUp);
      waiting.delete(id);
    }
  }

  async function ready(signal: AbortSignal): Promise<Worker> {
    if (!running) {
      const files = await weights.read();
      const worker = start();
      running = {
        worker,
        ready: ask(worker, { kind: "load", files }, AbortSignal.any([signal, AbortSignal.timeout(LOAD_MS_MAX)])),
      };
    }
    const own = running;
    try {
      await own.ready;
    } catch (error) {
      // The next piece begins anew.
      if (running === own) running = undefined;
      void own.worker.terminate();
      throw error;
    }
    return own.worker;
  }

  return {
    about: () => weights.about(),
    async transcribe({ samples, language }: SpeechSound, signal) {
      if (samples.length > SPEECH_S_MAX * SPEECH_HZ)
        throw problem.invalid(`${samples.length} samples are more than ${SPEECH_S_MAX} s of sound: cut it`);
      const about = await weights.about();
      if (!about) throw problem.precondition("there is no model for speech", { reason: "no_model" });
      if (about.languages.length > 0 && language !== "" && !about.languages.includes(language))
        throw problem.precondition(`${about.model} knows ${about.languages.join(", ")}, and not '${language}'`, {
          reason: "language_unknown",
        });
      const worker = await ready(signal);
      const until = AbortSignal.any([signal, AbortSignal.timeout(TRANSCRIBE_MS_MAX)]);
      const reply = await ask(worker, { kind: "transcribe", samples }, until);
      if (reply.kind !== "heard") throw problem.internal(`the speech recogniser answered '${reply.kind}'`);
      return { language: about.languages[0] ?? language, segments: reply.segments };
    },
    async rest() {
      const { worker } = running ?? {};
      running = undefined;
      await worker?.terminate();
    },
    async state() {
      return { ok: true, detail: running ? "Whisper in a worker" : "Whisper, not started" };
    },
    async close() {
      await running?.worker.terminate();
    },
  };
}
