import { defineContract, event } from "../../kernel/contract.ts";
import {
  type LiveChannelChanged,
  liveChannelChangedSchema,
  type LiveHealthChanged,
  liveHealthChangedSchema,
  type LiveSpliceDetected,
  liveSpliceDetectedSchema,
} from "./gen/events.ts";
import { LiveService } from "./gen/live_pb.js";

export type { LiveChannelChanged, LiveHealthChanged, LiveSpliceDetected } from "./gen/events.ts";
export type * from "./gen/live_pb.js";

export const Live = defineContract({
  name: "live",
  rpc: LiveService,
  events: {
    channelChanged: event<LiveChannelChanged>()("live.channel.changed", liveChannelChangedSchema),
    healthChanged: event<LiveHealthChanged>()("live.health.changed", liveHealthChangedSchema),
    spliceDetected: event<LiveSpliceDetected>()("live.splice.detected", liveSpliceDetectedSchema),
  },
});

/** Sessions, tokens, licences and beats are of a title or of a channel, and its id says of which. */
export const CHANNEL_ID_PREFIX = "ch-";
export const isChannelId = (contentId: string): boolean => contentId.startsWith(CHANNEL_ID_PREFIX);
