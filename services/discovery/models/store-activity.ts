import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Account } from "./domain-churn.ts";

type Tables = {
  accounts: { tenant: string; user_id: string; since_day: number; tier: string; region: string };
  days: { tenant: string; user_id: string; day: number };
};
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

/** What one event adds to a day of an account. */
export interface Activity {
  readonly userId: string;
  readonly day: number;
  readonly sessions?: number;
  readonly watchedS?: number;
  readonly errors?: number;
  readonly scores?: number;
  readonly scoreSum?: number;
  /** Where the account was seen; empty: nobody said. */
  readonly region?: string;
}

/** Adds all, each day once, in one order, so that two batches do not wait for each other in a circle. */
export async function add(tx: Tx, all: readonly Activity[]): Promise<void> {
  if (all.length === 0) return;
  await note(
    tx,
    all.map(({ userId, day, region }) => ({ userId, sinceDay: day, region: region ?? "" })),
  );
  const column = (of: (one: Activity) => number | undefined): number[] => all.map((one) => of(one) ?? 0);
  await sql`
    INSERT INTO days (tenant, user_id, day, sessions, watched_s, errors, scores, score_sum)
    SELECT ${tx.tenant}, user_id, day, sum(sessions), sum(watched_s), sum(errors), sum(scores), sum(score_sum)
      FROM unnest(${all.map(({ userId }) => userId)}::text[], ${column(({ day }) => day)}::int[],
        ${column(({ sessions }) => sessions)}::int[], ${column(({ watchedS }) => watchedS)}::float8[],
        ${column(({ errors }) => errors)}::int[], ${column(({ scores }) => scores)}::int[],
        ${column(({ scoreSum }) => scoreSum)}::float8[])
        AS news (user_id, day, sessions, watched_s, errors, scores, score_sum)
     GROUP BY user_id, day ORDER BY user_id, day
    ON CONFLICT (tenant, user_id, day) DO UPDATE SET sessions = days.sessions + EXCLUDED.sessions,
      watched_s = days.watched_s + EXCLUDED.watched_s, errors = days.errors + EXCLUDED.errors,
      scores = days.scores + EXCLUDED.scores, score_sum = days.score_sum + EXCLUDED.score_sum`.execute(tx.q);
}

interface Noted {
  readonly userId: string;
  readonly sinceDay: number;
  readonly tier?: string;
  readonly region?: string;
}

/** Remembers accounts: the earliest day, and the plan and region that were said last. */
export async function note(tx: Tx, all: readonly Noted[]): Promise<void> {
  await sql`
    INSERT INTO accounts (tenant, user_id, since_day, tier, region)
    SELECT ${tx.tenant}, user_id, min(since_day), max(tier), max(region)
      FROM unnest(${all.map(({ userId }) => userId)}::text[], ${all.map(({ sinceDay }) => sinceDay)}::int[],
        ${all.map(({ tier }) => tier ?? "")}::text[], ${all.map(({ region }) => region ?? "")}::text[])
        AS news (user_id, since_day, tier, region)
     GROUP BY user_id ORDER BY user_id
    ON CONFLICT (tenant, user_id) DO UPDATE SET since_day = least(accounts.since_day, EXCLUDED.since_day),
      tier = CASE EXCLUDED.tier WHEN '' THEN accounts.tier ELSE EXCLUDED.tier END,
      region = CASE EXCLUDED.region WHEN '' THEN accounts.region ELSE EXCLUDED.region END`.execute(tx.q);
}

/** Accounts with their days of a span; those who are named, or a sample of those who were active in it that is the same every time. */
export async function accounts(
  tx: Tx,
  of: { readonly from: number; readonly to: number } & (
    | { readonly userIds: readonly string[] }
    | { readonly accountsMax: number }
  ),
): Promise<Account[]> {
  const chosen =
    "userIds" in of
      ? sql`a.user_id = ANY(${[...of.userIds]}::text[])`
      : sql`a.user_id IN (SELECT user_id FROM (SELECT DISTINCT user_id FROM days WHERE day >= ${of.from} AND day < ${of.to}) AS active
          ORDER BY md5(user_id) LIMIT ${of.accountsMax})`;
  const { rows } = await sql<{
    user_id: string;
    since_day: number;
    tier: string;
    region: string;
    days: [number, number, number, number, number, number][] | null;
  }>`
    SELECT a.user_id, a.since_day, a.tier, a.region,
           json_agg(json_build_array(d.day, d.sessions, d.watched_s, d.errors, d.scores, d.score_sum) ORDER BY d.day)
             FILTER (WHERE d.day IS NOT NULL) AS days
      FROM accounts AS a LEFT JOIN days AS d
        ON d.tenant = a.tenant AND d.user_id = a.user_id AND d.day >= ${of.from} AND d.day < ${of.to}
     WHERE ${chosen} GROUP BY a.tenant, a.user_id ORDER BY a.user_id`.execute(tx.q);
  return rows.map(({ user_id, since_day, tier, region, days }) => ({
    ...{ userId: user_id, sinceDay: since_day, tier, region },
    days: (days ?? []).map(([day, sessions, watchedS, errors, scores, scoreSum]) => ({
      ...{ day, sessions, watchedS, errors, scores, scoreSum },
    })),
  }));
}

export async function countActive(tx: Tx, from: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(DISTINCT user_id)::int AS count FROM days WHERE day >= ${from}`.execute(tx.q);
  return rows[0]?.count ?? 0;
}

export async function forget(tx: Tx, userId: string): Promise<void> {
  await tables(tx).deleteFrom("days").where("user_id", "=", userId).execute();
  await tables(tx).deleteFrom("accounts").where("user_id", "=", userId).execute();
}

/** Drops what no training will ask for any more. */
export async function dropBefore(tx: Tx, day: number): Promise<void> {
  await tables(tx).deleteFrom("days").where("day", "<", day).execute();
}
