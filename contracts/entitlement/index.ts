import { defineContract, event } from "../../kernel/contract.ts";
import {
  type EntitlementChecked,
  entitlementCheckedSchema,
  type EntitlementGranted,
  entitlementGrantedSchema,
  type EntitlementRevoked,
  entitlementRevokedSchema,
} from "./gen/events.ts";
import { EntitlementService } from "./gen/entitlement_pb.js";

export type { EntitlementChecked, EntitlementGranted, EntitlementRevoked } from "./gen/events.ts";
export type * from "./gen/entitlement_pb.js";

export const Entitlement = defineContract({
  name: "entitlement",
  rpc: EntitlementService,
  events: {
    granted: event<EntitlementGranted>()("entitlement.granted", entitlementGrantedSchema),
    revoked: event<EntitlementRevoked>()("entitlement.revoked", entitlementRevokedSchema),
    checked: event<EntitlementChecked>()("entitlement.checked", entitlementCheckedSchema),
  },
});
