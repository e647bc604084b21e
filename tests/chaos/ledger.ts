/**
 * Counts what became of everything that was acknowledged. It asks the operator's API and reads topics, as anybody could, and knows nothing of how
 * the platform keeps its promises.
 */
import assert from "node:assert/strict";
import { Analytics } from "#contracts/analytics";
import { Bookmark } from "#contracts/bookmark";
import { Session } from "#contracts/session";
import { User } from "#contracts/user";
import { until } from "../e2e/until.ts";
import type { Cells } from "../engines/cells.ts";
import type { Account } from "./accounts.ts";
import type { Viewer } from "./viewer.ts";

export interface Watcher {
  readonly account: Account;
  readonly viewer: Viewer;
}

export interface Counts {
  readonly sessions: number;
  readonly beats: number;
  readonly users: number;
  readonly segments: number;
  /** Different ones in all topics together, and as many rows in the lake. */
  readonly events: number;
  /** Records that say again what an earlier one said: at least once is not once. */
  readonly repeated: number;
}

interface Topic {
  readonly name: string;
  readonly deadLetters: number;
  readonly groups: readonly { readonly name: string; readonly lag: number }[];
}
interface Event {
  readonly id: string;
  readonly data: { readonly sessionId?: string; readonly sequence?: number } | null;
}

const SETTLE_MS_MAX = 180_000;
/** Sessions that nobody ended are over after a minute, what is told of them comes in the next, and the lake is filled after that. */
const LAKE_MS_MAX = 300_000;
const EVENTS = "bronze.events";

/** Every acknowledged write is there, every event was delivered and had its effect once. Rejects with what is missing. */
export async function count(cells: Cells, watchers: readonly Watcher[], contentId: string): Promise<Counts> {
  for (const { viewer } of watchers) {
    const sessionId = viewer.acknowledged.sessionId ?? "";
    assert.equal((await cells.admin.of(Session).get({ sessionId })).session?.id, sessionId, "a session that lives");
  }
  const topics = await until("every service has read every topic", SETTLE_MS_MAX, async () => {
    const seen = lines<Topic>(await cells.command("events", "topics", "--json"));
    return seen.every(({ groups }) => groups.every(({ lag }) => lag === 0)) ? seen : null;
  });
  assert.deepEqual(
    topics.filter(({ deadLetters }) => deadLetters > 0).map(({ name, deadLetters }) => ({ name, deadLetters })),
    [],
    "events ended as dead letters",
  );

  const acknowledged = watchers.map(({ viewer }) => viewer.acknowledged);
  const users = acknowledged.flatMap((one) => one.users);
  for (const userId of users) assert.equal((await cells.admin.of(User).get({ userId })).user?.id, userId);
  const sessionIds = acknowledged.flatMap((one) => one.sessionIds);

  const started = await eventsOf(cells, "playback.started");
  const told = new Set(started.map(({ data }) => data?.sessionId));
  assert.deepEqual(
    sessionIds.filter((id) => !told.has(id)),
    [],
    "sessions that were given were never told",
  );
  const beaten = await eventsOf(cells, "playback.heartbeat");
  const beats = new Set(beaten.map(({ data }) => `${data?.sessionId}/${data?.sequence}`));
  const beatIds = acknowledged.flatMap((one) => one.beatIds);
  assert.deepEqual(
    beatIds.filter((id) => !beats.has(id)),
    [],
    "beats that were taken are in no topic",
  );

  for (const { account, viewer } of watchers) {
    const { positionS } = viewer.acknowledged;
    const { bookmark } = await cells.admin.of(Bookmark).get({ profileId: account.profileId, contentId });
    const savedS = bookmark?.positionS ?? -1;
    assert.ok(savedS >= positionS, `a bookmark says ${savedS}, ${positionS} s was acknowledged`);
  }

  // The lake adds rows, which nothing makes unique afterwards: an event that was applied twice would show, and so would one that was told again
  // by a relay that died before it could note that it had told it. The lake is filled once a minute, and sessions that fall silent tell a last
  // fact now and then: both are counted as soon as it was filled, rows first, so that there may not be more of them.
  let looked = -1;
  const seen: string[] = [];
  const filled = until("the lake has as many rows as the topics events", LAKE_MS_MAX, async () => {
    const { tables } = await cells.admin.of(Analytics).listTables({});
    const kept = Number(tables.find(({ name }) => name === EVENTS)?.rows ?? 0n);
    if (kept === looked) return null;
    looked = kept;
    const records = await eventsOf(cells);
    const told = new Set(records.map(({ id }) => id)).size;
    seen.push(`${kept} of ${told}`);
    return kept >= told ? { records: records.length, events: told, rows: kept } : null;
  });
  const { records, events, rows } = await filled.catch((error: unknown) => {
    throw new Error(`${String(error)}: each time that it was filled it had ${seen.join(", ")}`);
  });
  assert.equal(rows, events, "the lake has rows that no event of a topic stands behind");
  return {
    sessions: sessionIds.length,
    beats: beatIds.length,
    users: users.length,
    segments: acknowledged.reduce((sum, one) => sum + one.segments, 0),
    events,
    repeated: records - events,
  };
}

/** All that the topics have, or what is of one type. */
async function eventsOf(cells: Cells, type?: string): Promise<Event[]> {
  const only = type === undefined ? [] : ["--type", type];
  return lines<Event>(await cells.command("events", "tail", "--from", "beginning", ...only, "--json"));
}

const lines = <T>(text: string): T[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
