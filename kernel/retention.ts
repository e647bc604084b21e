import { SEEN_FOR } from "./inbox.ts";
import { roleOf } from "./migrate.ts";
import { identifier, inTransaction, type Pool } from "./sql.ts";

export const SWEEP_EVERY_MS = 3_600_000;

/**
 * Removes what outlived its purpose in the tables that every service has, also where nothing comes that would take it along: ids
 * of handled events, of whatever topic, and answers to requests that nobody repeats any more. Outboxes empty themselves, marks are bounded.
 */
export async function sweepOutlived(pool: Pool, service: string): Promise<void> {
  const schema = identifier(service);
  await inTransaction(pool, `SET LOCAL ROLE ${identifier(roleOf(service))}`, async (client) => {
    await client.query(`DELETE FROM ${schema}.seen WHERE seen_at < now() - $1::interval`, [SEEN_FOR]);
    // Of every tenant: the policy `outlived` lets old rows be deleted, and nobody see them.
    await client.query(`DELETE FROM ${schema}.idempotency`);
  });
}
