// Recording: keeps what people do not want to miss of live channels, cut from what each channel has of its last hours.
import { LRUCache } from "lru-cache";
import { Epg } from "#contracts/epg";
import { Profile, type ProfileUpdated } from "#contracts/profile";
import { Recording } from "#contracts/recording";
import { User, type UserDeleted } from "#contracts/user";
import { type Context, defineService, on, problem, type Received, ownerOf } from "#kernel";
import { captureDue, locate } from "./capture.ts";
import { lengthS, quotaS } from "./domain.ts";
import { drop } from "./end.ts";
import { type Parts, type RecordingPlatform, type RecordingTx, uses } from "./parts.ts";
import { openRecrypter } from "./recrypt.ts";
import { expandDue, followSchedule } from "./rules.ts";
import * as store from "./store.ts";
import { record, recordSeries, recordTime } from "./wishes.ts";

const LIST_MAX = 500;
const RULES_MAX = 200;
const IDS_MAX = 500;
const LOOK_EVERY_MS = 1_000;
const EXPAND_EVERY_MS = 3_000;
const INITS_MAX = 500;
const KEYS_MS = 10 * 60_000;

export default defineService({
  contract: Recording,
  uses,
  slo: { p99Ms: 200, availability: 0.9995 },
  ai: { feeds: "recommendation: what people keep", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, call, objects, clock, logger, flags, metrics }: RecordingPlatform): Parts {
    const counter = metrics.counter("recordings_total", "Recordings by what became of them", ["state", "reason"]);
    return {
      ...{ db, call, objects, clock, logger, flags, recrypter: openRecrypter() },
      ...{ inits: new LRUCache({ max: INITS_MAX }), keys: new LRUCache({ max: INITS_MAX, ttl: KEYS_MS }) },
      counted: (state, reason = "") => counter.inc({ state, reason }),
    };
  },

  on: [
    on(Epg.events.scheduleUpdated)(followSchedule),
    on(Profile.events.updated)(forgetProfiles),
    on(User.events.deleted)(forgetUsers),
  ],

  rpc: (parts) => ({
    record: async (request, context) => ({ recording: toMessage(await record(parts, request, context)) }),
    recordTime: async (request, context) => ({ recording: toMessage(await recordTime(parts, request, context)) }),
    recordSeries: async (request, context) => ({ rule: toRule(await recordSeries(parts, request, context)) }),
    list: (request, context) => list(parts, request, context),
    async get({ profileId, id }, context) {
      const [recording, copy] = await find(parts, context, profileId, id);
      return { recording: toMessage(recording, copy) };
    },
    async remove({ profileId, id }, context) {
      const userId = await ownerOf(parts, context, profileId);
      await parts.db.tx(context, async (tx) => {
        const recording = await store.findRecording(tx, userId, id);
        if (recording) await drop(tx, recording);
      });
      return {};
    },
    async listSeries({ profileId }, context) {
      const userId = await ownerOf(parts, context, profileId);
      return { rules: (await parts.db.read(context, (tx) => store.rulesOf(tx, userId, RULES_MAX))).map(toRule) };
    },
    async removeSeries({ profileId, id }, context) {
      const userId = await ownerOf(parts, context, profileId);
      await parts.db.tx(context, async (tx) => {
        await store.lockAccount(tx, userId);
        if (!(await store.takeRule(tx, userId, id))) return;
        const own = await store.ofAccount(tx, userId, LIST_MAX);
        for (const one of own) if (one.rule_id === id && one.state === "scheduled") await drop(tx, one);
      });
      return {};
    },
    async locate({ profileId, contentId }, context) {
      const [recording] = await find(parts, context, profileId, contentId);
      return locate(parts, recording.copy_id, context);
    },
    async describe({ contentIds }, context) {
      if (contentIds.length > IDS_MAX) throw problem.invalid(`${contentIds.length} ids are more than ${IDS_MAX}`);
      const copies = await parts.db.read(context, (tx) => store.copiesOf(tx, contentIds));
      const there = copies.filter(({ state }) => state !== "deleting");
      return {
        descriptions: there.map(({ id, age_rating, tier }) => ({ contentId: id, ageRating: age_rating, tier })),
      };
    },
  }),

  periodic: (parts) => [
    { name: "go on with recordings", everyMs: LOOK_EVERY_MS, run: (signal) => captureDue(parts, signal) },
    { name: "look for episodes to record", everyMs: EXPAND_EVERY_MS, run: (signal) => expandDue(parts, signal) },
  ],

  ready: ({ db }) => db.ping(),
  stop: ({ recrypter }) => recrypter.close(),
});

