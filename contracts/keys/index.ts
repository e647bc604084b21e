import { defineContract } from "../../kernel/contract.ts";
import { KeysService } from "./gen/keys_pb.js";

export type * from "./gen/keys_pb.js";

export const Keys = defineContract({
  name: "keys",
  rpc: KeysService,
  events: {},
});
