import { defineContract, event } from "../../kernel/contract.ts";
import {
  type CdnNetworkMeasured,
  cdnNetworkMeasuredSchema,
  type CdnRouteSelected,
  cdnRouteSelectedSchema,
  type CdnSwitchTriggered,
  cdnSwitchTriggeredSchema,
} from "./gen/events.ts";
import { RoutingService } from "./gen/routing_pb.js";

export type { CdnNetworkMeasured, CdnRouteSelected, CdnSwitchTriggered } from "./gen/events.ts";
export type * from "./gen/routing_pb.js";

export const Routing = defineContract({
  name: "routing",
  rpc: RoutingService,
  events: {
    routeSelected: event<CdnRouteSelected>()("cdn.route.selected", cdnRouteSelectedSchema),
    networkMeasured: event<CdnNetworkMeasured>()("cdn.network.measured", cdnNetworkMeasuredSchema),
    switchTriggered: event<CdnSwitchTriggered>()("cdn.switch.triggered", cdnSwitchTriggeredSchema),
  },
});
