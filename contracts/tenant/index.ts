import { defineContract } from "../../kernel/contract.ts";
import { type Tenant as TenantMessage, TenantService } from "./gen/tenant_pb.js";

export type * from "./gen/tenant_pb.js";

export type Tenant = TenantMessage;
export const Tenant = defineContract({
  name: "tenant",
  rpc: TenantService,
  events: {},
});
