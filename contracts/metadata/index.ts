import { defineContract, event } from "../../kernel/contract.ts";
import {
  type AiEnrichmentCompleted,
  aiEnrichmentCompletedSchema,
  type MetadataEnriched,
  metadataEnrichedSchema,
  type MetadataSubtitlesPublished,
  metadataSubtitlesPublishedSchema,
  type MetadataTagsUpdated,
  metadataTagsUpdatedSchema,
} from "./gen/events.ts";
import { MetadataService } from "./gen/metadata_pb.js";

export type {
  AiEnrichmentCompleted,
  MetadataEnriched,
  MetadataSubtitlesPublished,
  MetadataTagsUpdated,
} from "./gen/events.ts";
export type * from "./gen/metadata_pb.js";
export { isWeight, type KnownWeights, modelFile, WEIGHT_NAMES, type WeightName, WEIGHTS } from "./weights.ts";

export const Metadata = defineContract({
  name: "metadata",
  rpc: MetadataService,
  events: {
    completed: event<AiEnrichmentCompleted>()("ai.enrichment.completed", aiEnrichmentCompletedSchema),
    enriched: event<MetadataEnriched>()("metadata.enriched", metadataEnrichedSchema),
    subtitlesPublished: event<MetadataSubtitlesPublished>()(
      "metadata.subtitles.published",
      metadataSubtitlesPublishedSchema,
    ),
    tagsUpdated: event<MetadataTagsUpdated>()("metadata.tags.updated", metadataTagsUpdatedSchema),
  },
});
