import { defineContract, event } from "../../kernel/contract.ts";
import {
  type PlaybackError,
  playbackErrorSchema,
  type PlaybackHeartbeat,
  playbackHeartbeatSchema,
  type PlaybackStarted,
  playbackStartedSchema,
  type PlaybackStopped,
  playbackStoppedSchema,
} from "./gen/events.ts";
import { type Session as SessionMessage, SessionService } from "./gen/session_pb.js";

export type { PlaybackError, PlaybackHeartbeat, PlaybackStarted, PlaybackStopped } from "./gen/events.ts";
export type * from "./gen/session_pb.js";

export type Session = SessionMessage;
export const Session = defineContract({
  name: "session",
  rpc: SessionService,
  events: {
    started: event<PlaybackStarted>()("playback.started", playbackStartedSchema),
    stopped: event<PlaybackStopped>()("playback.stopped", playbackStoppedSchema),
    heartbeat: event<PlaybackHeartbeat>()("playback.heartbeat", playbackHeartbeatSchema),
    error: event<PlaybackError>()("playback.error", playbackErrorSchema),
  },
});
