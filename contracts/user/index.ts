import { defineContract, event } from "../../kernel/contract.ts";
import {
  type UserCreated,
  userCreatedSchema,
  type UserDeleted,
  userDeletedSchema,
  type UserUpdated,
  userUpdatedSchema,
} from "./gen/events.ts";
import { type User as UserMessage, UserService } from "./gen/user_pb.js";

export type { UserCreated, UserDeleted, UserUpdated } from "./gen/events.ts";
export type * from "./gen/user_pb.js";

export type User = UserMessage;
export const User = defineContract({
  name: "user",
  rpc: UserService,
  events: {
    created: event<UserCreated>()("user.created", userCreatedSchema),
    updated: event<UserUpdated>()("user.updated", userUpdatedSchema),
    deleted: event<UserDeleted>()("user.deleted", userDeletedSchema),
  },
});
