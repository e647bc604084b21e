import { defineContract, event } from "#kernel/contract";
import {
  type QoeAlertTriggered,
  qoeAlertTriggeredSchema,
  type QoeAnomalyDetected,
  qoeAnomalyDetectedSchema,
  type QoeMetric,
  qoeMetricSchema,
  type QoeScoreCalculated,
  qoeScoreCalculatedSchema,
} from "./gen/events.ts";
import { QoeService } from "./gen/qoe_pb.js";

export type { QoeAlertTriggered, QoeAnomalyDetected, QoeMetric, QoeScoreCalculated } from "./gen/events.ts";
export type * from "./gen/qoe_pb.js";

export const Qoe = defineContract({
  name: "qoe",
  rpc: QoeService,
  events: {
    scoreCalculated: event<QoeScoreCalculated>()("qoe.score.calculated", qoeScoreCalculatedSchema),
    metric: event<QoeMetric>()("qoe.metric", qoeMetricSchema),
    anomalyDetected: event<QoeAnomalyDetected>()("qoe.anomaly.detected", qoeAnomalyDetectedSchema),
    alertTriggered: event<QoeAlertTriggered>()("qoe.alert.triggered", qoeAlertTriggeredSchema),
  },
});
