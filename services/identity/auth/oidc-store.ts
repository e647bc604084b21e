import { createHash } from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { AdapterPayload } from "oidc-provider";
import type { Tx } from "#kernel";

type Tables = {
  oidc: {
    tenant: string;
    model: string;
    id_hash: string;
    payload: AdapterPayload;
    grant_id: string | null;
    account_id: string | null;
    user_code: string | null;
    uid: string | null;
    consumed_at_s: number | null;
    expires_at_ms: number;
  };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

/** Marks an id of which only the hash is known, because the row was found by something else. It is no id that a client can present. */
const HASHED = "#";

const hashOf = (id: string): string =>
  id.startsWith(HASHED) ? id.slice(HASHED.length) : createHash("sha256").update(id).digest("base64url");

const toPayload = (row: Tables["oidc"], id: string): AdapterPayload => ({
  ...row.payload,
  jti: id,
  ...(row.consumed_at_s === null ? {} : { consumed: row.consumed_at_s }),
});

export async function upsert(
  tx: Tx,
  model: string,
  id: string,
  payload: AdapterPayload,
  expiresAtMs: number,
): Promise<void> {
  // The id is the secret that clients present, so it does not enter the payload either.
  const { jti: _, ...rest } = payload;
  const row = {
    payload: sql<AdapterPayload>`${JSON.stringify(rest)}::jsonb`,
    grant_id: payload.grantId ?? null,
    account_id: payload.accountId ?? null,
    user_code: payload.userCode ?? null,
    uid: payload.uid ?? null,
    expires_at_ms: expiresAtMs,
  };
  await tables(tx)
    .insertInto("oidc")
    .values({ tenant: tx.tenant, model, id_hash: hashOf(id), consumed_at_s: null, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "model", "id_hash"]).doUpdateSet(row))
    .execute();
}

export async function find(tx: Tx, model: string, id: string): Promise<AdapterPayload | undefined> {
  if (id.startsWith(HASHED)) return undefined;
  const row = await tables(tx)
    .selectFrom("oidc")
    .selectAll()
    .where("model", "=", model)
    .where("id_hash", "=", hashOf(id))
    .executeTakeFirst();
  return row && toPayload(row, id);
}

export async function findBy(
  tx: Tx,
  model: string,
  column: "user_code" | "uid",
  value: string,
): Promise<AdapterPayload | undefined> {
  const query = tables(tx).selectFrom("oidc").selectAll().where("model", "=", model).where(column, "=", value);
  const row = await query.executeTakeFirst();
  return row && toPayload(row, HASHED + row.id_hash);
}

/** Whether it was not consumed before: of two at the same moment only one is told so. */
export async function consume(tx: Tx, model: string, id: string, nowS: number): Promise<boolean> {
  const result = await tables(tx)
    .updateTable("oidc")
    .set({ consumed_at_s: nowS })
    .where("model", "=", model)
    .where("id_hash", "=", hashOf(id))
    .where("consumed_at_s", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function remove(tx: Tx, model: string, id: string): Promise<void> {
  await tables(tx).deleteFrom("oidc").where("model", "=", model).where("id_hash", "=", hashOf(id)).execute();
}

export async function removeByGrant(tx: Tx, model: string, grantId: string): Promise<void> {
  await tables(tx).deleteFrom("oidc").where("model", "=", model).where("grant_id", "=", grantId).execute();
}

/** Removes a grant, all that was issued under it and the browser session that holds it. */
export async function removeGrant(tx: Tx, accountId: string, grantId: string): Promise<void> {
  const grant = hashOf(grantId);
  await sql`
    DELETE FROM oidc WHERE grant_id = ${grantId}
      OR (model = 'Grant' AND id_hash = ${grant})
      OR (model = 'Session' AND account_id = ${accountId} AND jsonb_path_exists(
            payload, '$.authorizations.*.grantId ? (@ == $grant)', jsonb_build_object('grant', ${grantId}::text)))
  `.execute(tx.q);
}

export async function removeSession(tx: Tx, uid: string): Promise<void> {
  await tables(tx).deleteFrom("oidc").where("model", "=", "Session").where("uid", "=", uid).execute();
}

export async function removeAccount(tx: Tx, accountId: string): Promise<void> {
  await tables(tx).deleteFrom("oidc").where("account_id", "=", accountId).execute();
}

/** Removes rows that ended before `beforeMs`; a bounded number at a time, so that no transaction is long. */
export async function sweep(tx: Tx, beforeMs: number, rowsMax: number): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM oidc WHERE (model, id_hash) IN (
      SELECT model, id_hash FROM oidc WHERE expires_at_ms < ${beforeMs} ORDER BY expires_at_ms LIMIT ${rowsMax})
  `.execute(tx.q);
  return Number(numAffectedRows ?? 0n);
}
