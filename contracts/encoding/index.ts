import { defineContract, event } from "../../kernel/contract.ts";
import {
  type EncodingCompleted,
  encodingCompletedSchema,
  type EncodingFailed,
  encodingFailedSchema,
  type EncodingStarted,
  encodingStartedSchema,
} from "./gen/events.ts";
import { type Encoding as EncodingMessage, EncodingService } from "./gen/encoding_pb.js";

export type { EncodingCompleted, EncodingFailed, EncodingStarted } from "./gen/events.ts";
export type * from "./gen/encoding_pb.js";

export type Encoding = EncodingMessage;
export const Encoding = defineContract({
  name: "encoding",
  rpc: EncodingService,
  events: {
    started: event<EncodingStarted>()("encoding.started", encodingStartedSchema),
    completed: event<EncodingCompleted>()("encoding.completed", encodingCompletedSchema),
    failed: event<EncodingFailed>()("encoding.failed", encodingFailedSchema),
  },
});
