import type { Stateful } from "./state.ts";

/**
 * The models port, in the shapes of the Open Inference Protocol V2 (https://github.com/kserve/open-inference-protocol): named tensors in, named
 * tensors out, models by name and version. What a model is (an ONNX file) comes from whoever loads it; the runtime keeps no copy that matters.
 */
export interface Models extends Stateful {
  /** Makes a model ready to be asked. One that is ready stays as it is: a version's artefact never changes. `invalid_argument` where it is no model. */
  load(model: ModelRef, artefact: Uint8Array): Promise<void>;
  /** Gives its memory back; one that is not loaded is no error. */
  unload(model: ModelRef): Promise<void>;
  /** What it takes and gives; `not_found` where it is not loaded. */
  metadata(model: ModelRef): Promise<ModelMetadata>;
  /**
   * Rejects `not_found` where the model is not loaded, as after a restart of the runtime; `invalid_argument` where inputs do not fit;
   * `deadline_exceeded` after `timeoutMs`; `resource_exhausted` where too many wait; `unavailable` where the runtime is away.
   */
  infer(model: ModelRef, request: InferRequest, options: { readonly timeoutMs: number }): Promise<InferResponse>;
  close(): Promise<void>;
}

/** Name and version are 1 to 100 of `[A-Za-z0-9._-]`, beginning with a letter or digit. */
export interface ModelRef {
  readonly name: string;
  readonly version: string;
}

/** The data types of the protocol that our models use. */
export type Datatype = "FP32" | "INT64";

export interface InferTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  /** Row by row, as many as the shape says. */
  readonly data: readonly number[];
}

export interface InferRequest {
  readonly id?: string | undefined;
  readonly inputs: readonly InferTensor[];
}

export interface InferResponse {
  readonly id?: string | undefined;
  readonly outputs: readonly InferTensor[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  /** -1 where any length will do. */
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

/** An input may hold so many values in all: 10,000 rows of 100 features. */
export const VALUES_MAX = 1_000_000;
