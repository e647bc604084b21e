import { type Context, problem } from "#kernel";
import { packageFolder } from "#media/presentation";
import { gapsBefore, lastNumber, surplus, withGap } from "./domain.ts";
import { eventOf, type Parts, type RecordingTx } from "./parts.ts";
import { presentationOf } from "./presentation.ts";
import * as store from "./store.ts";

/** Writes the index of what is there, and says where it is. */
export async function writeIndex({ call, db, objects }: Parts, { id }: store.Copy, context: Context) {
  const { keys } = await call.keys.signalling({ contentId: id, packageRevision: 1 }, context);
  return db.tx(context, async (tx) => {
    const copy = await store.lockCopy(tx, id);
    if (!copy) throw problem.notFound(`recording '${id}' does not exist`);
    const indexVersion = copy.index_version + 1;
    const segments = (await store.segmentsOf(tx, copy.id)).slice(0, copy.segments);
    const presentation = presentationOf({
      ...{ contentId: copy.id, indexVersion, tracks: copy.tracks ?? [], segments },
      gapsBefore: gapsBefore({ fromMs: copy.from_ms, toMs: copy.to_ms }, copy.gaps, segments.length),
      keys: keys.map(({ kid, keyClass, iv }) => ({
        kid,
        keyClass: keyClass as "SD",
        ivHex: Buffer.from(iv).toString("hex"),
      })),
    });
    await objects.put(
      `${packageFolder(copy.id, 1)}/index-${indexVersion}.json`,
      Buffer.from(JSON.stringify(presentation)),
    );
    await store.changeCopy(tx, copy.id, { index_version: indexVersion, indexed_segments: copy.segments });
    return { packageRevision: 1, indexVersion, durationS: presentation.durationS };
  });
}

/** The time is over: what is there is the recording. */
export async function finish(parts: Parts, copy: store.Copy, context: Context): Promise<void> {
  if (copy.segments === 0) return giveUp(parts, copy, "no_signal", context);
  const { counted, db } = parts;
  const { durationS } = await writeIndex(parts, copy, context);
  const gaps = withGap(copy.gaps, copy.last_number, lastNumber({ fromMs: copy.from_ms, toMs: copy.to_ms }) + 1);
  const missingMs = gaps.reduce((sum, gap) => sum + gap.durationMs, 0);
  await db.tx(context, async (tx) => {
    // Two of a series that end at once would each see the other as not there yet, and keep one too many.
    for (const userId of usersOf(await store.ofCopy(tx, copy.id))) await store.lockAccount(tx, userId);
    await store.changeCopy(tx, copy.id, { state: "completed", gaps });
    for (const recording of await store.ofCopy(tx, copy.id)) {
      await store.changeRecording(tx, recording.id, { state: "completed" });
      const { titles, channel_name: channelName, start_ms: startMs } = recording;
      const length = { durationMs: Math.round(durationS * 1_000), missingMs };
      tx.emit("completed", { ...eventOf(recording), ...length, titles, channelName, startMs });
      tx.afterCommit(async () => counted("completed"));
      await thin(tx, recording);
    }
  });
  await release(parts, copy, context);
}

/** In one order, so that two that take several locks never wait for each other in a circle. */
const usersOf = (recordings: readonly store.Recording[]): string[] =>
  [...new Set(recordings.map(({ user_id }) => user_id))].toSorted();

/** Deletes the oldest of a series beyond those that are to be kept. */
async function thin(tx: RecordingTx, { rule_id: ruleId, user_id: userId }: store.Recording): Promise<void> {
  if (ruleId === null) return;
  const rule = (await store.rulesOf(tx, userId, 1_000)).find(({ id }) => id === ruleId);
  if (!rule) return;
  const completed = (await store.completedOf(tx, ruleId)).map((one) => ({ ...one, startMs: one.start_ms }));
  for (const old of surplus(rule.keep, completed)) await drop(tx, old);
}

/** Nothing will come of it. */
export async function giveUp(parts: Parts, copy: store.Copy, reason: string, context: Context): Promise<void> {
  await parts.db.tx(context, async (tx) => {
    await store.changeCopy(tx, copy.id, { state: "failed" });
    for (const recording of await store.ofCopy(tx, copy.id)) await fail(parts, tx, recording, reason);
  });
  await release(parts, copy, context);
}

/** Says that nothing comes of somebody's recording; another airing of the episode may be recorded then. */
export async function fail(
  { counted }: Parts,
  tx: RecordingTx,
  recording: store.Recording,
  reason: string,
): Promise<void> {
  await store.changeRecording(tx, recording.id, { state: "failed", failure: reason });
  await store.forgetEpisode(tx, recording.id);
  tx.emit("failed", { ...eventOf(recording), reason });
  tx.afterCommit(async () => counted("failed", reason));
}

/** Takes somebody's recording away; what is played of it goes with the last one who has it. */
export async function drop(tx: RecordingTx, recording: store.Recording): Promise<void> {
  await store.deleteRecording(tx, recording.id);
  const others = await store.ofCopy(tx, recording.copy_id);
  if (others.length === 0) await store.changeCopy(tx, recording.copy_id, { state: "deleting", due_at_ms: 0 });
  tx.emit("deleted", { ...eventOf(recording), gone: others.length === 0 });
}

/** Lets the channel go. A channel that is gone holds nothing. */
async function release({ call, logger }: Parts, { channel_id: channelId, id: holder }: store.Copy, context: Context) {
  try {
    await call.live.unpin({ channelId, holder }, context);
    await call.live.hold({ channelId, holder, untilMs: 0n }, context);
  } catch (error) {
    logger.warn("a channel could not be let go; it lets go by itself", { error });
  }
}

/** Deletes what was recorded, and last of all that it was. */
export async function remove(parts: Parts, copy: store.Copy, context: Context): Promise<void> {
  await release(parts, copy, context);
  await parts.objects.deletePrefix(`vod/${copy.id}/`);
  await parts.call.keys.deleteContent({ contentId: copy.id }, context);
  await parts.db.tx(context, (tx) => store.deleteCopy(tx, copy.id));
}
