import { type Kysely, sql } from "kysely";
import type { ModelTx } from "#kernel";
import type { Entry } from "./domain-title.ts";

type Tables = {
  entries: { tenant: string; content_id: string; revision: number; entry: string | null };
  heads: { tenant: string; generation: number; revision: number };
};

const tables = (tx: Pick<ModelTx, "q">): Kysely<Tables> => tx.q.withTables<Tables>();

export interface Head {
  readonly generation: number;
  readonly revision: number;
}

const NO_HEAD: Head = { generation: 0, revision: 0 };

export async function head(tx: ModelTx): Promise<Head> {
  const row = await tables(tx).selectFrom("heads").select(["generation", "revision"]).executeTakeFirst();
  return row ?? NO_HEAD;
}

/** The head, held until the transaction ends: no other change of entries is under way then. */
export async function lockHead(tx: ModelTx): Promise<Head> {
  await tables(tx)
    .insertInto("heads")
    .values({ tenant: tx.tenant, ...NO_HEAD })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await tables(tx).selectFrom("heads").select(["generation", "revision"]).forUpdate().executeTakeFirst();
  return row ?? NO_HEAD;
}

export async function saveHead(tx: ModelTx, next: Head): Promise<void> {
  await tables(tx)
    .updateTable("heads")
    .set({ ...next })
    .execute();
}

export interface Change {
  readonly contentId: string;
  /** Null: it cannot be found. */
  readonly entry: Entry | null;
}

/** Writes entries under the revisions after one, and returns the last. */
export async function write(tx: ModelTx, changes: readonly Change[], afterRevision: number): Promise<number> {
  if (changes.length === 0) return afterRevision;
  const texts = changes.map(({ entry }) => (entry === null ? null : JSON.stringify(entry)));
  await sql`
    INSERT INTO entries (tenant, content_id, revision, entry)
    SELECT ${tx.tenant}, content_id, ${afterRevision}::bigint + place, entry
      FROM unnest(${changes.map(({ contentId }) => contentId)}::text[], ${texts}::text[]) WITH ORDINALITY
        AS changed (content_id, entry, place)
    ON CONFLICT (tenant, content_id) DO UPDATE SET revision = EXCLUDED.revision, entry = EXCLUDED.entry`.execute(tx.q);
  return afterRevision + changes.length;
}

export interface Changed {
  readonly contentId: string;
  readonly revision: number;
  readonly entry: string | null;
}

/** What changed after a revision, in order. */
export async function changedAfter(tx: ModelTx, revision: number, limit: number): Promise<Changed[]> {
  const rows = await tables(tx)
    .selectFrom("entries")
    .select(["content_id", "revision", "entry"])
    .where("revision", ">", revision)
    .orderBy("revision")
    .limit(limit)
    .execute();
  return rows.map(({ content_id: contentId, revision: at, entry }) => ({ contentId, revision: at, entry }));
}
