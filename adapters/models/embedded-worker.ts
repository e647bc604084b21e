/**
 * The ONNX runtime in a thread of its own, so that neither loading a model nor a large batch stops the event loop. It keeps the models that were
 * asked last.
 */
import { parentPort } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Datatype, InferTensor, ModelMetadata, TensorMetadata } from "#kernel/ports/models";
import type { Reply, Request } from "./messages.ts";

/** Trees of the size that we train take less than 2 MB. */
const MODELS_MAX = 64;

const port = parentPort;
if (!port) throw new Error("this module runs as a worker");

const sessions = new Map<string, InferenceSession>();
/** One after the other: a model must not be dropped while it is asked. */
let last: Promise<unknown> = Promise.resolve();

port.on("message", (request: Request) => {
  last = last.then(async () => port.postMessage({ id: request.id, ...(await answer(request)) } satisfies Reply));
});

type Answer = Reply extends infer R ? (R extends Reply ? Omit<R, "id"> : never) : never;

async function answer(request: Request): Promise<Answer> {
  const key = `${request.model.name}/${request.model.version}`;
  try {
    if (request.kind === "load") {
      if (!sessions.has(key)) await open(key, request.artefact);
      return { kind: "done" };
    }
    const session = sessions.get(key);
    if (request.kind === "unload") {
      sessions.delete(key);
      await session?.release();
      return { kind: "done" };
    }
    if (!session) return { kind: "unknown" };
    // What was asked last is dropped last.
    sessions.delete(key);
    sessions.set(key, session);
    if (request.kind === "metadata") return { kind: "metadata", metadata: describe(session) };
    return { kind: "outputs", outputs: await run(session, request.inputs) };
  } catch (error) {
    return { kind: "invalid", message: error instanceof Error ? error.message : String(error) };
  }
}

async function open(key: string, artefact: Uint8Array): Promise<void> {
  // One thread of computing: the machine has other things to do.
  sessions.set(key, await InferenceSession.create(artefact, { intraOpNumThreads: 1, interOpNumThreads: 1 }));
  for (const [oldest, session] of sessions) {
    if (sessions.size <= MODELS_MAX) break;
    sessions.delete(oldest);
    await session.release();
  }
}

const DATATYPES: Readonly<Record<string, Datatype>> = { float32: "FP32", int64: "INT64" };

function datatypeOf(type: string): Datatype {
  const datatype = DATATYPES[type];
  if (!datatype) throw new TypeError(`tensors of ${type} are not served`);
  return datatype;
}

function describe({ inputMetadata, outputMetadata }: InferenceSession): ModelMetadata {
  const tensors = (all: InferenceSession["inputMetadata"]): TensorMetadata[] =>
    all.map((value) => {
      if (!value.isTensor) throw new TypeError(`'${value.name}' is no tensor`);
      const shape = value.shape.map((length) => (typeof length === "number" && length >= 0 ? length : -1));
      return { name: value.name, datatype: datatypeOf(value.type), shape };
    });
  return { platform: "onnxruntime_onnx", inputs: tensors(inputMetadata), outputs: tensors(outputMetadata) };
}

async function run(session: InferenceSession, inputs: readonly InferTensor[]): Promise<InferTensor[]> {
  const feeds = Object.fromEntries(inputs.map((input) => [input.name, toTensor(input)]));
  const results = await session.run(feeds);
  return Object.entries(results).map(([name, { dims, type, data }]) => ({
    ...{ name, shape: [...dims], datatype: datatypeOf(type) },
    data: Array.from(data as ArrayLike<number | bigint>, Number),
  }));
}

const toTensor = ({ datatype, data, shape }: InferTensor): Tensor =>
  datatype === "FP32"
    ? new Tensor("float32", Float32Array.from(data), shape)
    : new Tensor("int64", BigInt64Array.from(data, BigInt), shape);
