import { defineContract, event } from "../../kernel/contract.ts";
import {
  type IngestCompleted,
  ingestCompletedSchema,
  type IngestFailed,
  ingestFailedSchema,
  type IngestStarted,
  ingestStartedSchema,
} from "./gen/events.ts";
import { type Ingest as IngestMessage, IngestService } from "./gen/ingest_pb.js";

export type { IngestCompleted, IngestFailed, IngestStarted } from "./gen/events.ts";
export type * from "./gen/ingest_pb.js";

export type Ingest = IngestMessage;
export const Ingest = defineContract({
  name: "ingest",
  rpc: IngestService,
  events: {
    started: event<IngestStarted>()("ingest.started", ingestStartedSchema),
    completed: event<IngestCompleted>()("ingest.completed", ingestCompletedSchema),
    failed: event<IngestFailed>()("ingest.failed", ingestFailedSchema),
  },
});