async function find(
  parts: Parts,
  context: Context,
  profileId: string,
  id: string,
): Promise<[store.Recording, store.Copy | undefined]> {
  const userId = await ownerOf(parts, context, profileId);
  const [recording, copy] = await parts.db.read(context, async (tx) => {
    const found = await store.findRecording(tx, userId, id);
    return [found, found && (await store.findCopy(tx, found.copy_id))] as const;
  });
  if (!recording)
    throw problem.notFound(`recording '${id.slice(0, 64)}' does not exist`, { reason: "recording_unknown" });
  return [recording, copy];
}

async function list(parts: Parts, request: { readonly profileId: string; readonly limit: number }, context: Context) {
  const userId = await ownerOf(parts, context, request.profileId);
  const [recordings, copies] = await parts.db.read(context, async (tx) => {
    const found = await store.ofAccount(tx, userId, Math.min(request.limit || LIST_MAX, LIST_MAX));
    return [
      found,
      await store.copiesOf(
        tx,
        found.map(({ copy_id }) => copy_id),
      ),
    ] as const;
  });
  const byId = new Map(copies.map((copy) => [copy.id, copy]));
  const { tier } = await parts.call.entitlement.claims({ userId }, context);
  const usedS = recordings
    .filter(({ state }) => state !== "failed")
    .reduce((sum, one) => sum + lengthS({ startMs: one.start_ms, stopMs: one.stop_ms }), 0);
  return {
    recordings: recordings.map((one) => toMessage(one, byId.get(one.copy_id))),
    quota: { usedS, maxS: quotaS(tier) },
  };
}

function toMessage(one: store.Recording, copy?: store.Copy) {
  const lead = copy?.tracks?.[0];
  return {
    ...{ id: one.id, contentId: one.copy_id, channelId: one.channel_id, channelName: one.channel_name },
    ...{ programmeId: one.programme_id, titles: one.titles, state: one.state, failure: one.failure },
    ...{ startMs: BigInt(one.start_ms), stopMs: BigInt(one.stop_ms), padding: store.paddingOf(one) },
    ...{ seriesRuleId: one.rule_id ?? "", seriesId: one.series_id, episodeKey: one.episode_key },
    gaps: (copy?.gaps ?? []).map(({ startMs, durationMs }) => ({ startMs: BigInt(startMs), durationMs })),
    recordedS: lead ? Math.round(lead.ticks / lead.timescale) : 0,
    ageRating: one.age_rating,
  };
}

const toRule = (rule: store.Rule) => ({
  ...{ id: rule.id, seriesId: rule.series_id, title: rule.title, channelId: rule.channel_id },
  ...{ newOnly: rule.new_only, keep: rule.keep, padding: store.paddingOf(rule) },
});

async function forgetProfiles(_: Parts, tx: RecordingTx, events: readonly Received<ProfileUpdated>[]): Promise<void> {
  for (const { data } of events) if (data.deleted) await forget(tx, "profile_id", data.profileId);
}

async function forgetUsers(_: Parts, tx: RecordingTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await forget(tx, "user_id", data.userId);
}

/** A person or a profile is gone: its recordings go with it. */
async function forget(tx: RecordingTx, column: "user_id" | "profile_id", id: string): Promise<void> {
  await store.deleteRules(tx, column, id);
  for (const recording of await store.ofPerson(tx, column, id)) await drop(tx, recording);
}
