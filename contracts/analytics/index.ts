import { defineContract } from "../../kernel/contract.ts";
import { AnalyticsService } from "./gen/analytics_pb.js";

export type * from "./gen/analytics_pb.js";

export const Analytics = defineContract({ name: "analytics", rpc: AnalyticsService, events: {} });
