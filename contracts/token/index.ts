import { defineContract, event } from "../../kernel/contract.ts";
import { type TokenIssued, tokenIssuedSchema } from "./gen/events.ts";
import { TokenService } from "./gen/token_pb.js";

export type { TokenIssued } from "./gen/events.ts";
export type * from "./gen/token_pb.js";

export const Token = defineContract({
  name: "token",
  rpc: TokenService,
  events: {
    issued: event<TokenIssued>()("token.issued", tokenIssuedSchema),
  },
});
