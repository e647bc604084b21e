import { z } from "zod";
import { Heartbeat, HeartbeatAnswer, Session, StartSession, TokenAnswer } from "#contracts/web";
import { ChaptersOff, NextEpisodeOff } from "#contracts/flags";
import { isChannelId } from "#contracts/live";
import { isRecordingId } from "#contracts/recording";
import type { StartResponse } from "#contracts/session";
import { type Context, Problem, problem, requireProfile, toProblem } from "#kernel";
import type { FlagContext } from "#kernel/ports/flags";
import { audienceOf } from "./audience.ts";
import { programmeNow } from "./channels.ts";
import type { WebParts } from "./parts.ts";
import { ipOf, marketOf } from "./request.ts";
import { Id, type Route, route } from "./route.ts";
import { streamsOf } from "./streams.ts";
import { chaptersOf, episodeBadge, isoOf } from "./views.ts";

const EMPTY_TO_NULL = (url: string): string | null => (url === "" ? null : url);

type Content = Pick<Session, "content" | "live">;

async function answerStart(parts: WebParts, started: StartResponse, of: Promise<Content>): Promise<Session> {
  if (!started.session) throw problem.internal("the answer to a start has no session");
  return {
    sessionId: started.session.id,
    manifests: { hls: started.hlsUrl, dash: started.dashUrl },
    ...tokensOf(started),
    licenses: {
      clearkey: EMPTY_TO_NULL(started.licenseClearkey),
      widevine: EMPTY_TO_NULL(started.licenseWidevine),
      playready: EMPTY_TO_NULL(started.licensePlayready),
      fairplay: EMPTY_TO_NULL(started.licenseFairplay),
    },
    fairplayCertificate: EMPTY_TO_NULL(started.fairplayCertificate),
    resumePositionS: started.resumePositionS,
    heartbeatIntervalS: started.heartbeatIntervalS,
    adBreaks: started.adBreaks.map(({ atS, durationS }) => ({ atS, durationS })),
    ...(await of),
  };
}

async function channelContent(
  parts: WebParts,
  { live }: StartResponse,
  id: string,
  context: Context,
): Promise<Content> {
  if (!live) throw problem.internal("the session has no channel");
  const { channel, programme } = await programmeNow(parts, id, context);
  return {
    content: {
      ...{ id, title: channel.name, subtitle: programme?.title ?? "", durationS: 0, chapters: [], backId: id },
      ...{ nextEpisodeId: null, introStartS: null, introEndS: null },
    },
    live: {
      latency: live.latency === "low" ? "low" : "standard",
      dvrWindowS: live.dvrWindowS,
      programme,
    },
  };
}

async function recordingContent({ call }: WebParts, contentId: string, context: Context): Promise<Content> {
  const { profileId } = requireProfile(context);
  const { recording } = await call.recording.get({ profileId, id: contentId }, context);
  if (!recording) throw problem.internal("the session has no recording");
  const { titles, channelName, recordedS } = recording;
  return {
    live: null,
    content: {
      ...{ id: contentId, title: titles["en"] ?? Object.values(titles)[0] ?? "", subtitle: channelName },
      ...{ durationS: recordedS, chapters: [], backId: contentId },
      ...{ nextEpisodeId: null, introStartS: null, introEndS: null },
    },
  };
}

async function titleContent(
  parts: WebParts,
  contentId: string,
  audience: FlagContext,
  context: Context,
): Promise<Content> {
  const { title } = await parts.call.catalog.get({ id: contentId }, context);
  if (!title) throw problem.internal("the session has no content");
  const isEpisode = title.kind === "episode" && title.parentId !== "";
  const siblings = isEpisode
    ? (
        await parts.call.catalog.list(
          { kinds: ["episode"], parentId: title.parentId, ageRatingMax: 18, states: ["playable"] },
          context,
        )
      ).titles
    : [];
  const series = isEpisode ? (await parts.call.catalog.get({ id: title.parentId }, context)).title : undefined;
  const { flags } = parts;
  const hasNext = isEpisode && !flags.evaluate(NextEpisodeOff, audience).value;
  const next = siblings[siblings.findIndex((sibling) => sibling.id === title.id) + 1];
  return {
    live: null,
    content: {
      id: title.id,
      title: series?.title ?? title.title,
      subtitle: isEpisode ? `${episodeBadge(title)} · ${title.title}` : "",
      durationS: title.durationS,
      chapters: flags.evaluate(ChaptersOff, audience).value ? [] : chaptersOf(title),
      nextEpisodeId: hasNext ? (next?.id ?? null) : null,
      introStartS: null,
      introEndS: null,
      backId: title.parentId || title.id,
    },
  };
}

function tokensOf({ cdns, tokenExpiresAtMs }: Pick<StartResponse, "cdns" | "tokenExpiresAtMs">): TokenAnswer {
  const first = cdns[0];
  if (!first) throw problem.unavailable("no delivery network is available", { retryAfterS: 5 });
  return {
    cdns: cdns.map(({ id, baseUrl, token }) => ({ id, baseUrl, token })),
    token: first.token,
    tokenExpiresAt: isoOf(tokenExpiresAtMs),
  };
}

