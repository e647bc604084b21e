import { defineContract, event } from "../../kernel/contract.ts";
import { type FeaturesUpdated, featuresUpdatedSchema } from "./gen/events.ts";
import { FeaturesService } from "./gen/features_pb.js";

export type { FeaturesUpdated } from "./gen/events.ts";
export type * from "./gen/features_pb.js";

export const Features = defineContract({
  name: "features",
  rpc: FeaturesService,
  events: {
    updated: event<FeaturesUpdated>()("features.updated", featuresUpdatedSchema),
  },
});
