import { defineContract, event } from "../../kernel/contract.ts";
import {
  type AdCompleted,
  adCompletedSchema,
  type AdDecisionMade,
  adDecisionMadeSchema,
  type AdImpression,
  adImpressionSchema,
} from "./gen/events.ts";
import { AdsService } from "./gen/ads_pb.js";

export type { AdCompleted, AdDecisionMade, AdImpression } from "./gen/events.ts";
export type * from "./gen/ads_pb.js";

export const Ads = defineContract({
  name: "ads",
  rpc: AdsService,
  events: {
    decisionMade: event<AdDecisionMade>()("ad.decision.made", adDecisionMadeSchema),
    impression: event<AdImpression>()("ad.impression", adImpressionSchema),
    completed: event<AdCompleted>()("ad.completed", adCompletedSchema),
  },
});
