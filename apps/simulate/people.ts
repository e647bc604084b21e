/** What a simulation puts into a product, and takes away again: titles of metadata alone and accounts of personas, all marked as simulated. */
import { Backbone } from "#contracts/backbone";
import { Catalog, simulatedId } from "#contracts/catalog";
import { Profile } from "#contracts/profile";
import { Recommendation } from "#contracts/recommendation";
import { User } from "#contracts/user";
import { problem, toProblem } from "#kernel";
import type { AdminClient } from "../cli/client.ts";
import { inTurns } from "./course.ts";
import { PERSONAS_MAX, type World } from "./world.ts";

/** How far something is that has several steps. */
export type Say = (what: string, done: number, of: number) => void;

export const DURATION_S = 6_000;
/** Who makes what a persona needs of its account, and who learns from what it does. */
const AWAITED: readonly string[] = ["profile", "subscription", "recommendation"];
const TITLES_A_CALL = 200;
const WAIT_MS = 100;
const ARRIVAL_MS_MAX = 60_000;
const TRAINING_MS_MAX = 600_000;
/** Accounts are made some at a time, so an interruption leaves a gap of a few. */
const GAP_MAX = 50;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const numberOf = (at: number): string => String(at).padStart(4, "0");

/** `.invalid` is a name that nobody can have (RFC 2606), so no mail ever goes out. */
export const emailOf = (persona: number): string => `persona-${numberOf(persona)}@simulated.invalid`;

/** Each run has ids of its own, so that what is still told of an earlier run's titles is not about these. */
export const idOf = (run: string, title: number): string => simulatedId(`${run}_${numberOf(title)}`);

/** The title's place, or -1 where it is none of this run's. */
export function placeOf(run: string, id: string): number {
  const prefix = simulatedId(`${run}_`);
  return id.startsWith(prefix) ? Number(id.slice(prefix.length)) : -1;
}

export async function addTitles(client: AdminClient, run: string, { genres }: World, say: Say): Promise<void> {
  const titles = genres.map((genre, at) => ({
    ...{ id: idOf(run, at), kind: "film", title: `Simulated ${numberOf(at)}`, genres: [`Simulated ${genre}`] },
    ...{ tagline: "Simulated: metadata alone, nothing to play", tierMin: "basic", durationS: DURATION_S },
  }));
  for (let at = 0; at < titles.length; at += TITLES_A_CALL) {
    await client.of(Catalog).addSimulated({ titles: titles.slice(at, at + TITLES_A_CALL) });
    say("titles", Math.min(at + TITLES_A_CALL, titles.length), titles.length);
  }
}

/** Makes accounts without a password: nobody can sign in to them. Each gets its first profile and its plan when its event arrives. */
export async function addPersonas(client: AdminClient, count: number, say: Say): Promise<void> {
  const userIds: string[] = [];
  await inTurns(count, async (at) => {
    const { user } = await client
      .of(User)
      .create({ email: emailOf(at), name: `Simulated ${numberOf(at)}`, language: "en" });
    userIds[at] = user?.id ?? "";
    say("accounts", userIds.filter(Boolean).length, count);
  });
  await arrived(client);
  const { profiles } = await client.of(Profile).list({ userId: userIds.at(-1) ?? "" });
  if (!profiles[0]) throw problem.unavailable("the accounts have no profiles yet: try again in a moment");
}

/** Takes away everything of every run: titles, accounts, what these did, and what was learned from it. */
export async function removeAll(
  client: AdminClient,
  say: Say,
): Promise<{ readonly titles: number; readonly accounts: number }> {
  let titles = 0;
  for (let isMore = true; isMore; ) {
    const { deleted, left } = await client.of(Catalog).deleteSimulated({});
    titles += deleted;
    isMore = left;
    if (titles > 0) say("titles removed", titles, titles);
  }
  const users = await findPersonas(client);
  // The last first: what is left after an interruption is found by counting from the first.
  for (const [at, userId] of users.toReversed().entries()) {
    await client.of(User).delete({ userId });
    say("accounts removed", at + 1, users.length);
  }
  if (titles + users.length > 0) await learn(client);
  return { titles, accounts: users.length };
}

async function findPersonas(client: AdminClient): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0, gap = 0; at < PERSONAS_MAX && gap < GAP_MAX; at += 1) {
    const id = await client
      .of(User)
      .findByEmail({ email: emailOf(at) })
      .then(({ user }) => user?.id, noneIsNone);
    if (id === undefined) gap += 1;
    else {
      found.push(id);
      gap = 0;
    }
  }
  return found;
}

function noneIsNone(error: unknown): undefined {
  if (toProblem(error).code === "not_found") return undefined;
  throw error;
}

/** Has the product learn from everything that it was told so far. */
export async function learn(client: AdminClient): Promise<void> {
  await arrived(client);
  await client.of(Recommendation, { deadlineMs: TRAINING_MS_MAX }).train({});
}

/** Waits until those whom a simulation needs have handled what the log has, or for as long as one may hope so. */
async function arrived(client: AdminClient): Promise<void> {
  const untilMs = performance.now() + ARRIVAL_MS_MAX;
  // What was just said may be on its way into the log still, so that one look is not enough.
  for (let quiet = 0; quiet < 3 && performance.now() < untilMs; ) {
    await pause(WAIT_MS);
    const { topics } = await client.of(Backbone).listTopics({});
    const groups = topics.flatMap((topic) => topic.groups).filter(({ name }) => AWAITED.includes(name));
    const lag = groups.reduce((sum, group) => sum + Number(group.lag), 0);
    quiet = lag === 0 ? quiet + 1 : 0;
  }
}
