import { Worker } from "node:worker_threads";
import { problem } from "#kernel/errors";
import type { ModelRef, Models } from "#kernel/ports/models";
import { checkModel, checkRequest, notLoaded } from "./checks.ts";
import type { Reply, Request } from "./messages.ts";

const WAITING_MAX = 256;
/** Loading reads a file of megabytes and builds its tables. */
const LOAD_MS_MAX = 10_000;

type Ask = Request extends infer R ? (R extends Request ? Omit<R, "id" | "model"> : never) : never;

interface Waiting {
  readonly model: ModelRef;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** The ONNX runtime in a worker, which starts with the first model; one that died starts again, without models. */
export function openEmbeddedModels(): Models {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let fault: string | undefined;
  let isClosed = false;
  let nextId = 1;

  function started(): Worker {
    if (worker) return worker;
    const own = new Worker(new URL("./embedded-worker.ts", import.meta.url), { name: "models", execArgv: [] });
    own.on("message", (reply: Reply) => {
      waiting.get(reply.id)?.resolve(reply);
      waiting.delete(reply.id);
    });
    own.on("error", (error) => (fault = error.message));
    own.once("exit", () => {
      if (worker !== own) return;
      worker = undefined;
      for (const [id, { reject }] of waiting) {
        waiting.delete(id);
        reject(problem.unavailable(`the model runtime ended (${fault ?? "it was stopped"})`, { retryAfterS: 1 }));
      }
    });
    // What nobody waits for keeps no process alive.
    own.unref();
    worker = own;
    return own;
  }

  async function ask(model: ModelRef, what: Ask, timeoutMs: number): Promise<Reply> {
    checkModel(model);
    if (timeoutMs <= 0) throw late(model, timeoutMs);
    if (isClosed) throw problem.unavailable("the model runtime is closed");
    if (waiting.size >= WAITING_MAX)
      throw problem.exhausted(`${WAITING_MAX} requests wait for the model runtime`, { retryAfterS: 1 });
    const id = nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const timer = setTimeout(() => {
      waiting.delete(id);
      reject(late(model, timeoutMs));
    }, timeoutMs);
    waiting.set(id, { model, resolve, reject });
    try {
      started().postMessage({ id, model, ...what } satisfies Request);
      const reply = await promise;
      if (reply.kind === "unknown") throw notLoaded(model);
      if (reply.kind === "invalid")
        throw problem.invalid(`model '${model.name}' cannot do this: ${reply.message.slice(0, 500)}`);
      return reply;
    } finally {
      clearTimeout(timer);
      waiting.delete(id);
    }
  }

  return {
    async load(model, artefact) {
      await ask(model, { kind: "load", artefact }, LOAD_MS_MAX);
    },
    async unload(model) {
      // A runtime that does not run has no models.
      if (worker) await ask(model, { kind: "unload" }, LOAD_MS_MAX);
    },
    async metadata(model) {
      checkModel(model);
      if (!worker) throw notLoaded(model);
      const reply = await ask(model, { kind: "metadata" }, LOAD_MS_MAX);
      if (reply.kind !== "metadata") throw problem.internal(`the model runtime answered '${reply.kind}'`);
      return reply.metadata;
    },
    async infer(model, request, { timeoutMs }) {
      checkModel(model);
      checkRequest(request);
      if (!worker) throw notLoaded(model);
      const reply = await ask(model, { kind: "infer", inputs: request.inputs }, timeoutMs);
      if (reply.kind !== "outputs") throw problem.internal(`the model runtime answered '${reply.kind}'`);
      return { ...(request.id === undefined ? {} : { id: request.id }), outputs: reply.outputs };
    },
    async state() {
      return { ok: true, detail: worker ? "ONNX runtime in a worker" : "ONNX runtime, not started yet" };
    },
    async close() {
      isClosed = true;
      await worker?.terminate();
    },
  };
}

const late = ({ name }: ModelRef, timeoutMs: number): Error =>
  problem.deadline(`model '${name}' did not answer within ${timeoutMs} ms`);
