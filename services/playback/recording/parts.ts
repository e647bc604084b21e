import type { LRUCache } from "lru-cache";
import { Entitlement } from "#contracts/entitlement";
import { Epg } from "#contracts/epg";
import { Keys } from "#contracts/keys";
import { Live } from "#contracts/live";
import { Profile } from "#contracts/profile";
import type { Recording } from "#contracts/recording";
import { Tenant } from "#contracts/tenant";
import type { Platform, Tx } from "#kernel";
import type { Recrypter } from "./recrypt.ts";
import type * as store from "./store.ts";

export const uses = { entitlement: Entitlement, epg: Epg, keys: Keys, live: Live, profile: Profile, tenant: Tenant };
export type RecordingPlatform = Platform<typeof Recording, typeof uses>;
export type RecordingTx = Tx<typeof Recording>;

export interface Parts extends Pick<RecordingPlatform, "db" | "call" | "objects" | "clock" | "logger" | "flags"> {
  readonly recrypter: Recrypter;
  /** CMAF headers of channels and keys of their days: every segment needs them again. */
  readonly inits: LRUCache<string, Uint8Array>;
  readonly keys: LRUCache<string, ReadonlyMap<string, Uint8Array>>;
  readonly counted: (state: string, reason?: string) => void;
}

/** What every event of a recording says. */
export const eventOf = (recording: store.Recording) => ({
  userId: recording.user_id,
  profileId: recording.profile_id,
  recordingId: recording.id,
  contentId: recording.copy_id,
  channelId: recording.channel_id,
  programmeId: recording.programme_id,
});
