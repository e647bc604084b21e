import type { z } from "zod";
import type { Recording as RecordingMessage, SeriesRule as RuleMessage } from "#contracts/recording";
import { NewRecording, NewSeriesRule, Recording, Recordings, SeriesRule } from "#contracts/web/recordings";
import { problem, requireProfile } from "#kernel";
import { watching } from "./gather.ts";
import { Id, type Route, route } from "./route.ts";

const tag = "recordings";
const SECOND_MS = 1_000;

const toRecording = (one: RecordingMessage): z.input<typeof Recording> => ({
  ...{ id: one.id, contentId: one.contentId, channelName: one.channelName, titles: one.titles },
  ...{ startMs: Number(one.startMs), stopMs: Number(one.stopMs) },
  state: one.state as "scheduled",
  ...{ failure: one.failure, recordedS: one.recordedS, isOfSeries: one.seriesRuleId !== "" },
  missingS: Math.round(one.gaps.reduce((sum, { durationMs }) => sum + durationMs, 0) / SECOND_MS),
});

const toRule = ({ id, title, channelId, newOnly, keep }: RuleMessage): z.input<typeof SeriesRule> => ({
  ...{ id, title, keep },
  ...{ isAnyChannel: channelId === "", isNewOnly: newOnly },
});

export const recordingRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/recordings", operationId: "listRecordings", tag, auth: "profile", status: 200 },
    summary: "The account's recordings, the latest first, its series, and how much room is left.",
    response: Recordings,
    handle: async (parts, { context }) => {
      const profile = await watching(parts, context);
      const [{ recordings, quota }, { rules }] = await Promise.all([
        parts.call.recording.list({ profileId: profile.id }, context),
        parts.call.recording.listSeries({ profileId: profile.id }, context),
      ]);
      return {
        recordings: recordings.filter(({ ageRating }) => ageRating <= profile.ageRatingMax).map(toRecording),
        series: rules.map(toRule),
        quota: { usedS: quota?.usedS ?? 0, maxS: quota?.maxS ?? 0 },
      };
    },
  }),
  route({
    ...{ method: "POST", path: "/recordings", operationId: "record", tag, auth: "profile", status: 201 },
    summary: "Records a programme.",
    body: NewRecording,
    response: Recording,
    handle: async (parts, { context, body: { programmeId, padding } }) => {
      const profile = await watching(parts, context);
      const { programme } = await parts.call.epg.programme({ id: programmeId }, context);
      if (programme && programme.ageRating > profile.ageRatingMax)
        throw problem.denied("this programme is not for this profile", { reason: "age" });
      const asked = { profileId: profile.id, programmeId, ...(padding ? { padding } : {}) };
      const { recording } = await parts.call.recording.record(asked, context);
      if (!recording) throw problem.internal("the recording was not made");
      return toRecording(recording);
    },
  }),
  route({
    ...{ method: "POST", path: "/recordings/series", operationId: "recordSeries", tag, auth: "profile", status: 201 },
    summary: "Records the episodes of a series as they come.",
    body: NewSeriesRule,
    response: SeriesRule,
    handle: async ({ call }, { context, body: { seriesId, channelId, isNewOnly, keep, padding } }) => {
      const { profileId } = requireProfile(context);
      const asked = { profileId, seriesId, channelId: channelId ?? "", newOnly: isNewOnly, keep };
      const { rule } = await call.recording.recordSeries({ ...asked, ...(padding ? { padding } : {}) }, context);
      if (!rule) throw problem.internal("the series is not recorded");
      return toRule(rule);
    },
  }),
  route({
    ...{ method: "GET", path: "/recordings/{id}", operationId: "getRecording", tag, auth: "profile", status: 200 },
    summary: "A recording of the account.",
    params: Id,
    response: Recording,
    handle: async (parts, { context, params }) => {
      const profile = await watching(parts, context);
      const { recording } = await parts.call.recording.get({ profileId: profile.id, id: params.id }, context);
      if (!recording || recording.ageRating > profile.ageRatingMax)
        throw problem.notFound("this recording is not there, or not any more", { reason: "recording_unknown" });
      return toRecording(recording);
    },
  }),
  route({
    ...{ method: "DELETE", path: "/recordings/{id}", operationId: "deleteRecording", tag, auth: "profile" },
    status: 204,
    summary: "Calls a recording off, or deletes it.",
    params: Id,
    handle: async ({ call }, { context, params }) => {
      const { profileId } = requireProfile(context);
      await call.recording.remove({ profileId, id: params.id }, context);
    },
  }),
  route({
    ...{ method: "DELETE", path: "/recordings/series/{id}", operationId: "endSeries", tag, auth: "profile" },
    status: 204,
    summary: "Records no more of a series; what was recorded stays.",
    params: Id,
    handle: async ({ call }, { context, params }) => {
      const { profileId } = requireProfile(context);
      await call.recording.removeSeries({ profileId, id: params.id }, context);
    },
  }),
];
