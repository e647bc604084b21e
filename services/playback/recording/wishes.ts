import type { GuideProgramme } from "#contracts/epg";
import { SharedRecordings } from "#contracts/flags";
import type { RecordRequest, RecordSeriesRequest, RecordTimeRequest } from "#contracts/recording";
import { type Context, newId, problem, ownerOf } from "#kernel";
import { PREROLL_MS } from "./capture.ts";
import {
  checkKeep,
  checkPadding,
  checkTime,
  keyOf,
  lengthS,
  type Padding,
  quotaS,
  spanOf,
  TITLE_CHARS_MAX,
  unionOf,
} from "./domain.ts";
import { eventOf, type Parts, type RecordingTx } from "./parts.ts";
import * as store from "./store.ts";

const RECORDINGS_MAX = 2_000;
const RULES_MAX = 200;
const LANGUAGES_MAX = 8;

/** What somebody wants to have recorded. */
export interface Wish {
  readonly userId: string;
  readonly profileId: string;
  readonly ruleId: string | null;
  readonly channelId: string;
  /** Empty for a stretch of time. */
  readonly programmeId: string;
  readonly titles: Readonly<Record<string, string>>;
  readonly seriesId: string;
  readonly episodeKey: string;
  readonly ageRating: number;
  readonly startMs: number;
  readonly stopMs: number;
  readonly padding: Padding;
}

export const titlesOf = ({ title, titles }: GuideProgramme): Record<string, string> =>
  titles.length > 0
    ? Object.fromEntries(titles.slice(0, LANGUAGES_MAX).map(({ language, text }) => [language, text]))
    : { "": title };

export const wishOf = (
  programme: GuideProgramme,
  of: Pick<Wish, "userId" | "profileId" | "ruleId" | "padding">,
): Wish => ({
  ...of,
  ...{ channelId: programme.channelId, programmeId: programme.id, titles: titlesOf(programme) },
  ...{ seriesId: programme.seriesId, episodeKey: programme.episodeKey, ageRating: programme.ageRating },
  ...{ startMs: Number(programme.startMs), stopMs: Number(programme.stopMs) },
});

export async function record(parts: Parts, { profileId, programmeId, padding }: RecordRequest, context: Context) {
  const userId = await ownerOf(parts, context, profileId);
  const { programme } = await parts.call.epg.programme({ id: programmeId }, context);
  if (!programme) throw problem.notFound(`programme '${programmeId.slice(0, 64)}' does not exist`);
  const wish = wishOf(programme, { userId, profileId, ruleId: null, padding: checkPadding(padding) });
  if (programme.noRecord || programme.blackout)
    throw problem.precondition("this programme may not be recorded", { reason: "no_record" });
  checkTime(wish.startMs, wish.stopMs, parts.clock.nowMs());
  return add(parts, wish, context);
}

export async function recordTime(parts: Parts, request: RecordTimeRequest, context: Context) {
  const { profileId, channelId } = request;
  const userId = await ownerOf(parts, context, profileId);
  const [startMs, stopMs] = [Number(request.startMs), Number(request.stopMs)];
  checkTime(startMs, stopMs, parts.clock.nowMs());
  const title = request.title.trim().slice(0, TITLE_CHARS_MAX);
  const of = { userId, profileId, ruleId: null, padding: { beforeS: 0, afterS: 0 } };
  const nothing = { programmeId: "", seriesId: "", episodeKey: "", ageRating: 0 };
  return add(parts, { ...of, ...nothing, channelId, titles: { "": title }, startMs, stopMs }, context);
}

export async function recordSeries(parts: Parts, request: RecordSeriesRequest, context: Context): Promise<store.Rule> {
  const { profileId, seriesId, channelId, newOnly } = request;
  const userId = await ownerOf(parts, context, profileId);
  const keep = checkKeep(request.keep);
  const padding = checkPadding(request.padding);
  const { seriesTitle, programmes } = await parts.call.epg.episodes({ seriesId, channelId, limit: 1 }, context);
  if (seriesId === "" || programmes.length === 0)
    throw problem.notFound(`the guide knows no episode of series '${seriesId.slice(0, 64)}' there`);
  const nowMs = parts.clock.nowMs();
  const rule: store.Rule = {
    ...{ id: newId("rul", nowMs), user_id: userId, profile_id: profileId, series_id: seriesId, title: seriesTitle },
    ...{ channel_id: channelId, new_only: newOnly, keep, due_at_ms: nowMs },
    ...{ pad_before_s: padding.beforeS, pad_after_s: padding.afterS },
  };
  await parts.db.tx(context, async (tx) => {
    await store.lockAccount(tx, userId);
    const rules = await store.rulesOf(tx, userId, RULES_MAX);
    if (rules.some((each) => each.series_id === seriesId && each.channel_id === channelId))
      throw problem.alreadyExists("this series is recorded already", { reason: "series_recorded" });
    if (rules.length >= RULES_MAX)
      throw problem.exhausted(`an account records ${RULES_MAX} series at most: end one first`, { reason: "rules_max" });
    await store.saveRule(tx, rule);
  });
  return rule;
}

