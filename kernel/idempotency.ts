import { createHash } from "node:crypto";
import type { Tx } from "./db.ts";
import { problem } from "./errors.ts";

/**
 * Runs `work` at most once for a client's key, in the caller's transaction: a repetition gets the first answer. The same key with
 * another request is a mistake of the client (draft-ietf-httpapi-idempotency-key-header). Without a key it simply runs.
 */
export async function once<T>(tx: Tx, key: string | null, request: unknown, work: () => Promise<T>): Promise<T> {
  if (key === null) return work();
  if (key.length === 0 || key.length > 200) throw problem.invalid("Idempotency-Key must have 1 to 200 characters");
  const hash = createHash("sha256").update(JSON.stringify(request)).digest("hex");
  const claimed = await tx.executeSql(
    "INSERT INTO idempotency (tenant, key, request) VALUES ($1, $2, $3) ON CONFLICT (tenant, key) DO NOTHING RETURNING key",
    [tx.tenant, key, hash],
  );
  if (claimed.rows.length === 1) {
    await forgetOld(tx);
    const response = await work();
    await tx.executeSql("UPDATE idempotency SET response = $2 WHERE key = $1", [key, JSON.stringify(response)]);
    return response;
  }
  // The insert waited for the first transaction, so its answer is there.
  const { rows } = await tx.executeSql("SELECT request, response FROM idempotency WHERE key = $1", [key]);
  if (rows[0]?.["request"] !== hash) {
    throw problem.precondition("this Idempotency-Key was used for another request: send a new key", {
      reason: "idempotency_key_reused",
    });
  }
  return rows[0]?.["response"] as T;
}

/** Keys are kept for a day. Each new one takes a few old ones along, so that the table stays bounded without a timer. */
async function forgetOld(tx: Tx): Promise<void> {
  await tx.executeSql(
    `DELETE FROM idempotency WHERE key IN
       (SELECT key FROM idempotency WHERE created_at < now() - interval '1 day' ORDER BY created_at LIMIT 20 FOR UPDATE SKIP LOCKED)`,
    [],
  );
}
