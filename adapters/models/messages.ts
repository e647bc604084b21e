import type { InferTensor, ModelMetadata, ModelRef } from "#kernel/ports/models";

/** What the worker is asked. */
export type Request = { readonly id: number; readonly model: ModelRef } & (
  | { readonly kind: "load"; readonly artefact: Uint8Array }
  | { readonly kind: "unload" }
  | { readonly kind: "metadata" }
  | { readonly kind: "infer"; readonly inputs: readonly InferTensor[] }
);

/** What it answers. `invalid`: the one who asks is at fault. */
export type Reply = { readonly id: number } & (
  | { readonly kind: "done" }
  | { readonly kind: "metadata"; readonly metadata: ModelMetadata }
  | { readonly kind: "outputs"; readonly outputs: readonly InferTensor[] }
  | { readonly kind: "unknown" }
  | { readonly kind: "invalid"; readonly message: string }
);
