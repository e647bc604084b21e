import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import type { Profile as ProfileMessage } from "#contracts/profile";
import { Account, type AgeRating, NewProfile, Profile, ProfileChange, SelectProfile, Viewer } from "#contracts/web";
import { type Context, problem, requireUser, toProblem } from "#kernel";
import type { WebParts } from "./parts.ts";
import { Id, type Route, route } from "./route.ts";
import { streamsOf } from "./streams.ts";
import { isoOf, profileOf } from "./views.ts";

const PROFILES_MAX = 5;
const COLORS = ["#8a5a44", "#3f6b6e", "#6b4f7d", "#7d6b3a", "#44618a", "#8a4459"];

async function viewerPage(parts: WebParts, context: Context): Promise<Viewer> {
  const { call, config, demoAccounts } = parts;
  const { tenant } = await call.tenant.get({ id: context.tenant }, context);
  const brand = {
    name: tenant?.name ?? "Marquee",
    accent: /^#[0-9a-f]{6}$/.test(tenant?.accent ?? "") ? (tenant?.accent ?? "") : "#e8a33d",
  };
  const signInWith = [
    config.MARQUEE_GOOGLE_CLIENT_ID ? "google" : "",
    config.MARQUEE_APPLE_CLIENT_ID ? "apple" : "",
  ].filter(Boolean);
  const signedOut = { user: null, profile: null, brand, signInWith, demoAccounts: [...demoAccounts] };
  const viewer = context.viewer;
  if (!viewer) return signedOut;
  const user = await call.user.get({ userId: viewer.userId }, context).catch((error: unknown) => {
    // The account is gone while the token is still good: for the page that is signed out.
    if (toProblem(error).code === "not_found") return null;
    throw error;
  });
  if (!user?.user) return signedOut;
  const { profiles } = await call.profile.list({ userId: viewer.userId }, context);
  const profile = profiles.find((candidate) => candidate.id === viewer.profileId);
  const { id, name, email } = user.user;
  return {
    ...signedOut,
    user: { id, name, email, tier: tierOf(viewer.tier) },
    profile: profile ? profileOf(profile) : null,
  };
}

const tierOf = (tier: string): "basic" | "premium" => (tier === "premium" ? "premium" : "basic");

async function account(parts: WebParts, context: Context): Promise<Account> {
  const { call } = parts;
  const { userId, deviceId } = requireUser(context);
  const [{ user }, { subscription }, { plans }, { devices }, streams] = await Promise.all([
    call.user.get({ userId }, context),
    call.subscription.get({ userId }, context),
    call.subscription.plans({}, context),
    call.auth.listDevices({ userId }, context),
    streamsOf(parts, context),
  ]);
  const plan = subscription?.plan;
  return {
    email: user?.email ?? "",
    name: user?.name ?? "",
    plan: {
      tier: tierOf(plan?.tier ?? ""),
      label: plan?.label ?? "",
      streamsMax: plan?.streamsMax ?? 0,
      qualityLabel: plan?.qualityLabel ?? "",
      renewsAt: subscription && subscription.renewsAtMs > 0n ? isoOf(subscription.renewsAtMs) : null,
    },
    plans: plans.map(({ tier, label, priceLabel, streamsMax, qualityLabel }) => ({
      tier: tierOf(tier),
      label,
      priceLabel,
      streamsMax,
      qualityLabel,
    })),
    devices: devices.map(({ id, name, type, lastSeenAtMs }) => ({
      id,
      name,
      type: type as "web",
      lastSeenAt: isoOf(lastSeenAtMs),
      isThis: id === deviceId,
    })),
    streams,
  };
}

const ageOf = (age: AgeRating | undefined): { ageRatingMax?: number } =>
  age === undefined ? {} : { ageRatingMax: Number(age) };

const FIRST_PROFILE_MS_MAX = 3_000;
const FIRST_PROFILE_LOOK_MS = 50;

/** The first profile is made when the account's event arrives, a moment after sign-up: whoever asks in that moment waits for it. */
async function profilesOf({ call, clock }: WebParts, userId: string, context: Context): Promise<ProfileMessage[]> {
  const untilMs = clock.nowMs() + FIRST_PROFILE_MS_MAX;
  for (;;) {
    const { profiles } = await call.profile.list({ userId }, context);
    if (profiles.length > 0 || clock.nowMs() > untilMs || context.signal.aborted) return profiles;
    await setTimeout(FIRST_PROFILE_LOOK_MS);
  }
}

