import type { Span } from "@opentelemetry/api";
import { type Clock, systemClock } from "./clock.ts";
import { problem } from "./errors.ts";

/** Who is watching, as the access token says. Verified at the edge of the system and trusted inside it. */
export interface Viewer {
  readonly userId: string;
  /** Empty until a profile was chosen. */
  readonly profileId: string;
  readonly tier: string;
  readonly deviceId: string;
  /** The compact entitlements of the access token. */
  readonly entitlements: readonly string[];
}

/** For whom, by whom and until when: handed through every call. */
export interface Context {
  readonly tenant: string;
  /** The service or BFF that calls. */
  readonly caller: string;
  readonly viewer: Viewer | null;
  /** When the caller stops waiting, in milliseconds since the epoch. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly span: Span | null;
  /** A client's key for a change that must happen once. */
  readonly idempotencyKey: string | null;
}

const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;

export const isTenant = (text: string): boolean => TENANT.test(text);

/** Asserted wherever a tenant enters (host name, token, event header), because it becomes part of SQL settings and keys. */
export function assertTenant(tenant: string): string {
  if (!isTenant(tenant)) throw problem.invalid(`tenant '${tenant.slice(0, 80)}' is not of the form ${TENANT.source}`);
  return tenant;
}

export const DEFAULT_DEADLINE_MS = 10_000;

/** A context for work that no client asked for: jobs, timers, consumers, start-up. */
export function systemContext(
  tenant: string,
  caller: string,
  options: { readonly deadlineMs?: number; readonly signal?: AbortSignal; readonly clock?: Clock } = {},
): Context {
  const clock = options.clock ?? systemClock;
  return {
    tenant: assertTenant(tenant),
    caller,
    viewer: null,
    deadlineMs: clock.nowMs() + (options.deadlineMs ?? DEFAULT_DEADLINE_MS),
    signal: options.signal ?? NEVER,
    span: null,
    idempotencyKey: null,
  };
}

const NEVER = new AbortController().signal;

/** The viewer of a call that needs one, with a profile chosen. */
export function requireProfile(context: Context): Viewer {
  const viewer = requireUser(context);
  if (viewer.profileId === "") {
    throw problem.denied("choose a profile first", { reason: "profile_required" });
  }
  return viewer;
}

/** A viewer acts for the profile that was chosen on the device and for no other; operators and services act for any. */
export function assertOwnProfile({ viewer }: Context, profileId: string): void {
  if (viewer && (profileId === "" || viewer.profileId !== profileId))
    throw problem.denied("this is another profile's: choose it first", { reason: "not_yours" });
}

/** Says whose profile one is, as the contract of profiles does. */
interface Profiles {
  readonly profile: {
    get(
      request: { profileId: string },
      context: Context,
    ): Promise<{ readonly profile?: { readonly userId: string } | undefined }>;
  };
}

/** Whose profile it is. Viewers see the one that they chose; operators and services may name any. */
export async function ownerOf(
  { call }: { readonly call: Profiles },
  context: Context,
  profileId: string,
): Promise<string> {
  assertOwnProfile(context, profileId);
  if (context.viewer) return context.viewer.userId;
  const { profile } = await call.profile.get({ profileId }, context);
  return profile?.userId ?? "";
}

/** The viewer of a call that needs a signed-in person. */
export function requireUser(context: Context): Viewer {
  if (!context.viewer) throw problem.unauthenticated("sign in first", { reason: "signed_out" });
  return context.viewer;
}
