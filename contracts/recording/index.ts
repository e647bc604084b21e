import { defineContract, event } from "../../kernel/contract.ts";
import {
  type RecordingScheduled,
  recordingScheduledSchema,
  type RecordingStarted,
  recordingStartedSchema,
  type RecordingCompleted,
  recordingCompletedSchema,
  type RecordingFailed,
  recordingFailedSchema,
  type RecordingDeleted,
  recordingDeletedSchema,
} from "./gen/events.ts";
import { type Recording as RecordingMessage, RecordingService } from "./gen/recording_pb.js";

export type { RecordingCompleted, RecordingDeleted, RecordingFailed } from "./gen/events.ts";
export type * from "./gen/recording_pb.js";

export type Recording = RecordingMessage;
export const Recording = defineContract({
  name: "recording",
  rpc: RecordingService,
  events: {
    scheduled: event<RecordingScheduled>()("recording.scheduled", recordingScheduledSchema),
    started: event<RecordingStarted>()("recording.started", recordingStartedSchema),
    completed: event<RecordingCompleted>()("recording.completed", recordingCompletedSchema),
    failed: event<RecordingFailed>()("recording.failed", recordingFailedSchema),
    deleted: event<RecordingDeleted>()("recording.deleted", recordingDeletedSchema),
  },
});

/** Sessions, tokens, licences and beats may be of a recording; its id says so. */
const RECORDING_ID_PREFIX = "rec-";
export const isRecordingId = (contentId: string): boolean => contentId.startsWith(RECORDING_ID_PREFIX);
