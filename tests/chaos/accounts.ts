/** People for tests: an account with a plan and its first profile, and tokens for it. */
import { setTimeout as pause } from "node:timers/promises";
import { Auth } from "#contracts/auth";
import { Profile } from "#contracts/profile";
import { Subscription } from "#contracts/subscription";
import { User } from "#contracts/user";
import type { AdminClient } from "../../apps/cli/client.ts";

export const PASSWORD = "a long chaos password";

export interface Account {
  readonly email: string;
  readonly userId: string;
  readonly profileId: string;
}

/** With a password somebody can sign in by it, which costs a hash; tokens are given without. */
export async function makeAccount(
  admin: AdminClient,
  email: string,
  { tier = "premium", password = PASSWORD }: { readonly tier?: string; readonly password?: string | null } = {},
): Promise<Account> {
  const { user } = await admin.of(User).create({ email, name: "Chaos", language: "en" });
  const userId = user?.id ?? "";
  if (password !== null) await admin.of(Auth).setPassword({ userId, password });
  await admin.of(Subscription).change({ userId, tier });
  // The first profile and the rights of the plan are made when the events arrive.
  for (let tries = 0; tries < 600; tries += 1) {
    const { profiles } = await admin.of(Profile).list({ userId });
    if (profiles[0]) return { email, userId, profileId: profiles[0].id };
    await pause(50);
  }
  throw new Error(`the account '${email}' got no profile within 30 s`);
}

export async function accessToken(admin: AdminClient, email: string): Promise<string> {
  return (await admin.of(Auth).issueToken({ email })).accessToken;
}
