import type { Kysely } from "kysely";
import type { Tx } from "#kernel";
import type { DeviceIdentity } from "./domain.ts";

export interface Device extends DeviceIdentity {
  readonly userId: string;
  readonly profileId: string;
  /** Null while the device is signed out. */
  readonly grantId: string | null;
  readonly lastSeenAtMs: number;
}

export interface Credential {
  readonly userId: string;
  readonly passwordHash: string;
  readonly isEmailProven: boolean;
  readonly changedAtMs: number;
}

export interface Brokered {
  readonly stateHash: string;
  readonly provider: string;
  readonly interaction: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly expiresAtMs: number;
}

type Tables = {
  credentials: {
    tenant: string;
    user_id: string;
    password_hash: string;
    email_proven: boolean;
    changed_at_ms: number;
  };
  identities: { tenant: string; provider: string; subject: string; user_id: string; linked_at_ms: number };
  devices: {
    tenant: string;
    user_id: string;
    device_id: string;
    name: string;
    type: string;
    profile_id: string;
    grant_id: string | null;
    last_seen_at_ms: number;
  };
  networks: { tenant: string; user_id: string; network_hash: string; last_seen_at_ms: number };
  resets: { tenant: string; token_hash: string; user_id: string; expires_at_ms: number };
  brokered: {
    tenant: string;
    state_hash: string;
    provider: string;
    interaction: string;
    nonce: string;
    code_verifier: string;
    expires_at_ms: number;
  };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

// Credentials

export async function credential(tx: Tx, userId: string): Promise<Credential | undefined> {
  const row = await tables(tx).selectFrom("credentials").selectAll().where("user_id", "=", userId).executeTakeFirst();
  return (
    row && {
      userId,
      passwordHash: row.password_hash,
      isEmailProven: row.email_proven,
      changedAtMs: row.changed_at_ms,
    }
  );
}

export async function saveCredential(tx: Tx, next: Credential): Promise<void> {
  const row = {
    password_hash: next.passwordHash,
    email_proven: next.isEmailProven,
    changed_at_ms: next.changedAtMs,
  };
  await tables(tx)
    .insertInto("credentials")
    .values({ tenant: tx.tenant, user_id: next.userId, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "user_id"]).doUpdateSet(row))
    .execute();
}

export async function removeCredential(tx: Tx, userId: string): Promise<void> {
  await tables(tx).deleteFrom("credentials").where("user_id", "=", userId).execute();
}

// Identities at other providers

export async function identity(tx: Tx, provider: string, subject: string): Promise<string | undefined> {
  const row = await tables(tx)
    .selectFrom("identities")
    .select("user_id")
    .where("provider", "=", provider)
    .where("subject", "=", subject)
    .executeTakeFirst();
  return row?.user_id;
}

export async function link(
  tx: Tx,
  linked: { readonly provider: string; readonly subject: string; readonly userId: string; readonly nowMs: number },
): Promise<void> {
  const { provider, subject, userId, nowMs } = linked;
  await tables(tx)
    .insertInto("identities")
    .values({ tenant: tx.tenant, provider, subject, user_id: userId, linked_at_ms: nowMs })
    .onConflict((conflict) => conflict.columns(["tenant", "provider", "subject"]).doUpdateSet({ user_id: userId }))
    .execute();
}

// Devices

const toDevice = (row: Tables["devices"]): Device => ({
  id: row.device_id,
  name: row.name,
  type: row.type,
  userId: row.user_id,
  profileId: row.profile_id,
  grantId: row.grant_id,
  lastSeenAtMs: row.last_seen_at_ms,
});

export async function device(tx: Tx, userId: string, deviceId: string): Promise<Device | undefined> {
  const row = await tables(tx)
    .selectFrom("devices")
    .selectAll()
    .where("user_id", "=", userId)
    .where("device_id", "=", deviceId)
    .executeTakeFirst();
  return row && toDevice(row);
}

export async function deviceByGrant(tx: Tx, grantId: string): Promise<Device | undefined> {
  const row = await tables(tx).selectFrom("devices").selectAll().where("grant_id", "=", grantId).executeTakeFirst();
  return row && toDevice(row);
}

/** The devices of an account that hold a grant, the last seen first. */
export async function devices(tx: Tx, userId: string, limit: number): Promise<Device[]> {
  const rows = await tables(tx)
    .selectFrom("devices")
    .selectAll()
    .where("user_id", "=", userId)
    .where("grant_id", "is not", null)
    .orderBy("last_seen_at_ms", "desc")
    .orderBy("device_id")
    .limit(limit)
    .execute();
  return rows.map(toDevice);
}

export async function saveDevice(tx: Tx, next: Device): Promise<void> {
  const row = {
    name: next.name,
    type: next.type,
    profile_id: next.profileId,
    grant_id: next.grantId,
    last_seen_at_ms: next.lastSeenAtMs,
  };
  await tables(tx)
    .insertInto("devices")
    .values({ tenant: tx.tenant, user_id: next.userId, device_id: next.id, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "user_id", "device_id"]).doUpdateSet(row))
    .execute();
}

