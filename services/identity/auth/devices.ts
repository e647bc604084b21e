import type { DeviceCode } from "oidc-provider";
import type Provider from "oidc-provider";
import { type Context, newId, problem } from "#kernel";
import { deviceOf, networkOf, normalizeUserCode, OIDC_SCOPE, RESOURCE, RESOURCE_SCOPE, USER_CODE } from "./domain.ts";
import { bindDevice, endGrant, newGrant } from "./grants.ts";
import { allow } from "./guard.ts";
import { asTenant, type Parts } from "./parts.ts";
import * as store from "./store.ts";

const DEVICES_MAX = 100;
/** A code has 26 bits and lives ten minutes: so few guesses that nobody finds one. */
const CODE_TRIES_MAX = 20;
const CODE_WINDOW_S = 600;

/** Remembers the profile that a device shows, if the switch is allowed. Its next access token says so. */
export async function chooseProfile(
  parts: Parts,
  context: Context,
  request: { readonly userId: string; readonly deviceId: string; readonly profileId: string; readonly pin: string },
): Promise<void> {
  const { call, db } = parts;
  const { userId, deviceId, profileId, pin } = request;
  const device = await db.tx(context, (tx) => store.device(tx, userId, deviceId));
  if (!device) throw unknownDevice(deviceId);
  await call.profile.switch({ userId, fromProfileId: device.profileId, toProfileId: profileId, pin }, context);
  await db.tx(context, (tx) => store.chooseProfile(tx, userId, deviceId, profileId));
}

export const listDevices = ({ db }: Parts, context: Context, userId: string): Promise<store.Device[]> =>
  db.tx(context, (tx) => store.devices(tx, userId, DEVICES_MAX));

/** Signs a device out and forgets it. */
export async function removeDevice(
  { db }: Parts,
  context: Context,
  { userId, deviceId }: { readonly userId: string; readonly deviceId: string },
): Promise<void> {
  await db.tx(context, async (tx) => {
    const device = await store.device(tx, userId, deviceId);
    if (!device) throw unknownDevice(deviceId);
    if (device.grantId !== null) await endGrant(tx, device.grantId, "removed");
    await store.removeDevice(tx, userId, deviceId);
  });
}

/** The name of the device that shows a code, so that a person can see whether it is theirs. */
export async function checkUserCode(
  parts: Parts,
  context: Context,
  { userCode, ip }: { readonly userCode: string; readonly ip: string },
): Promise<string> {
  const who = context.viewer?.userId ?? networkOf(ip);
  await allow(parts.cache, context, { what: "user-code", who, max: CODE_TRIES_MAX, windowS: CODE_WINDOW_S });
  return asTenant(parts, context, async (provider) => deviceBehind(await codeOf(provider, userCode)).name);
}

/** Signs the device that shows a code in to an account. The profile goes with it if the account may show it there without more. */
export async function confirmUserCode(
  parts: Parts,
  context: Context,
  request: { readonly userCode: string; readonly userId: string; readonly profileId: string },
): Promise<void> {
  const { cache, call, clock, db } = parts;
  const { userCode, userId, profileId } = request;
  await allow(cache, context, { what: "user-code", who: userId, max: CODE_TRIES_MAX, windowS: CODE_WINDOW_S });
  if (profileId !== "") {
    const fromProfileId = context.viewer?.profileId ?? "";
    await call.profile.switch({ userId, fromProfileId, toProfileId: profileId, pin: "" }, context);
  }
  await asTenant(parts, context, async (provider) => {
    const code = await codeOf(provider, userCode);
    const clientId = code.clientId ?? "";
    const nowMs = clock.nowMs();
    const device = deviceOf(code.params ?? {}, clientId, () => newId("dev", nowMs));
    const grant = await newGrant(provider, userId, clientId);
    await db.tx(context, (tx) =>
      bindDevice(tx, { device, userId, grantId: grant.jti, profileId, method: "device", nowMs }),
    );
    code.accountId = userId;
    code.grantId = grant.jti;
    code.scope = `${OIDC_SCOPE} ${RESOURCE_SCOPE}`;
    code.resource = RESOURCE;
    code.amr = ["device"];
    code.authTime = Math.floor(nowMs / 1_000);
    await code.save();
  });
}

async function codeOf(provider: Provider, typed: string): Promise<DeviceCode> {
  const userCode = normalizeUserCode(typed);
  const code = USER_CODE.test(userCode) ? await provider.DeviceCode.findByUserCode(userCode) : undefined;
  if (!code || code.isExpired || code.consumed || code.accountId || code.error)
    throw problem.notFound("no device shows this code now: look again, or ask the device for a new one", {
      reason: "code_unknown",
    });
  return code;
}

const deviceBehind = (code: DeviceCode) => deviceOf(code.params ?? {}, code.clientId ?? "", () => "");

const unknownDevice = (id: string) =>
  problem.notFound(`device '${id.slice(0, 64)}' is not signed in to this account`, { reason: "device_unknown" });
