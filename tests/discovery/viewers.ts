import pg from "pg";
import { seededRandom } from "#learning/random";

const DAY_MS = 86_400_000;
const PAST_DAYS = 170;
/** In which people left, as many on one day as on another: what is asked now is distributed as what was learned from. */
const LEAVING_DAYS = 260;

/**
 * Viewers whose habits a model can learn and a threshold cannot see: each watches about as often as it likes to; some begin to leave on a day, and
 * watch less and see worse quality in the three weeks before they are gone.
 */
export async function seedViewers(adminUrl: string, tenant: string, count: number, nowMs: number): Promise<string[]> {
  const random = seededRandom(7);
  const today = Math.floor(nowMs / DAY_MS);
  const rows: (readonly [string, number, number, number, number, number, number])[] = [];
  const ids = Array.from({ length: count }, (_, index) => `usr_${String(index).padStart(4, "0")}`);
  for (const userId of ids) {
    const often = 0.1 + 0.5 * random();
    const goneDay = random() < 0.7 ? today - Math.floor(random() * LEAVING_DAYS) : today + 1_000;
    for (let day = today - PAST_DAYS; day < Math.min(today, goneDay); day += 1) {
      const isLeaving = goneDay - day <= 21;
      if (random() > (isLeaving ? 0.6 * often : often)) continue;
      const sessions = 1 + Math.floor(2 * random());
      rows.push([
        userId,
        day,
        sessions,
        sessions * 2_400,
        isLeaving && random() < 0.3 ? 1 : 0,
        sessions,
        sessions * (isLeaving ? 70 : 88),
      ]);
    }
  }
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const column = (at: number) => rows.map((row) => row[at]);
    await client.query(
      `INSERT INTO models.accounts (tenant, user_id, since_day, tier, region)
       SELECT $1, id, since, 'basic', 'DE' FROM unnest($2::text[], $3::int[]) AS of (id, since)`,
      [tenant, ids, ids.map(() => today - PAST_DAYS - Math.floor(400 * random()))],
    );
    await client.query(
      `INSERT INTO models.days (tenant, user_id, day, sessions, watched_s, errors, scores, score_sum)
       SELECT $1, * FROM unnest($2::text[], $3::int[], $4::int[], $5::float8[], $6::int[], $7::int[], $8::float8[])`,
      [tenant, ...[0, 1, 2, 3, 4, 5, 6].map(column)],
    );
  } finally {
    await client.end();
  }
  return ids;
}

/** Runs SQL as the owner, for what a test changes behind the service's back. */
export async function sqlAsOwner(adminUrl: string, text: string, values: readonly unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(text, [...values]);
  } finally {
    await client.end();
  }
}