/** Makes a recording, or says why there is none. */
export async function add(parts: Parts, wish: Wish, context: Context): Promise<store.Recording> {
  const { call, clock, db, flags } = parts;
  const { channel } = await call.live.get({ channelId: wish.channelId }, context);
  if (!channel) throw problem.notFound(`channel '${wish.channelId.slice(0, 64)}' cannot be watched here`);
  const { tier } = await call.entitlement.claims({ userId: wish.userId }, context);
  if (channel.tier === "premium" && tier !== "premium")
    throw problem.denied("this channel is not part of your plan", { reason: "tier" });
  const isShared =
    wish.programmeId !== "" && flags.evaluate(SharedRecordings, { tenant: context.tenant, service: "recording" }).value;
  const nowMs = clock.nowMs();
  return db.tx(context, async (tx) => {
    await store.lockAccount(tx, wish.userId);
    await assertNew(tx, wish, tier);
    const copy = await copyFor(tx, wish, { isShared, tier: channel.tier, nowMs });
    const recording: store.Recording = {
      ...{ id: newId("rcd", nowMs), user_id: wish.userId, profile_id: wish.profileId, rule_id: wish.ruleId },
      ...{ copy_id: copy.id, channel_id: wish.channelId, channel_name: channel.name, programme_id: wish.programmeId },
      ...{ titles: wish.titles, series_id: wish.seriesId, episode_key: wish.episodeKey, age_rating: wish.ageRating },
      ...{ start_ms: wish.startMs, stop_ms: wish.stopMs, failure: "" },
      ...{ pad_before_s: wish.padding.beforeS, pad_after_s: wish.padding.afterS },
      state: copy.state === "recording" || copy.state === "completed" ? copy.state : "scheduled",
    };
    await store.insertRecording(tx, recording);
    if (wish.ruleId !== null)
      await store.addEpisode(
        tx,
        wish.ruleId,
        keyOf({ id: wish.programmeId, episodeKey: wish.episodeKey }),
        recording.id,
      );
    tx.emit("scheduled", { ...eventOf(recording), startMs: wish.startMs, stopMs: wish.stopMs });
    tx.afterCommit(async () => parts.counted("scheduled"));
    return recording;
  });
}

/** Nothing twice, and no more than the plan keeps. */
async function assertNew(tx: RecordingTx, wish: Wish, tier: string): Promise<void> {
  const own = (await store.ofAccount(tx, wish.userId, RECORDINGS_MAX)).filter(({ state }) => state !== "failed");
  const twin = own.find(
    (one) =>
      (wish.programmeId !== "" && one.programme_id === wish.programmeId) ||
      (wish.episodeKey !== "" && one.episode_key === wish.episodeKey && one.series_id === wish.seriesId),
  );
  if (twin)
    throw problem.alreadyExists("this is recorded already, perhaps from another airing", {
      reason: "recorded",
      details: { recordingId: twin.id },
    });
  const usedS = own.reduce((sum, one) => sum + lengthS({ startMs: one.start_ms, stopMs: one.stop_ms }), 0);
  if (own.length >= RECORDINGS_MAX || usedS + lengthS(wish) > quotaS(tier))
    throw problem.precondition(`the plan keeps ${quotaS(tier) / 3_600} hours of recordings: delete something first`, {
      reason: "quota",
      details: { usedS, maxS: quotaS(tier) },
    });
}

/** A copy of one's own, or the one that others have; that then holds the padding of all. */
async function copyFor(
  tx: RecordingTx,
  wish: Wish,
  { isShared, tier, nowMs }: { readonly isShared: boolean; readonly tier: string; readonly nowMs: number },
): Promise<store.Copy> {
  if (isShared) {
    await store.lockProgramme(tx, wish.programmeId);
    const known = await store.sharedCopy(tx, wish.programmeId);
    if (known) {
      await widen(tx, known, [wish]);
      return known;
    }
  }
  const { fromMs, toMs } = spanOf(wish);
  const copy: store.Copy = {
    ...{ id: `rec-${newId("c", nowMs).slice(2)}`, channel_id: wish.channelId, programme_id: wish.programmeId },
    ...{ shared: isShared, tier, age_rating: wish.ageRating, from_ms: fromMs, to_ms: toMs, state: "scheduled" },
    ...{ pinned_to_ms: 0, last_number: 0, segments: 0, index_version: 0, indexed_segments: 0, tracks: null, gaps: [] },
    due_at_ms: fromMs - PREROLL_MS,
  };
  await store.insertCopy(tx, copy);
  return copy;
}

/** Gives a copy the span of all who have it. One that has begun can only end later. */
export async function widen(
  tx: RecordingTx,
  copy: store.Copy,
  more: readonly Pick<Wish, "startMs" | "stopMs" | "padding">[] = [],
): Promise<void> {
  if (copy.state !== "scheduled" && copy.state !== "recording") return;
  const own = (await store.ofCopy(tx, copy.id)).map((one) => ({
    ...{ startMs: one.start_ms, stopMs: one.stop_ms, padding: store.paddingOf(one) },
  }));
  const { fromMs, toMs } = unionOf([...own, ...more]);
  const isScheduled = copy.state === "scheduled";
  const next = { fromMs: isScheduled ? fromMs : copy.from_ms, toMs };
  await store.moveCopy(tx, copy.id, next, isScheduled ? next.fromMs - PREROLL_MS : copy.due_at_ms);
}
