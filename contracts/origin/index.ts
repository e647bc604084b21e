import { defineContract } from "../../kernel/contract.ts";
import { OriginService } from "./gen/origin_pb.js";

export type * from "./gen/origin_pb.js";

export const Origin = defineContract({
  name: "origin",
  rpc: OriginService,
  events: {},
});
