import { defineContract, event } from "../../kernel/contract.ts";
import {
  type ExperimentChanged,
  experimentChangedSchema,
  type ExperimentExposed,
  experimentExposedSchema,
} from "./gen/events.ts";
import { ExperimentsService } from "./gen/experiments_pb.js";

export type { ExperimentChanged, ExperimentExposed } from "./gen/events.ts";
export type * from "./gen/experiments_pb.js";

export const Experiments = defineContract({
  name: "experiments",
  rpc: ExperimentsService,
  events: {
    exposed: event<ExperimentExposed>()("experiment.exposed", experimentExposedSchema),
    changed: event<ExperimentChanged>()("experiment.changed", experimentChangedSchema),
  },
});