/** Whether the device was there. */
export async function chooseProfile(tx: Tx, userId: string, deviceId: string, profileId: string): Promise<boolean> {
  const result = await tables(tx)
    .updateTable("devices")
    .set({ profile_id: profileId })
    .where("user_id", "=", userId)
    .where("device_id", "=", deviceId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function touchDevice(tx: Tx, grantId: string, nowMs: number): Promise<Device | undefined> {
  const row = await tables(tx)
    .updateTable("devices")
    .set({ last_seen_at_ms: nowMs })
    .where("grant_id", "=", grantId)
    .returningAll()
    .executeTakeFirst();
  return row && toDevice(row);
}

/** Takes the grant from the device that holds it; undefined where none does. */
export async function releaseGrant(tx: Tx, grantId: string): Promise<Device | undefined> {
  const row = await tables(tx)
    .updateTable("devices")
    .set({ grant_id: null })
    .where("grant_id", "=", grantId)
    .returningAll()
    .executeTakeFirst();
  return row && toDevice(row);
}

export async function removeDevice(tx: Tx, userId: string, deviceId: string): Promise<void> {
  await tables(tx).deleteFrom("devices").where("user_id", "=", userId).where("device_id", "=", deviceId).execute();
}

/** A deleted profile is shown by no device. */
export async function forgetProfile(tx: Tx, userId: string, profileId: string): Promise<void> {
  await tables(tx)
    .updateTable("devices")
    .set({ profile_id: "" })
    .where("user_id", "=", userId)
    .where("profile_id", "=", profileId)
    .execute();
}

// Networks

export async function isKnownNetwork(tx: Tx, userId: string, networkHash: string): Promise<boolean> {
  const row = await tables(tx)
    .selectFrom("networks")
    .select("user_id")
    .where("user_id", "=", userId)
    .where("network_hash", "=", networkHash)
    .executeTakeFirst();
  return row !== undefined;
}

export async function rememberNetwork(tx: Tx, userId: string, networkHash: string, nowMs: number): Promise<void> {
  await tables(tx)
    .insertInto("networks")
    .values({ tenant: tx.tenant, user_id: userId, network_hash: networkHash, last_seen_at_ms: nowMs })
    .onConflict((conflict) =>
      conflict.columns(["tenant", "user_id", "network_hash"]).doUpdateSet({ last_seen_at_ms: nowMs }),
    )
    .execute();
}

// Password resets

export async function saveReset(tx: Tx, userId: string, tokenHash: string, expiresAtMs: number): Promise<void> {
  await tables(tx)
    .insertInto("resets")
    .values({ tenant: tx.tenant, token_hash: tokenHash, user_id: userId, expires_at_ms: expiresAtMs })
    .execute();
}

/** Uses a reset up: its account when it was still good. Every other reset of that account goes with it. */
export async function takeReset(tx: Tx, tokenHash: string, nowMs: number): Promise<string | undefined> {
  const row = await tables(tx)
    .deleteFrom("resets")
    .where("token_hash", "=", tokenHash)
    .where("expires_at_ms", ">", nowMs)
    .returning("user_id")
    .executeTakeFirst();
  if (row) await tables(tx).deleteFrom("resets").where("user_id", "=", row.user_id).execute();
  return row?.user_id;
}

// Brokered sign-ins

export async function saveBrokered(tx: Tx, started: Brokered): Promise<void> {
  await tables(tx)
    .insertInto("brokered")
    .values({
      tenant: tx.tenant,
      state_hash: started.stateHash,
      provider: started.provider,
      interaction: started.interaction,
      nonce: started.nonce,
      code_verifier: started.codeVerifier,
      expires_at_ms: started.expiresAtMs,
    })
    .execute();
}

/** Takes a brokered sign-in that was begun and not yet finished; a second time there is none. */
export async function takeBrokered(
  tx: Tx,
  stateHash: string,
  provider: string,
  nowMs: number,
): Promise<Brokered | undefined> {
  const row = await tables(tx)
    .deleteFrom("brokered")
    .where("state_hash", "=", stateHash)
    .where("provider", "=", provider)
    .where("expires_at_ms", ">", nowMs)
    .returningAll()
    .executeTakeFirst();
  return (
    row && {
      stateHash,
      provider,
      interaction: row.interaction,
      nonce: row.nonce,
      codeVerifier: row.code_verifier,
      expiresAtMs: row.expires_at_ms,
    }
  );
}

// Ends

/** Removes everything that is kept of an account here, apart from what the OpenID provider keeps. */
export async function removeUser(tx: Tx, userId: string): Promise<void> {
  for (const table of ["credentials", "identities", "devices", "networks", "resets"] as const)
    await tables(tx).deleteFrom(table).where("user_id", "=", userId).execute();
}

export interface Ends {
  readonly nowMs: number;
  /** Devices not seen since then hold nothing that is still good. */
  readonly signedOutBeforeMs: number;
  /** Devices and networks not seen since then are strangers again. */
  readonly forgottenBeforeMs: number;
}

/** Removes what time has ended: unused resets and brokered sign-ins, grants of devices and devices long gone. */
export async function sweep(tx: Tx, { nowMs, signedOutBeforeMs, forgottenBeforeMs }: Ends): Promise<void> {
  await tables(tx)
    .updateTable("devices")
    .set({ grant_id: null })
    .where("grant_id", "is not", null)
    .where("last_seen_at_ms", "<", signedOutBeforeMs)
    .execute();
  await tables(tx).deleteFrom("resets").where("expires_at_ms", "<=", nowMs).execute();
  await tables(tx).deleteFrom("brokered").where("expires_at_ms", "<=", nowMs).execute();
  await tables(tx).deleteFrom("networks").where("last_seen_at_ms", "<", forgottenBeforeMs).execute();
  await tables(tx)
    .deleteFrom("devices")
    .where("grant_id", "is", null)
    .where("last_seen_at_ms", "<", forgottenBeforeMs)
    .execute();
}
