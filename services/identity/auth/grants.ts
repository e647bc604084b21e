import type Provider from "oidc-provider";
import type { Grant } from "oidc-provider";
import type { DeviceIdentity, LogoutReason } from "./domain.ts";
import { OIDC_SCOPE, RESOURCE, RESOURCE_SCOPE } from "./domain.ts";
import * as oidc from "./oidc-store.ts";
import type { AuthTx } from "./parts.ts";
import * as store from "./store.ts";

/**
 * Grants and devices. A grant is what one device holds: every token comes from it, and when it ends, all of them end. Our
 * clients are our own, so a grant is made without asking for consent.
 */
export async function newGrant(provider: Provider, accountId: string, clientId: string): Promise<Grant> {
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(OIDC_SCOPE);
  grant.addResourceScope(RESOURCE, RESOURCE_SCOPE);
  await grant.save();
  return grant;
}

export interface Binding {
  readonly device: DeviceIdentity;
  readonly userId: string;
  readonly grantId: string;
  /** Undefined keeps the profile that the device showed before. */
  readonly profileId?: string;
  /** How the person proved who they are; undefined when nobody signed in just now. */
  readonly method: string | undefined;
  readonly nowMs: number;
}

/** Gives a device its grant. What it held before ends without a word: the same person sits at the same device. */
export async function bindDevice(tx: AuthTx, binding: Binding): Promise<void> {
  const { device, userId, grantId, profileId, method, nowMs } = binding;
  const known = await store.device(tx, userId, device.id);
  if (known?.grantId && known.grantId !== grantId) await oidc.removeGrant(tx, userId, known.grantId);
  await store.saveDevice(tx, {
    ...device,
    userId,
    grantId,
    profileId: profileId ?? known?.profileId ?? "",
    lastSeenAtMs: nowMs,
  });
  if (method !== undefined) tx.emit("login", { userId, deviceId: device.id, method });
}

/** Ends a grant: its tokens, the browser session behind it, its place at the device. A second time nothing happens. Whose it was; empty where nobody knows. */
export async function endGrant(tx: AuthTx, grantId: string, reason: LogoutReason): Promise<string> {
  const device = await store.releaseGrant(tx, grantId);
  await oidc.removeGrant(tx, device?.userId ?? "", grantId);
  if (device) tx.emit("logout", { userId: device.userId, deviceId: device.id, reason });
  return device?.userId ?? "";
}

const DEVICES_MAX = 1_000;

/** Signs an account out everywhere. */
export async function endAll(tx: AuthTx, userId: string, reason: LogoutReason): Promise<void> {
  for (const { grantId } of await store.devices(tx, userId, DEVICES_MAX))
    if (grantId !== null) await endGrant(tx, grantId, reason);
  // Sessions and sign-ins under way hold no device's grant yet.
  await oidc.removeAccount(tx, userId);
}
