import { defineContract } from "../../kernel/contract.ts";
import { LicenseService } from "./gen/license_pb.js";

export type * from "./gen/license_pb.js";

export const License = defineContract({
  name: "license",
  rpc: LicenseService,
  events: {},
});
