import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Profile } from "./domain.ts";

type Tables = {
  profiles: {
    tenant: string;
    id: string;
    user_id: string;
    name: string;
    is_kids: boolean;
    age_rating_max: number;
    language: string;
    avatar_shape: number;
    avatar_color: string;
    pin_hash: string | null;
    created_at_ms: number;
  };
};

const LIST_MAX = 100;

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const toProfile = (row: Tables["profiles"]): Profile => ({
  id: row.id,
  userId: row.user_id,
  name: row.name,
  isKids: row.is_kids,
  hasPin: row.pin_hash !== null,
  ageRatingMax: row.age_rating_max,
  language: row.language,
  avatarShape: row.avatar_shape,
  avatarColor: row.avatar_color,
  createdAtMs: row.created_at_ms,
});

/** Lets one transaction at a time change an account's profiles; rows alone could not guard the count. */
export async function lockAccount(tx: Tx, userId: string): Promise<Profile[]> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`profile/${tx.tenant}/${userId}`}, 0))`.execute(tx.q);
  return list(tx, userId);
}

export async function list(tx: Tx, userId: string): Promise<Profile[]> {
  const rows = await tables(tx)
    .selectFrom("profiles")
    .selectAll()
    .where("user_id", "=", userId)
    .orderBy("created_at_ms")
    .orderBy("id")
    .limit(LIST_MAX)
    .execute();
  return rows.map(toProfile);
}

export async function find(tx: Tx, id: string): Promise<Profile | undefined> {
  const row = await tables(tx).selectFrom("profiles").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toProfile(row);
}

export async function pinHash(tx: Tx, id: string): Promise<string | undefined> {
  const row = await tables(tx).selectFrom("profiles").select("pin_hash").where("id", "=", id).executeTakeFirst();
  return row?.pin_hash ?? undefined;
}

const columnsOf = (profile: Profile) => ({
  name: profile.name,
  is_kids: profile.isKids,
  age_rating_max: profile.ageRatingMax,
  language: profile.language,
  avatar_shape: profile.avatarShape,
  avatar_color: profile.avatarColor,
});

export async function insert(tx: Tx, profile: Profile): Promise<void> {
  await tables(tx)
    .insertInto("profiles")
    .values({
      tenant: tx.tenant,
      id: profile.id,
      user_id: profile.userId,
      pin_hash: null,
      created_at_ms: profile.createdAtMs,
      ...columnsOf(profile),
    })
    .execute();
}

/** `hash` null removes the PIN, undefined keeps it. */
export async function update(tx: Tx, profile: Profile, hash: string | null | undefined): Promise<void> {
  await tables(tx)
    .updateTable("profiles")
    .set({ ...columnsOf(profile), ...(hash === undefined ? {} : { pin_hash: hash }) })
    .where("id", "=", profile.id)
    .execute();
}

export async function remove(tx: Tx, id: string): Promise<void> {
  await tables(tx).deleteFrom("profiles").where("id", "=", id).execute();
}
