/**
 * The server's side of the Open Inference Protocol V2 over HTTP/REST (https://github.com/kserve/open-inference-protocol, open_inference_rest.yaml),
 * for programs that serve or compare models; with a backend that takes them, also Triton's model repository extension.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { type Problem, problem, toProblem } from "#kernel";
import type { InferRequest, InferResponse, ModelMetadata } from "#kernel/ports/models";

/** What answers behind the protocol. A version that is not named is the backend's choice. */
export interface OipBackend {
  ready(): Promise<void>;
  metadata(
    name: string,
    version: string | undefined,
  ): Promise<ModelMetadata & { readonly versions: readonly string[] }>;
  infer(
    name: string,
    version: string | undefined,
    request: InferRequest,
  ): Promise<InferResponse & { readonly version: string }>;
  /** The model repository extension: files by path, such as `1/model.onnx`. */
  readonly repository?: {
    load(name: string, files: ReadonlyMap<string, Uint8Array>): Promise<void>;
    unload(name: string): Promise<void>;
  };
}

const BODY_BYTES_MAX = 32 * 1024 * 1024;
const INPUTS_MAX = 16;

type Nested = number | null | readonly Nested[];
const Nested: z.ZodType<Nested> = z.lazy(() => z.union([z.number(), z.null(), z.array(Nested)]));
/** Tensors come flat or nested; null stands for NaN, which JSON cannot say. */
const Tensor = z.object({
  name: z.string().min(1).max(200),
  shape: z.array(z.number().int().min(0)).min(1).max(8),
  datatype: z.enum(["FP32", "INT64"]),
  data: z.array(Nested).transform((data) => flat(data)),
});
const Request = z.object({ id: z.string().max(200).optional(), inputs: z.array(Tensor).min(1).max(INPUTS_MAX) });
const Load = z.object({ parameters: z.record(z.string().regex(/^file:[\w./-]{1,200}$/), z.base64()) });

function flat(data: readonly Nested[]): number[] {
  return data.flatMap((value) => (value === null ? Number.NaN : typeof value === "number" ? value : flat(value)));
}

const MODEL = /^\/v2\/models\/([^/]{1,200})(?:\/versions\/([^/]{1,100}))?(?:\/(ready|infer))?$/;
const REPOSITORY = /^\/v2\/repository\/models\/([^/]{1,200})\/(load|unload)$/;

/** Answers one request below `/v2`. Faults have the protocol's form, `{"error": …}`. */
export async function answerOip(
  backend: OipBackend,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    send(response, 200, await route(backend, request));
  } catch (error) {
    const fault = toProblem(error);
    send(response, statusOf(fault), { error: fault.message });
  }
}

async function route(backend: OipBackend, request: IncomingMessage): Promise<unknown> {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const isPost = request.method === "POST";
  if (!isPost && request.method !== "GET") throw problem.invalid(`${request.method ?? "?"} is neither GET nor POST`);
  if (!isPost && /^\/v2\/?$/.test(path))
    return { name: "marquee", version: "2", extensions: backend.repository ? ["model_repository"] : [] };
  if (!isPost && path === "/v2/health/live") return { live: true };
  if (!isPost && path === "/v2/health/ready") {
    await backend.ready();
    return { ready: true };
  }
  const [, rawName, rawVersion, what] = MODEL.exec(path) ?? [];
  if (rawName !== undefined) {
    const [name, version] = [decode(rawName), rawVersion === undefined ? undefined : decode(rawVersion)];
    if (isPost && what === "infer") return infer(backend, name, version, request);
    if (!isPost && what !== "infer") {
      const { versions, ...metadata } = await backend.metadata(name, version);
      return what === "ready" ? { name, ready: true } : { name, versions, ...metadata };
    }
  }
  const [, repositoryName, act] = REPOSITORY.exec(path) ?? [];
  if (isPost && repositoryName !== undefined && backend.repository) {
    const name = decode(repositoryName);
    if (act === "unload") await backend.repository.unload(name);
    else await backend.repository.load(name, filesOf(await bodyOf(request)));
    return {};
  }
  throw problem.notFound(`'${path.slice(0, 200)}' is no address of the Open Inference Protocol V2 here`);
}

async function infer(backend: OipBackend, name: string, version: string | undefined, request: IncomingMessage) {
  const asked = checked(Request, await bodyOf(request));
  const { outputs, version: answered } = await backend.infer(name, version, asked);
  return { model_name: name, model_version: answered, ...(asked.id === undefined ? {} : { id: asked.id }), outputs };
}

function filesOf(body: unknown): ReadonlyMap<string, Uint8Array> {
  const { parameters } = checked(Load, body);
  return new Map(
    Object.entries(parameters).map(([key, value]) => [key.slice("file:".length), Buffer.from(value, "base64")]),
  );
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw problem.invalid(`${issue?.path.join(".") || "the body"}: ${issue?.message ?? "is wrong"}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw problem.invalid(`'${text.slice(0, 200)}' is not escaped as a URL is`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) throw problem.exhausted(`the body has more than ${BODY_BYTES_MAX} bytes: ask in parts`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw problem.invalid("the body is no JSON");
  }
}

/** The protocol knows few: what a caller got wrong is 400, and a model that is not there is 404. */
const statusOf = (fault: Problem): number => (fault.code === "failed_precondition" ? 400 : fault.status);

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}
