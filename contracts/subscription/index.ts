import { defineContract, event } from "../../kernel/contract.ts";
import { type SubscriptionChanged, subscriptionChangedSchema } from "./gen/events.ts";
import { type Subscription as SubscriptionMessage, SubscriptionService } from "./gen/subscription_pb.js";

export type { SubscriptionChanged } from "./gen/events.ts";
export type * from "./gen/subscription_pb.js";

export type Subscription = SubscriptionMessage;
export const Subscription = defineContract({
  name: "subscription",
  rpc: SubscriptionService,
  events: {
    changed: event<SubscriptionChanged>()("subscription.changed", subscriptionChangedSchema),
  },
});
