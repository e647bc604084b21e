import { defineContract } from "../../kernel/contract.ts";
import { TenantService } from "./gen/tenant_pb.js";

export type * from "./gen/tenant_pb.js";

export const Tenant = defineContract({
  name: "tenant",
  rpc: TenantService,
  events: {},
});