/** The denial names ids; people want to see names. */
async function withNames(parts: WebParts, error: unknown, context: Context): Promise<never> {
  if (!(error instanceof Problem) || error.reason !== "stream_limit") throw error;
  throw new Problem(error.code, error.message, {
    reason: error.reason,
    details: { streams: await streamsOf(parts, context) },
  });
}

const Stop = z.object({
  positionS: z.coerce.number().min(0).max(1_000_000).optional(),
  durationS: z.coerce.number().min(0).max(1_000_000).optional(),
  sequence: z.coerce.number().int().min(0).max(10_000_000).optional(),
});

async function stop(parts: WebParts, sessionId: string, said: z.output<typeof Stop>, context: Context): Promise<void> {
  const { positionS, sequence = 0 } = said;
  // A position is a place in something: who does not say how long it is means the title's own length.
  const durationS = said.durationS ?? (positionS === undefined ? 0 : await durationOf(parts, sessionId, context));
  await parts.call.session.stop(
    { sessionId, durationS, sequence, reason: "asked", ...(positionS === undefined ? {} : { positionS }) },
    context,
  );
}

async function durationOf({ call }: WebParts, sessionId: string, context: Context): Promise<number> {
  const { session } = await call.session.get({ sessionId }, context).catch((error: unknown) => {
    // Whether a session that is over may be stopped is for the session service to say.
    if (toProblem(error).status >= 500) throw error;
    return { session: undefined };
  });
  if (!session || isChannelId(session.contentId) || isRecordingId(session.contentId)) return 0;
  const { title } = await call.catalog.get({ id: session.contentId }, context);
  return title ? title.durationS + session.insertedS : 0;
}

export const playbackRoutes: readonly Route[] = [
  route({
    ...{
      method: "POST",
      path: "/playback/sessions",
      operationId: "startPlayback",
      tag: "playback",
      auth: "profile",
      status: 201,
    },
    summary: "Starts playback and answers with everything that a player needs.",
    body: StartSession,
    response: Session,
    handle: async (parts, { context, body, request }) => {
      const started = await parts.call.session
        .start(
          { contentId: body.contentId, device: body.device, ip: ipOf(request), market: marketOf(parts, request) },
          context,
        )
        .catch((error: unknown) => withNames(parts, error, context));
      const { contentId } = body;
      const contentOf = (): Promise<Content> => {
        if (isChannelId(contentId)) return channelContent(parts, started, contentId, context);
        if (isRecordingId(contentId)) return recordingContent(parts, contentId, context);
        return titleContent(parts, contentId, audienceOf(parts, request, context), context);
      };
      return answerStart(parts, started, contentOf());
    },
  }),
  route({
    ...{
      method: "POST",
      path: "/playback/sessions/{id}/heartbeats",
      operationId: "beat",
      tag: "playback",
      auth: "user",
      status: 200,
    },
    summary: "Says how playback is; the answer may move the player to another network.",
    params: Id,
    body: Heartbeat,
    response: HeartbeatAnswer,
    handle: async (parts, { context, params, body }) => {
      const { videoStartTimeMs, liveLatencyMs, errors, ...beat } = body;
      const latency = liveLatencyMs === null ? {} : { liveLatencyMs };
      const answer = await parts.call.session.beat(
        { ...beat, ...latency, sessionId: params.id, videoStartTimeMs: videoStartTimeMs ?? -1, errors },
        context,
      );
      return {
        heartbeatIntervalS: answer.heartbeatIntervalS,
        switchTo: answer.switchTo.length > 0 ? answer.switchTo : null,
        ended: answer.ended,
      };
    },
  }),
  route({
    ...{
      method: "POST",
      path: "/playback/sessions/{id}/token",
      operationId: "refreshToken",
      tag: "playback",
      auth: "user",
      status: 200,
    },
    summary: "Fresh access tokens for every delivery network of a living session.",
    params: Id,
    response: TokenAnswer,
    handle: async (parts, { context, params }) =>
      tokensOf(await parts.call.session.refreshToken({ sessionId: params.id }, context)),
  }),
  route({
    ...{
      method: "DELETE",
      path: "/playback/sessions/{id}",
      operationId: "stopPlayback",
      tag: "playback",
      auth: "user",
      status: 204,
    },
    summary: "Ends playback, with the last position.",
    params: Id,
    query: Stop,
    handle: (parts, { context, params, query }) => stop(parts, params.id, query, context),
  }),
  route({
    ...{
      method: "POST",
      path: "/playback/sessions/{id}/stop",
      operationId: "stopPlaybackByBeacon",
      tag: "playback",
      auth: "user",
      status: 204,
    },
    summary: "The same for pages that are being closed (navigator.sendBeacon).",
    params: Id,
    body: Stop,
    handle: (parts, { context, params, body }) => stop(parts, params.id, body, context),
  }),
];
