import { defineContract, event } from "../../kernel/contract.ts";
import {
  type AiEnrichmentCompleted,
  aiEnrichmentCompletedSchema,
  type MetadataEnriched,
  metadataEnrichedSchema,
  type MetadataTagsUpdated,
  metadataTagsUpdatedSchema,
} from "./gen/events.ts";
import { MetadataService } from "./gen/metadata_pb.js";

export type { AiEnrichmentCompleted, MetadataEnriched, MetadataTagsUpdated } from "./gen/events.ts";
export type * from "./gen/metadata_pb.js";
export { isWeight, type KnownWeights, modelFile, WEIGHT_NAMES, type WeightName, WEIGHTS } from "./weights.ts";

export const Metadata = defineContract({
  name: "metadata",
  rpc: MetadataService,
  events: {
    completed: event<AiEnrichmentCompleted>()("ai.enrichment.completed", aiEnrichmentCompletedSchema),
    enriched: event<MetadataEnriched>()("metadata.enriched", metadataEnrichedSchema),
    tagsUpdated: event<MetadataTagsUpdated>()("metadata.tags.updated", metadataTagsUpdatedSchema),
  },
});
