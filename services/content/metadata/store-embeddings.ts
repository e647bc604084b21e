import type { Kysely } from "kysely";
import type { Tx } from "#kernel";

type Row = {
  tenant: string;
  content_id: string;
  maker: string;
  vector: Uint8Array;
};

const tables = (tx: Tx): Kysely<{ embeddings: Row }> => tx.q.withTables<{ embeddings: Row }>();

export interface StoredEmbedding {
  readonly contentId: string;
  /** The model and its version: only vectors of one maker can be compared. */
  readonly maker: string;
  /** As `packVector` writes it. */
  readonly vector: Uint8Array;
}

const toEmbedding = ({ content_id: contentId, maker, vector }: Omit<Row, "tenant">): StoredEmbedding => ({
  ...{ contentId, maker, vector },
});

export async function save(tx: Tx, contentId: string, maker: string, vector: Uint8Array): Promise<void> {
  // The driver writes buffers as bytes, and other views as JSON.
  const row = { maker, vector: Buffer.from(vector) };
  await tables(tx)
    .insertInto("embeddings")
    .values({ tenant: tx.tenant, content_id: contentId, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "content_id"]).doUpdateSet(row))
    .execute();
}

export async function ofTitle(tx: Tx, contentId: string): Promise<StoredEmbedding | undefined> {
  const row = await tables(tx)
    .selectFrom("embeddings")
    .select(["content_id", "maker", "vector"])
    .where("content_id", "=", contentId)
    .executeTakeFirst();
  return row && toEmbedding(row);
}

/** Those of other titles by the same maker, in the order of their ids. */
export async function othersAfter(
  tx: Tx,
  own: StoredEmbedding,
  of: { readonly afterId: string; readonly limit: number },
): Promise<StoredEmbedding[]> {
  const rows = await tables(tx)
    .selectFrom("embeddings")
    .select(["content_id", "maker", "vector"])
    .where("content_id", ">", of.afterId)
    .where("content_id", "!=", own.contentId)
    .where("maker", "=", own.maker)
    .orderBy("content_id")
    .limit(of.limit)
    .execute();
  return rows.map(toEmbedding);
}