export const peopleRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/viewer", operationId: "getViewer", tag: "account", auth: "none", status: 200 },
    summary: "Who is looking; answers also when nobody is signed in.",
    response: Viewer,
    handle: (parts, { context }) => viewerPage(parts, context),
  }),
  route({
    ...{ method: "GET", path: "/profiles", operationId: "listProfiles", tag: "profiles", auth: "user", status: 200 },
    summary: "The profiles of the account.",
    response: z.object({ profiles: z.array(Profile), max: z.int() }),
    handle: async (parts, { context, viewer }) => {
      const profiles = await profilesOf(parts, viewer?.userId ?? "", context);
      return { profiles: profiles.map(profileOf), max: PROFILES_MAX };
    },
  }),
  route({
    ...{ method: "POST", path: "/profiles", operationId: "createProfile", tag: "profiles", auth: "user", status: 201 },
    summary: "Makes a profile.",
    body: NewProfile,
    response: Profile,
    handle: async (parts, { context, viewer, body }) => {
      const avatar = body.avatar ?? {
        shape: Math.floor(Math.random() * 12),
        color: COLORS[Math.floor(Math.random() * COLORS.length)] ?? "#8a5a44",
      };
      const { profile } = await parts.call.profile.create(
        {
          userId: viewer?.userId ?? "",
          name: body.name,
          isKids: body.isKids,
          language: body.language ?? "",
          avatarShape: avatar.shape,
          avatarColor: avatar.color,
          ...ageOf(body.ageRatingMax),
        },
        context,
      );
      if (!profile) throw problem.internal("the profile was not made");
      return profileOf(profile);
    },
  }),
  route({
    ...{
      method: "PATCH",
      path: "/profiles/{id}",
      operationId: "updateProfile",
      tag: "profiles",
      auth: "user",
      status: 200,
    },
    summary: "Changes a profile; a null PIN removes it.",
    params: Id,
    body: ProfileChange,
    response: Profile,
    handle: async (parts, { context, viewer, params, body }) => {
      const { pin, avatar, ageRatingMax, name, isKids, language } = body;
      const { profile } = await parts.call.profile.update(
        {
          userId: viewer?.userId ?? "",
          profileId: params.id,
          ...ageOf(ageRatingMax),
          ...(name === undefined ? {} : { name }),
          ...(isKids === undefined ? {} : { isKids }),
          ...(language === undefined ? {} : { language }),
          ...(avatar ? { avatarShape: avatar.shape, avatarColor: avatar.color } : {}),
          ...(typeof pin === "string" ? { pin } : {}),
          removePin: pin === null,
        },
        context,
      );
      if (!profile) throw problem.internal("the profile was not changed");
      return profileOf(profile);
    },
  }),
  route({
    ...{
      method: "DELETE",
      path: "/profiles/{id}",
      operationId: "deleteProfile",
      tag: "profiles",
      auth: "user",
      status: 204,
    },
    summary: "Deletes a profile with its progress and its list.",
    params: Id,
    handle: async (parts, { context, viewer, params }) => {
      await parts.call.profile.delete({ userId: viewer?.userId ?? "", profileId: params.id }, context);
    },
  }),
  route({
    ...{
      method: "POST",
      path: "/profiles/{id}/select",
      operationId: "selectProfile",
      tag: "profiles",
      auth: "user",
      status: 204,
    },
    summary: "Makes a profile the one that is watching on this device.",
    params: Id,
    body: SelectProfile,
    handle: async (parts, { context, viewer, params, body, request, reply, cookies }) => {
      const { userId = "", deviceId = "" } = viewer ?? {};
      await parts.call.auth.chooseProfile({ userId, deviceId, profileId: params.id, pin: body.pin ?? "" }, context);
      await cookies.renew(request, reply);
    },
  }),
  route({
    ...{ method: "GET", path: "/account", operationId: "getAccount", tag: "account", auth: "user", status: 200 },
    summary: "Plan, devices and active streams.",
    response: Account,
    handle: (parts, { context }) => account(parts, context),
  }),
  route({
    ...{ method: "PUT", path: "/account/plan", operationId: "changePlan", tag: "account", auth: "user", status: 200 },
    summary: "Changes the plan.",
    body: z.object({ tier: z.enum(["basic", "premium"]) }),
    response: Account,
    handle: async (parts, { context, viewer, body, request, reply, cookies }) => {
      await parts.call.subscription.change({ userId: viewer?.userId ?? "", tier: body.tier }, context);
      await cookies.renew(request, reply);
      return account(parts, context);
    },
  }),
  route({
    ...{
      method: "DELETE",
      path: "/devices/{id}",
      operationId: "removeDevice",
      tag: "account",
      auth: "user",
      status: 204,
    },
    summary: "Signs a device out.",
    params: z.object({ id: z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/) }),
    handle: async (parts, { context, viewer, params }) => {
      await parts.call.auth.removeDevice({ userId: viewer?.userId ?? "", deviceId: params.id }, context);
    },
  }),
  route({
    ...{ method: "DELETE", path: "/streams/{id}", operationId: "endStream", tag: "account", auth: "user", status: 204 },
    summary: "Ends one of the account's active streams, wherever it plays.",
    params: Id,
    handle: async (parts, { context, params }) => {
      await parts.call.session.stop({ sessionId: params.id, reason: "removed" }, context);
    },
  }),
];
