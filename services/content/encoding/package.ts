import { Worker } from "node:worker_threads";
import { type Context, problem } from "#kernel";
import type { Objects } from "#kernel/ports/objects";
import { askWorker } from "#kernel/worker";
import type { PackagedSegment, TrackProtection } from "#media/cenc";
import {
  type AudioTrack,
  type Chapter,
  keyClassOf,
  packageFolder,
  type Presentation,
  type Segment,
  segmentName,
  type TextTrack,
  type ThumbnailTrack,
  type VideoTrack,
} from "#media/presentation";
import { parseWebvtt, segmentWebvtt } from "#media/webvtt";
import {
  type AudioRung,
  indexKey,
  intermediateFolder,
  type Plan,
  type Stage,
  stageOf,
  type VideoRung,
} from "./domain.ts";
import type { FromPackager, ToPackager } from "./packager-worker.ts";
import type { EncodingPlatform } from "./service.ts";

/** What the packaging of one revision starts from. */
export interface PackageJob {
  readonly tenant: string;
  readonly contentId: string;
  readonly revision: number;
  readonly indexVersion: number;
  readonly plan: Plan;
  /** Rungs whose chunks are all there; the others join later. */
  readonly stages: readonly Stage[];
  /** The index that plays already; its tracks stay as they are. */
  readonly before: Presentation | null;
  readonly thumbnails: ThumbnailTrack | null;
  readonly chapters: readonly Chapter[];
  readonly signal: AbortSignal;
}

const PUTS_AT_ONCE_MAX = 8;

type Ports = Pick<EncodingPlatform, "objects" | "call">;

/** Packages what is missing, writes the next index and returns it. Segments are written before the index that names them. */
export async function packageTitle({ objects, call }: Ports, job: PackageJob, context: Context): Promise<Presentation> {
  const { contentId, revision } = job;
  const folder = packageFolder(contentId, revision);
  const { keys: signalled, psshCommon } = await call.keys.createSet({ contentId, packageRevision: revision }, context);
  const { keys } = await call.keys.getSet({ contentId, packageRevision: revision }, context);
  const protectionOf = (keyClass: string): TrackProtection => {
    const key = keys.find((candidate) => candidate.keyClass === keyClass);
    const signal = signalled.find((candidate) => candidate.kid === key?.kid);
    if (!key || !signal) throw problem.internal(`the key set of '${contentId}' lacks ${keyClass}`);
    return {
      key: key.key,
      kid: key.kid,
      ivHex: Buffer.from(key.iv).toString("hex"),
      pssh: [psshCommon, signal.psshWidevine, signal.psshPlayready],
    };
  };
  const packager = openPackager(job.signal);
  try {
    const kept = new Set(job.before?.video.map((track) => track.profile));
    const rungs = job.plan.video.filter(
      (rung) => !kept.has(rung.profile) && job.stages.includes(stageOf(job.plan, rung)),
    );
    const video: VideoTrack[] = [...(job.before?.video ?? [])];
    for (const rung of rungs)
      video.push(await packageVideo(objects, packager, job, rung, protectionOf(keyClassOf(rung.width, rung.height))));
    const lead = video[0];
    if (!lead) throw problem.internal(`'${contentId}' has no picture to package`);
    const cutsS = startsOf(lead);
    const audio: AudioTrack[] = [...(job.before?.audio ?? [])];
    if (!job.before)
      for (const rung of job.plan.audio)
        audio.push(await packageAudio(objects, packager, job, rung, protectionOf("AUDIO"), cutsS));
    // Rungs that joined later stand where the ladder has them.
    const places = job.plan.video.map(({ profile }) => profile);
    video.sort((a, b) => places.indexOf(a.profile) - places.indexOf(b.profile));
    const text = await packageTexts(objects, job, lead);
    const presentation: Presentation = {
      contentId,
      revision,
      indexVersion: job.indexVersion,
      durationS: totalS(lead),
      keys: signalled.map(({ kid, keyClass, iv }) => ({
        kid,
        keyClass: keyClass as "SD",
        ivHex: Buffer.from(iv).toString("hex"),
      })),
      video,
      audio,
      text,
      thumbnails: job.thumbnails,
      ...(job.chapters.length > 0 ? { chapters: job.chapters } : {}),
    };
    await objects.put(indexKey(folder, job.indexVersion), Buffer.from(JSON.stringify(presentation)));
    return presentation;
  } finally {
    await packager.close();
  }
}

async function packageVideo(
  objects: Objects,
  packager: Packager,
  job: PackageJob,
  rung: VideoRung,
  protection: TrackProtection,
): Promise<VideoTrack> {
  const folder = `${packageFolder(job.contentId, job.revision)}/${rung.profile}`;
  const segments: Segment[] = [];
  let last: Extract<FromPackager, { ok: true }> | undefined;
  for (const [i] of rung.chunks.entries()) {
    job.signal.throwIfAborted();
    const file = await objects.get(chunkKey(job, rung.profile, i));
    last = await packager.ask({ type: "video", file, protection, isFirst: i === 0 });
    if (i === 0) await objects.put(`${folder}/init.mp4`, last.init);
    segments.push(...(await putSegments(objects, folder, segments.length, last.segments)));
  }
  if (!last) throw problem.internal(`rung ${rung.profile} has no chunks`);
  const { codec, timescale, width, height } = last.facts;
  return {
    kind: "video",
    profile: rung.profile,
    codec,
    timescale,
    width,
    height,
    frameRate: job.plan.frameRate,
    kid: protection.kid,
    segments,
    ...bandwidthOf(segments, timescale),
  };
}

