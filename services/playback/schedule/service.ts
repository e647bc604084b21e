// Schedule: reminds people of programmes, on time and once, wherever the guide moves them.
import { Epg } from "#contracts/epg";
import { Profile, type ProfileUpdated } from "#contracts/profile";
import { Schedule, type SetReminderRequest } from "#contracts/schedule";
import { User, type UserDeleted } from "#contracts/user";
import { type Context, defineService, newId, on, ownerOf, problem, type Received, type Tx } from "#kernel";
import { checkLead, dueAtMs, type Reminder } from "./domain.ts";
import { airingOf, type Parts, type SchedulePlatform, uses } from "./parts.ts";
import * as store from "./store.ts";
import { followSchedule, triggerDue } from "./trigger.ts";

const LIMIT_MAX = 200;
const REMINDERS_MAX = 200;
const TRIGGER_EVERY_MS = 1_000;

type ScheduleTx = Tx<typeof Schedule>;

export default defineService({
  contract: Schedule,
  uses,
  slo: { p99Ms: 100, availability: 0.9995 },
  ai: { feeds: "recommendation: what people do not want to miss", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, call, clock, logger, metrics }: SchedulePlatform): Parts {
    const counter = metrics.counter("reminders_total", "Reminders by what became of them", ["reason"]);
    return { db, call, clock, logger, counted: (reason, count) => counter.inc({ reason }, count) };
  },

  on: [
    on(Epg.events.scheduleUpdated)(followSchedule),
    on(Profile.events.updated)(forgetProfiles),
    on(User.events.deleted)(forgetUsers),
  ],

  rpc: (parts) => ({
    setReminder: async (request, context) => ({ reminder: toMessage(await set(parts, request, context)) }),
    async listReminders({ profileId, limit }, context) {
      await ownerOf(parts, context, profileId);
      const most = Math.min(limit || LIMIT_MAX, LIMIT_MAX);
      const found = await parts.db.read(context, (tx) => store.upcoming(tx, profileId, parts.clock.nowMs(), most));
      return { reminders: found.map(toMessage) };
    },
    async removeReminder({ profileId, programmeId }, context) {
      await ownerOf(parts, context, profileId);
      await parts.db.tx(context, async (tx) => {
        const gone = await store.remove(tx, profileId, programmeId);
        if (gone) tx.emit("reminderSet", setOf(gone, true));
      });
      return {};
    },
  }),

  periodic: (parts) => [
    { name: "tell what is due", everyMs: TRIGGER_EVERY_MS, run: (signal) => triggerDue(parts, signal) },
  ],

  ready: ({ db }) => db.ping(),
});

async function set(parts: Parts, request: SetReminderRequest, context: Context): Promise<Reminder> {
  const { call, clock, db } = parts;
  const { profileId, programmeId } = request;
  const leadS = checkLead(request.leadS);
  const userId = await ownerOf(parts, context, profileId);
  const { programme } = await call.epg.programme({ id: programmeId }, context);
  if (!programme) throw problem.notFound(`programme '${programmeId.slice(0, 64)}' does not exist`);
  const { channelId } = programme;
  const { channel } = await call.epg.getChannel({ id: channelId }, context);
  await assertOldEnough(parts, context, profileId, programme.ageRating);
  const airing = airingOf(programme);
  const nowMs = clock.nowMs();
  if (airing.startMs <= nowMs)
    throw problem.precondition("this programme has begun: watch it now", { reason: "already_on" });
  return db.tx(context, async (tx) => {
    await store.lockProfile(tx, profileId);
    const known = await store.find(tx, profileId, programmeId);
    if (!known && (await store.upcoming(tx, profileId, nowMs, REMINDERS_MAX)).length >= REMINDERS_MAX)
      throw problem.exhausted(`a profile has ${REMINDERS_MAX} reminders at most: remove one first`, {
        reason: "reminders_max",
      });
    const made = { ...airing, id: newId("rem", nowMs), userId, profileId, programmeId, channelId, leadS };
    const wanted: Reminder = { ...made, channelName: channel?.name ?? channelId, state: "waiting" };
    if (!known) return saved(tx, wanted);
    // Told already, and nothing in it is new: it must not be told again.
    const isSame = dueAtMs(known) === dueAtMs(wanted);
    return isSame ? known : saved(tx, { ...wanted, id: known.id });
  });
}

/** A title may say more than a child should read. */
async function assertOldEnough({ call }: Parts, context: Context, profileId: string, age: number): Promise<void> {
  if (age === 0) return;
  const { profile } = await call.profile.get({ profileId }, context);
  if (profile && age > profile.ageRatingMax)
    throw problem.denied(`this programme is rated ${age}: choose a profile that may watch it`, { reason: "age" });
}

async function saved(tx: ScheduleTx, reminder: Reminder): Promise<Reminder> {
  await store.save(tx, reminder);
  tx.emit("reminderSet", setOf(reminder, false));
  return reminder;
}

const setOf = ({ userId, profileId, id, channelId, programmeId, startMs, leadS }: Reminder, removed: boolean) => ({
  ...{ userId, profileId, reminderId: id, channelId, programmeId, startMs, leadS, removed },
});

const toMessage = ({ id, profileId, channelId, programmeId, titles, startMs, stopMs, leadS }: Reminder) => ({
  ...{ id, profileId, channelId, programmeId, titles, leadS },
  ...{ startMs: BigInt(startMs), stopMs: BigInt(stopMs) },
});

async function forgetProfiles(_: Parts, tx: ScheduleTx, events: readonly Received<ProfileUpdated>[]): Promise<void> {
  for (const { data } of events) if (data.deleted) await store.forget(tx, { column: "profile_id", id: data.profileId });
}

async function forgetUsers(_: Parts, tx: ScheduleTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.forget(tx, { column: "user_id", id: data.userId });
}
