import { type InferTensor, type ModelRef } from "#kernel/ports/models";
import type { Parts } from "./parts.ts";
import { modelFile, type WeightName, WEIGHTS } from "#contracts/metadata";

/** A model that is asked many times in a row, and goes when its step has ended. */
export interface Detector {
  readonly version: string;
  /** Its outputs by name. */
  ask(inputs: readonly InferTensor[]): Promise<Readonly<Record<string, readonly number[]>>>;
  close(): Promise<void>;
}

/** One answer takes milliseconds; a machine that is full takes many times as long. */
const ASK_MS_MAX = 60_000;

/** Undefined while nobody has taken its weights in. */
export async function openDetector(
  { objects, models }: Pick<Parts, "objects" | "models">,
  name: WeightName,
  file: "model.onnx" | "features.onnx" = "model.onnx",
): Promise<Detector | undefined> {
  const { sha256, version } = WEIGHTS[name];
  const key = modelFile(name, file);
  if (!(await objects.head(key))) return undefined;
  const artefact = await objects.get(key);
  const ref: ModelRef = { name: `enrichment-${name}-${file.split(".")[0]}`, version: sha256.slice(0, 12) };
  await models.load(ref, artefact);
  return {
    version,
    async ask(inputs) {
      const { outputs } = await models
        .infer(ref, { inputs }, { timeoutMs: ASK_MS_MAX })
        .catch(async (error: unknown) => {
          // The runtime may have started anew, without models.
          if (!(error instanceof Error && "reason" in error && error.reason === "model_unknown")) throw error;
          await models.load(ref, artefact);
          return models.infer(ref, { inputs }, { timeoutMs: ASK_MS_MAX });
        });
      return Object.fromEntries(outputs.map((output) => [output.name, output.data]));
    },
    close: () => models.unload(ref),
  };
}
