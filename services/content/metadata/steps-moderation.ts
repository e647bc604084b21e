import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { type Context, newId } from "#kernel";
import { effective, type Subtitles } from "./domain.ts";
import {
  AROUND_S,
  CLASSES,
  type ClassName,
  doubtedOf,
  isDecided,
  LANGUAGES_KNOWN,
  languageIn,
  meanOf,
  nudityIn,
  nudityOf,
  type Seen,
  type Suspicion,
} from "./domain-moderation.ts";
import { type Detector, openDetector } from "./detect.ts";
import { PICTURE_SIDE as SIDE, pictureTensor } from "./picture-tensor.ts";
import type { Doing, MetadataTx, Parts, Perform } from "./parts.ts";
import * as store from "./store.ts";
import * as findings from "./store-findings.ts";
import { ownSubtitles } from "./own-subtitles.ts";
import { WEIGHTS } from "#contracts/metadata";

const LOOK_WIDTH = 320;
const LOOKS_MAX = 300;
const STEP_S_MIN = 0.5;
const FINDINGS_MAX = 200;

/**
 * What may be harmful is shown to a person, who decides. What no model here can see is not looked for, and the result says so: not looked at is not
 * the same as nothing found.
 */
export const moderate: Perform = async (parts, doing) => {
  const { title, context } = doing;
  const detector = await openDetector(parts, "moderation");
  const stepS = Math.max(STEP_S_MIN, title.durationS / LOOKS_MAX);
  let frames: Seen[] = [];
  try {
    if (detector) frames = await lookCloser(parts, detector, doing, await lookFor(parts, detector, doing, stepS));
  } finally {
    await detector?.close();
  }
  const subtitles = await subtitlesOf(parts, doing);
  const isSpoken = subtitles !== undefined && LANGUAGES_KNOWN.includes(subtitles.language.split("-")[0] ?? "");
  const suspicions = [
    ...nudityIn(frames, stepS),
    ...(isSpoken ? languageIn(subtitles.cues, subtitles.language) : []),
  ].slice(0, FINDINGS_MAX);
  if (!detector && !isSpoken)
    return {
      outcome: {
        state: "skipped",
        reason: "no_model",
        message: "nothing here could look or listen: ./marquee model pull moderation asr speech",
      },
    };
  const version = detector?.version ?? "1";
  const model = [detector ? WEIGHTS.moderation.model : "", isSpoken ? "list of words" : ""].filter(Boolean).join(", ");
  const highest = highestOf(frames);
  return {
    outcome: {
      state: "done",
      by: { model, version, confidence: confidenceOf(frames) },
      value: {
        looked: { nudity: detector !== undefined, language: isSpoken, violence: false },
        frames: frames.length,
        highest,
        // Of single frames, whose false alarms are many, and of closer looks, which is what a person is asked by.
        highestSingle: Math.max(0, ...frames.map(({ classes }) => nudityOf(classes))),
        highestAround: Math.max(0, ...frames.map(({ around }) => (around ? nudityOf(around) : 0))),
        suspicions: suspicions.length,
      },
    },
    write: (tx) => writeFindings(parts, tx, context, title.contentId, { suspicions, model, version }),
  };
};

async function lookFor(parts: Parts, detector: Detector, doing: Doing, stepS: number): Promise<Seen[]> {
  const { title, path, folder, signal, progress } = doing;
  const count = Math.max(1, Math.floor(title.durationS / stepS));
  const timesS = Array.from({ length: count }, (_, index) => (index + 0.5) * stepS).filter(
    (timeS) => timeS < title.durationS,
  );
  const into = join(folder, "looks");
  await mkdir(into);
  const stills = await parts.transcoder.stills(path, title.source, { timesS, width: LOOK_WIDTH }, into, signal);
  const frames: Seen[] = [];
  for (const [index, { file, timeS }] of stills.entries()) {
    signal.throwIfAborted();
    frames.push({ timeS, classes: await classesOf(detector, sharp(file).resize(SIDE, SIDE, { fit: "fill" })) });
    progress((0.8 * (index + 1)) / stills.length);
  }
  return frames;
}

