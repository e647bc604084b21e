import { defineContract, event } from "../../kernel/contract.ts";
import {
  type AuthLogin,
  authLoginSchema,
  type AuthLogout,
  authLogoutSchema,
  type AuthTokenRefreshed,
  authTokenRefreshedSchema,
} from "./gen/events.ts";
import { AuthService } from "./gen/auth_pb.js";

export type { AuthLogin, AuthLogout, AuthTokenRefreshed } from "./gen/events.ts";
export type * from "./gen/auth_pb.js";

export const Auth = defineContract({
  name: "auth",
  rpc: AuthService,
  events: {
    login: event<AuthLogin>()("auth.login", authLoginSchema),
    logout: event<AuthLogout>()("auth.logout", authLogoutSchema),
    tokenRefreshed: event<AuthTokenRefreshed>()("auth.token.refreshed", authTokenRefreshedSchema),
  },
});
