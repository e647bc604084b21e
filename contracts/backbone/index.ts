import { defineContract } from "../../kernel/contract.ts";
import { BackboneService } from "./gen/backbone_pb.js";

export type * from "./gen/backbone_pb.js";

/** What a process answers about the event log, to its operator alone. */
export const Backbone = defineContract({ name: "backbone", rpc: BackboneService, events: {} });
