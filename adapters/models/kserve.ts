import { z } from "zod";
import { type Problem, problem } from "#kernel/errors";
import { type ModelRef, type Models, VALUES_MAX } from "#kernel/ports/models";
import { checkModel, checkRequest, notLoaded } from "./checks.ts";

const LOAD_MS_MAX = 30_000;
const STATE_MS_MAX = 2_000;
/** As many values as the port allows, in decimal. */
const BODY_BYTES_MAX = 32 * VALUES_MAX;
/** Each of our versions is a model of the server's, which has this one version of it: KServe and Triton load and unload whole models. */
const VERSION = "1";

const Datatype = z.enum(["FP32", "INT64"]);
const Output = z.object({
  name: z.string(),
  shape: z.array(z.number().int()),
  datatype: Datatype,
  data: z.array(z.number()),
});
const Response = z.object({ id: z.string().optional(), outputs: z.array(Output) });
const TensorMetadata = z.object({ name: z.string(), datatype: Datatype, shape: z.array(z.number().int()) });
const Metadata = z.object({
  platform: z.string(),
  inputs: z.array(TensorMetadata),
  outputs: z.array(TensorMetadata),
});
const Fault = z.object({ error: z.string() });

/**
 * A server of the Open Inference Protocol V2 over HTTP, such as KServe's runtimes and Triton. Models are handed to it by the model repository
 * extension (`/v2/repository/models/{name}/load` with the file as a parameter), which the server has to allow.
 */
export function openKserveModels({ url }: { readonly url: string }): Models {
  const base = url.replace(/\/$/, "");
  const at = `the model server at ${new URL(url).host}`;

  async function ask(path: string, body: unknown, timeoutMs: number): Promise<unknown> {
    const init: RequestInit =
      body === undefined
        ? {}
        : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    let text: string;
    let response: Awaited<ReturnType<typeof fetch>>;
    try {
      response = await fetch(`${base}/v2${path}`, {
        ...init,
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      text = await textOf(response);
    } catch (error) {
      throw asProblem(error, at, timeoutMs);
    }
    if (response.ok) return text === "" ? {} : parse(text, at);
    const said = Fault.safeParse(parse(text, at)).data?.error.slice(0, 500) ?? "without a reason";
    throw faultOf(response.status, `${at} says ${response.status}: ${said}`);
  }

  const nameOf = ({ name, version }: ModelRef): string => encodeURIComponent(`${name}-${version}`);
  const pathOf = (model: ModelRef): string => `/models/${nameOf(model)}/versions/${VERSION}`;
  /** The server's names are not ours: its own text about one would mislead. */
  const known = async <T>(model: ModelRef, work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw isNotFound(error) ? notLoaded(model) : error;
    });

  return {
    async load(model, artefact) {
      checkModel(model);
      const parameters = { [`file:${VERSION}/model.onnx`]: Buffer.from(artefact).toString("base64") };
      await ask(`/repository/models/${nameOf(model)}/load`, { parameters }, LOAD_MS_MAX);
    },
    async unload(model) {
      checkModel(model);
      await ask(`/repository/models/${nameOf(model)}/unload`, {}, LOAD_MS_MAX).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    },
    async metadata(model) {
      checkModel(model);
      return checked(Metadata, await known(model, ask(pathOf(model), undefined, LOAD_MS_MAX)), at);
    },
    async infer(model, request, { timeoutMs }) {
      checkModel(model);
      checkRequest(request);
      // JSON has no NaN: it is written as null, which our server and KServe's read as NaN.
      return checked(Response, await known(model, ask(`${pathOf(model)}/infer`, request, timeoutMs)), at);
    },
    async state() {
      return ask("/health/ready", undefined, STATE_MS_MAX).then(
        () => ({ ok: true, detail: at }),
        (error: unknown) => ({ ok: false, detail: `${(error as Error).message}: see MARQUEE_MODELS_URL` }),
      );
    },
    async close() {},
  };
}

const isNotFound = (error: unknown): boolean => (error as Partial<Problem>).code === "not_found";

function checked<T>(schema: z.ZodType<T>, value: unknown, at: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw problem.unavailable(
    `${at} does not speak the Open Inference Protocol V2 (${result.error.issues[0]?.message ?? ""})`,
  );
}

function parse(text: string, at: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw problem.unavailable(`${at} answered something that is no JSON: see MARQUEE_MODELS_URL`);
  }
}

async function textOf(response: Awaited<ReturnType<typeof fetch>>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) throw problem.exhausted(`an answer has more than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function faultOf(status: number, text: string): Problem {
  if (status === 404) return problem.notFound(text);
  if (status === 400 || status === 422) return problem.invalid(text);
  if (status === 429) return problem.exhausted(text, { retryAfterS: 1 });
  if (status === 504) return problem.deadline(text);
  return problem.unavailable(text, { retryAfterS: 1 });
}

function asProblem(error: unknown, at: string, timeoutMs: number): unknown {
  if ((error as Partial<Problem>).code === "resource_exhausted") return error;
  const { name } = error as Error;
  if (name === "TimeoutError") return problem.deadline(`${at} did not answer within ${timeoutMs} ms`);
  return problem.unavailable(`${at} cannot be reached: is it running?`, { cause: error, retryAfterS: 1 });
}
