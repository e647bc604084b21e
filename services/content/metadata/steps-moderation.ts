import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { newId } from "#kernel";
import type { Still } from "#kernel/ports/transcoder";
import { type Cue, effective, skipped, type Subtitles } from "./domain.ts";
import { highestJudged, judgedIn, lookedOf, replacedBy, saidIn, surenessOf, type Verdicts } from "./domain-judged.ts";
import {
  AROUND_S,
  CLASSES,
  type ClassName,
  doubtedOf,
  isDecided,
  type Kind,
  KINDS,
  LANGUAGES_KNOWN,
  languageIn,
  meanOf,
  nudityIn,
  nudityOf,
  type Seen,
  type Suspicion,
} from "./domain-moderation.ts";
import { type Detector, openDetector } from "./detect.ts";
import { judge } from "./judge.ts";
import { PICTURE_SIDE as SIDE, pictureTensor } from "./picture-tensor.ts";
import type { Doing, MetadataTx, Parts, Perform } from "./parts.ts";
import * as store from "./store.ts";
import * as findings from "./store-findings.ts";
import { ownSubtitles } from "./own-subtitles.ts";
import { WEIGHTS } from "#contracts/metadata";

const LOOK_WIDTH = 320;
const LOOKS_MAX = 300;
const STEP_S_MIN = 0.5;
/** Of each kind. */
const FINDINGS_MAX = 200;
/** How much of the step's progress the server is, where others look as well. */
const SERVER_SHARE = 0.6;
const NOTHING_LOOKED =
  "nothing here could look or listen: ./marquee model pull moderation asr speech, or a server at MARQUEE_MODERATION_URL";

/**
 * What may be harmful is shown to a person, who decides. What no model here can see is not looked for, and the result says so: not looked at is not
 * the same as nothing found.
 */
export const moderate: Perform = async (parts, doing) => {
  const { contentId, durationS } = doing.title;
  const stepS = Math.max(STEP_S_MIN, durationS / LOOKS_MAX);
  const subtitles = await subtitlesOf(parts, doing);
  const cues = (subtitles?.cues ?? []).filter(({ text }) => text.trim() !== "");
  const { frames, verdicts, version } = await look(parts, doing, cues, stepS);
  const isListed = subtitles !== undefined && LANGUAGES_KNOWN.includes(subtitles.language.split("-")[0] ?? "");
  const isHere = version !== undefined;
  const looks = lookedOf({ hasDetector: isHere, verdicts, language: subtitles?.language, isListed });
  if (!Object.values(looks.looked).includes(true)) {
    // As with every step: what a server could not do has failed, and may be asked for again.
    if (verdicts?.fault) throw verdicts.fault;
    return { outcome: skipped("no_model", NOTHING_LOOKED) };
  }
  const all = [
    ...by({ model: WEIGHTS.moderation.model, version: version ?? "" }, nudityIn(frames, stepS)),
    ...by({ model: parts.moderation?.model ?? "", version: "remote" }, [
      ...judgedIn(verdicts?.frames ?? [], stepS),
      ...saidIn(cues, verdicts?.words ?? []),
    ]),
    ...by(LIST, isListed ? languageIn(cues, subtitles.language) : []),
  ];
  const found = KINDS.flatMap((kind) => all.filter((each) => each.kind === kind).slice(0, FINDINGS_MAX));
  const hasServer = (verdicts?.frames.length ?? 0) + (verdicts?.words.length ?? 0) > 0;
  // The version is that of the last of them.
  const model = [
    isListed ? LIST.model : "",
    hasServer ? (parts.moderation?.model ?? "") : "",
    isHere ? WEIGHTS.moderation.model : "",
  ];
  return {
    outcome: {
      state: "done",
      by: {
        model: model.filter(Boolean).join(", "),
        version: version ?? (hasServer ? "remote" : LIST.version),
        confidence: frames.length > 0 || !verdicts ? confidenceOf(frames) : surenessOf(verdicts.frames),
      },
      value: {
        ...looks,
        frames: Math.max(frames.length, verdicts?.frames.length ?? 0),
        highest: highestOf(frames),
        // Of single frames, whose false alarms are many, and of closer looks, which is what a person is asked by.
        highestSingle: Math.max(0, ...frames.map(({ classes }) => nudityOf(classes))),
        highestAround: Math.max(0, ...frames.map(({ around }) => (around ? nudityOf(around) : 0))),
        highestJudged: highestJudged(verdicts?.frames ?? []),
        suspicions: found.length,
      },
    },
    write: (tx) => writeFindings(parts, tx, contentId, replacedBy(looks, verdicts?.fault), found),
  };
};

/** Who points at something. */
interface Witness {
  readonly model: string;
  readonly version: string;
}
type Found = Suspicion & Witness;
const LIST: Witness = { model: "list of words", version: "1" };
const by = (witness: Witness, suspicions: readonly Suspicion[]): Found[] =>
  suspicions.map((suspicion) => ({ ...suspicion, ...witness }));

interface Looks {
  readonly frames: readonly Seen[];
  readonly verdicts: Verdicts | undefined;
  /** Of the weights that looked; undefined where there are none. */
  readonly version: string | undefined;
}

/** By the server where there is one, and by the weights where they are here. */
async function look(parts: Parts, doing: Doing, cues: readonly Cue[], stepS: number): Promise<Looks> {
  const { moderation } = parts;
  const detector = await openDetector(parts, "moderation");
  const share = moderation && detector ? SERVER_SHARE : moderation ? 1 : 0;
  try {
    const stills = detector || moderation ? await takeStills(parts, doing, stepS) : [];
    // The server first: where it is away and another try comes, nothing was looked at in vain.
    const asking = { ...doing, progress: (ratio: number) => doing.progress(ratio * share) };
    const verdicts = moderation && (await judge(parts, moderation, asking, { stills, cues, width: LOOK_WIDTH }));
    const looking = { ...doing, progress: (ratio: number) => doing.progress(share + ratio * (1 - share)) };
    const frames = detector ? await lookCloser(parts, detector, looking, await lookAt(detector, looking, stills)) : [];
    return { frames, verdicts, version: detector?.version };
  } finally {
    await detector?.close();
  }
}

async function takeStills(parts: Parts, { title, path, folder, signal }: Doing, stepS: number): Promise<Still[]> {
  const count = Math.max(1, Math.floor(title.durationS / stepS));
  const timesS = Array.from({ length: count }, (_, index) => (index + 0.5) * stepS).filter(
    (timeS) => timeS < title.durationS,
  );
  const into = join(folder, "looks");
  await mkdir(into);
  return parts.transcoder.stills(path, title.source, { timesS, width: LOOK_WIDTH }, into, signal);
}

async function lookAt(detector: Detector, { signal, progress }: Doing, stills: readonly Still[]): Promise<Seen[]> {
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
  contentId: string,
  replaced: readonly Kind[],
  found: readonly Found[],
): Promise<void> {
  const nowMs = parts.clock.nowMs();
  const staying = (await findings.ofTitle(tx, contentId)).filter(
    ({ state, kind }) => state !== "waiting" || !replaced.includes(kind),
  );
  const fresh = found.filter((each) => !isDecided(each, staying));
  await findings.replaceWaiting(
    tx,
    contentId,
    replaced,
    fresh.map((each) => ({
      ...each,
      ...{ id: newId("fnd", nowMs), contentId, state: "waiting", foundAtMs: nowMs, decidedAtMs: 0 },
    })),
  );
}
