import { defineContract, event } from "../../kernel/contract.ts";
import {
  type ModelDriftDetected,
  modelDriftDetectedSchema,
  type ModelPredictionServed,
  modelPredictionServedSchema,
  type ModelStageChanged,
  modelStageChangedSchema,
} from "./gen/events.ts";
import { ModelsService } from "./gen/models_pb.js";

export type { ModelDriftDetected, ModelPredictionServed, ModelStageChanged } from "./gen/events.ts";
export type * from "./gen/models_pb.js";

export const Models = defineContract({
  name: "models",
  rpc: ModelsService,
  events: {
    predictionServed: event<ModelPredictionServed>()("model.prediction.served", modelPredictionServedSchema),
    stageChanged: event<ModelStageChanged>()("model.stage.changed", modelStageChangedSchema),
    driftDetected: event<ModelDriftDetected>()("model.drift.detected", modelDriftDetectedSchema),
  },
});
