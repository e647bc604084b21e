import { defineContract, event } from "../../kernel/contract.ts";
import {
  type ProfileCreated,
  profileCreatedSchema,
  type ProfileSwitched,
  profileSwitchedSchema,
  type ProfileUpdated,
  profileUpdatedSchema,
} from "./gen/events.ts";
import { type Profile as ProfileMessage, ProfileService } from "./gen/profile_pb.js";

export type { ProfileCreated, ProfileSwitched, ProfileUpdated } from "./gen/events.ts";
export type * from "./gen/profile_pb.js";

export type Profile = ProfileMessage;
export const Profile = defineContract({
  name: "profile",
  rpc: ProfileService,
  events: {
    created: event<ProfileCreated>()("profile.created", profileCreatedSchema),
    updated: event<ProfileUpdated>()("profile.updated", profileUpdatedSchema),
    switched: event<ProfileSwitched>()("profile.switched", profileSwitchedSchema),
  },
});