/** Looks at the two seconds around each doubtful frame, whole, as in a mirror, and at the middle alone. */
async function lookCloser(parts: Parts, detector: Detector, doing: Doing, frames: readonly Seen[]): Promise<Seen[]> {
  const { title, path, folder, signal, progress } = doing;
  const doubted = doubtedOf(frames);
  const around = new Map<number, Seen["classes"]>();
  for (const [index, { timeS, classes }] of doubted.entries()) {
    signal.throwIfAborted();
    const timesS = AROUND_S.map((offsetS) => timeS + offsetS).filter((atS) => atS >= 0 && atS < title.durationS);
    const into = join(folder, `around-${index}`);
    await mkdir(into);
    const stills = await parts.transcoder.stills(path, title.source, { timesS, width: LOOK_WIDTH }, into, signal);
    const looks: Seen["classes"][] = stills.length === 0 ? [classes] : [];
    for (const { file } of stills)
      for (const view of [
        sharp(file).resize(SIDE, SIDE, { fit: "fill" }),
        sharp(file).flop().resize(SIDE, SIDE, { fit: "fill" }),
        sharp(file).resize(SIDE, SIDE, { fit: "cover" }),
      ])
        looks.push(await classesOf(detector, view));
    around.set(timeS, meanOf(looks));
    progress(0.8 + (0.2 * (index + 1)) / doubted.length);
  }
  return frames.map((frame) => {
    const closer = around.get(frame.timeS);
    return closer ? { ...frame, around: closer } : frame;
  });
}

async function classesOf(detector: Detector, view: Sharp): Promise<Seen["classes"]> {
  const rgb = await view.removeAlpha().raw().toBuffer();
  const { classes = [] } = await detector.ask([pictureTensor(rgb)]);
  const named = CLASSES.map((name, at) => [name, classes[at] ?? 0] as const);
  return Object.fromEntries(named) as Record<ClassName, number>;
}

/** A person's, else the film's own, else what was drafted. */
async function subtitlesOf(parts: Parts, doing: Doing): Promise<Subtitles | undefined> {
  const { contentId } = doing.title;
  const { step, corrections } = await parts.db.read(doing.context, async (tx) => ({
    step: await store.step(tx, contentId, "subtitles"),
    corrections: await store.corrections(tx, contentId),
  }));
  const { value, corrected } = effective("subtitles", step?.value, corrections);
  if (corrected) return value as Subtitles;
  return (await ownSubtitles(parts, doing)) ?? (value as Subtitles | undefined);
}

function highestOf(frames: readonly Seen[]): Readonly<Record<string, number>> {
  const entries = CLASSES.map((name) => [name, Math.max(0, ...frames.map(({ classes }) => classes[name]))] as const);
  return Object.fromEntries(entries);
}

/** How sure the model was of what each frame is, on the whole. */
function confidenceOf(frames: readonly Seen[]): number {
  if (frames.length === 0) return 1;
  return frames.reduce((sum, { classes }) => sum + Math.max(...Object.values(classes)), 0) / frames.length;
}

async function writeFindings(
  parts: Parts,
  tx: MetadataTx,
  _context: Context,
  contentId: string,
  of: { readonly suspicions: readonly Suspicion[]; readonly model: string; readonly version: string },
): Promise<void> {
  const nowMs = parts.clock.nowMs();
  const decided = (await findings.ofTitle(tx, contentId)).filter(({ state }) => state !== "waiting");
  const fresh = of.suspicions.filter((suspicion) => !isDecided(suspicion, decided));
  await findings.replaceWaiting(
    tx,
    contentId,
    fresh.map((suspicion) => ({
      ...suspicion,
      ...{ id: newId("fnd", nowMs), contentId, state: "waiting", model: of.model, version: of.version },
      ...{ foundAtMs: nowMs, decidedAtMs: 0 },
    })),
  );
}
