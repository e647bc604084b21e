import { defineContract, event } from "../../kernel/contract.ts";
import {
  type RecommendationClicked,
  recommendationClickedSchema,
  type RecommendationOpinionChanged,
  recommendationOpinionChangedSchema,
  type RecommendationPersonalisationChanged,
  recommendationPersonalisationChangedSchema,
  type RecommendationServed,
  recommendationServedSchema,
} from "./gen/events.ts";
import { RecommendationService } from "./gen/recommendation_pb.js";

export type {
  RecommendationClicked,
  RecommendationOpinionChanged,
  RecommendationPersonalisationChanged,
  RecommendationServed,
} from "./gen/events.ts";
export type * from "./gen/recommendation_pb.js";

export const Recommendation = defineContract({
  name: "recommendation",
  rpc: RecommendationService,
  events: {
    served: event<RecommendationServed>()("recommendation.served", recommendationServedSchema),
    clicked: event<RecommendationClicked>()("recommendation.clicked", recommendationClickedSchema),
    opinionChanged: event<RecommendationOpinionChanged>()(
      "recommendation.opinion.changed",
      recommendationOpinionChangedSchema,
    ),
    personalisationChanged: event<RecommendationPersonalisationChanged>()(
      "recommendation.personalisation.changed",
      recommendationPersonalisationChangedSchema,
    ),
  },
});