async function packageAudio(
  objects: Objects,
  packager: Packager,
  job: PackageJob,
  rung: AudioRung,
  protection: TrackProtection,
  cutsS: readonly number[],
): Promise<AudioTrack> {
  const folder = `${packageFolder(job.contentId, job.revision)}/${rung.profile}`;
  const file = await objects.get(chunkKey(job, rung.profile, 0));
  const {
    init,
    facts,
    segments: made,
  } = await packager.ask({ type: "audio", file, protection, language: rung.language, cutsS });
  await objects.put(`${folder}/init.mp4`, init);
  const segments = await putSegments(objects, folder, 0, made);
  const { codec, timescale, channels, sampleRateHz } = facts;
  const { profile, language, label, isDefault } = rung;
  return {
    kind: "audio",
    profile,
    codec,
    timescale,
    kid: protection.kid,
    language,
    label,
    isDefault,
    channels,
    sampleRateHz,
    segments,
    ...bandwidthOf(segments, timescale),
  };
}

/** Writes a chunk's segments, a handful of objects, at once: they share what a store does for each folder. */
async function putSegments(
  objects: Objects,
  folder: string,
  before: number,
  made: readonly PackagedSegment[],
): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (let at = 0; at < made.length; at += PUTS_AT_ONCE_MAX) {
    const some = made.slice(at, at + PUTS_AT_ONCE_MAX);
    await Promise.all(some.map(({ bytes }, i) => objects.put(`${folder}/${segmentName(before + at + i + 1)}`, bytes)));
    for (const { bytes, durationTicks, iframes } of some)
      segments.push({ durationTicks, sizeBytes: bytes.byteLength, ...(iframes.length > 0 ? { iframes } : {}) });
  }
  return segments;
}

async function packageTexts(objects: Objects, job: PackageJob, lead: VideoTrack): Promise<TextTrack[]> {
  const { text, found } = job.plan;
  const wanted = [
    ...text.map((rung) => ({ ...rung, key: textKey(job, rung.profile) })),
    ...(found ? [{ ...found, role: "subtitles" as const }] : []),
  ];
  const tracks: TextTrack[] = [];
  for (const one of wanted) {
    const known = job.before?.text.find(({ profile }) => profile === one.profile);
    const track = known ?? (await packageText(objects, job, one, totalS(lead)));
    if (track) tracks.push(track);
  }
  return tracks;
}

/** Undefined where there is nothing to read. */
export async function packageText(
  objects: Objects,
  of: Pick<PackageJob, "contentId" | "revision">,
  { profile, language, label, role, key }: Pick<TextTrack, "profile" | "language" | "label" | "role"> & { key: string },
  lengthS: number,
): Promise<TextTrack | undefined> {
  const document = parseWebvtt(await objects.get(key), { lenient: true });
  if (document.cues.length === 0) return undefined;
  const folder = `${packageFolder(of.contentId, of.revision)}/${profile}`;
  const segments = segmentWebvtt(document, { totalS: lengthS });
  for (const [i, { text }] of segments.entries())
    await objects.put(`${folder}/${segmentName(i + 1, "vtt")}`, Buffer.from(text));
  const segmentDurationsS = segments.map(({ durationS }) => durationS);
  return { kind: "text", ...{ profile, language, label, role }, segmentDurationsS };
}

export const chunkKey = (
  of: { readonly tenant: string; readonly contentId: string },
  profile: string,
  chunk: number,
): string => `${intermediateFolder(of.tenant, of.contentId)}${profile}/${chunk}.mp4`;

export const textKey = (of: { readonly tenant: string; readonly contentId: string }, profile: string): string =>
  `${intermediateFolder(of.tenant, of.contentId)}${profile}/0.vtt`;

function bandwidthOf(
  segments: readonly Segment[],
  timescale: number,
): { bandwidthAverageBps: number; bandwidthPeakBps: number } {
  const bits = segments.reduce((sum, segment) => sum + segment.sizeBytes * 8, 0);
  const seconds = segments.reduce((sum, segment) => sum + segment.durationTicks, 0) / timescale;
  const peak = Math.max(
    ...segments.map((segment) => (segment.sizeBytes * 8 * timescale) / Math.max(1, segment.durationTicks)),
  );
  return { bandwidthAverageBps: Math.ceil(bits / Math.max(seconds, 0.001)), bandwidthPeakBps: Math.ceil(peak) };
}

const totalS = (track: VideoTrack): number =>
  track.segments.reduce((sum, segment) => sum + segment.durationTicks, 0) / track.timescale;

/** Start times of the second and later segments: audio is cut at the frames nearest to them. */
function startsOf(track: VideoTrack): number[] {
  let ticks = 0;
  return track.segments.slice(0, -1).map((segment) => {
    ticks += segment.durationTicks;
    return ticks / track.timescale;
  });
}

interface Packager {
  ask(message: ToPackager): Promise<Extract<FromPackager, { ok: true }>>;
  close(): Promise<void>;
}

/** One worker for one job: its memory goes when the job is done. */
function openPackager(signal: AbortSignal): Packager {
  const worker = new Worker(new URL("./packager-worker.ts", import.meta.url));
  const onAbort = (): void => void worker.terminate();
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    async ask(message) {
      const answer = await askWorker<FromPackager>(worker, message, "packaging was interrupted and will be done again");
      if (!answer.ok) throw problem.unsupportedMedia(`the encoder's output could not be packaged: ${answer.message}`);
      return answer;
    },
    async close() {
      signal.removeEventListener("abort", onAbort);
      await worker.terminate();
    },
  };
}
