import { defineContract, event } from "../../kernel/contract.ts";
import {
  type EpgIngestCompleted,
  epgIngestCompletedSchema,
  type EpgIngestFailed,
  epgIngestFailedSchema,
  type EpgProgramChanged,
  epgProgramChangedSchema,
  type EpgScheduleUpdated,
  epgScheduleUpdatedSchema,
} from "./gen/events.ts";
import { EpgService } from "./gen/epg_pb.js";

export type { EpgIngestCompleted, EpgProgramChanged, EpgScheduleUpdated } from "./gen/events.ts";
export type * from "./gen/epg_pb.js";

export const Epg = defineContract({
  name: "epg",
  rpc: EpgService,
  events: {
    scheduleUpdated: event<EpgScheduleUpdated>()("epg.schedule.updated", epgScheduleUpdatedSchema),
    programChanged: event<EpgProgramChanged>()("epg.program.changed", epgProgramChangedSchema),
    ingestCompleted: event<EpgIngestCompleted>()("epg.ingest.completed", epgIngestCompletedSchema),
    ingestFailed: event<EpgIngestFailed>()("epg.ingest.failed", epgIngestFailedSchema),
  },
});
