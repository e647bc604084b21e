import type { CorrectRequest, DecideRequest, EnrichRequest } from "#contracts/metadata";
import { type Context, problem } from "#kernel";
import { type Chapter, CORRECTIONS, correctionOf, isCorrectable, isStep, type Picture, STEPS } from "./domain.ts";
import { toFindingMessage } from "./message.ts";
import type { MetadataTx, Parts } from "./parts.ts";
import { announce } from "./say.ts";
import * as store from "./store.ts";
import * as findings from "./store-findings.ts";
import { followUp, send } from "./work.ts";

// What people ask for and say.

const unknown = (contentId: string): Error =>
  problem.notFound(`'${contentId.slice(0, 80)}' was not taken in, so there is nothing to look at`);

export async function enrich(parts: Parts, { contentId, step }: EnrichRequest, context: Context) {
  if (step !== "" && !isStep(step))
    throw problem.invalid(`step '${step.slice(0, 40)}' is not known: ${STEPS.join(", ")}`);
  return parts.db.tx(context, async (tx) => {
    if (!(await store.title(tx, contentId, { lock: true }))) throw unknown(contentId);
    const all = await store.steps(tx, [contentId]);
    const wanted = all.filter(({ name, state }) =>
      step === "" ? state !== "done" && state !== "running" : name === step,
    );
    for (const { name, state } of wanted) {
      if (state === "running")
        throw problem.precondition(`step '${name}' of '${contentId}' runs now: wait until it has ended`);
      // One that waits has perhaps a job that lets films go first: this one does not, and that one will find nothing to do.
      const attempt = await store.againStep(tx, contentId, name);
      await send(parts, tx, [{ tenant: tx.tenant, contentId, step: name, attempt }]);
    }
    return { steps: wanted.map(({ name }) => name) };
  });
}

export async function correct(parts: Parts, { contentId, what, valueJson }: CorrectRequest, context: Context) {
  if (!isCorrectable(what))
    throw problem.invalid(`'${what.slice(0, 40)}' cannot be corrected: ${Object.keys(CORRECTIONS).join(", ")} can`);
  await parts.db.tx(context, async (tx) => {
    const title = await store.title(tx, contentId, { lock: true });
    if (!title) throw unknown(contentId);
    if (valueJson === "") await store.removeCorrection(tx, contentId, what);
    else {
      const made = (await store.step(tx, contentId, CORRECTIONS[what].step))?.value;
      const value = correctionOf(what, valueJson, { durationS: title.durationS, made });
      await store.saveCorrection(tx, { contentId, what, value, nowMs: parts.clock.nowMs() });
    }
    await announceNow(tx, title, what, valueJson !== "");
    await followUp(parts, tx, { tenant: tx.tenant, contentId, step: CORRECTIONS[what].step });
  });
  return {};
}

/** What holds from now on: a person's words, or the model's again. */
async function announceNow(
  tx: MetadataTx,
  title: store.Title,
  what: keyof typeof CORRECTIONS,
  byPerson: boolean,
): Promise<void> {
  const { contentId } = title;
  const corrections = await store.corrections(tx, contentId);
  const { step, member } = CORRECTIONS[what];
  const made = (await store.step(tx, contentId, step))?.value as Readonly<Record<string, unknown>> | undefined;
  const now = corrections.get(what) ?? (member === undefined ? made : made?.[member]);
  if (what === "tags")
    tx.emit("tagsUpdated", { contentId, tags: [...((now as string[] | undefined) ?? [])], byPerson });
  else if (what === "chapters")
    announce(tx, { contentId, what, byPerson, chapters: (now as Chapter[] | undefined) ?? [] });
  else if (what === "thumbnails")
    announce(tx, { contentId, what, byPerson, pictures: (now as Picture[] | undefined) ?? [] });
  else announce(tx, { contentId, what, byPerson });
}

export async function decide(parts: Parts, { id, verdict }: DecideRequest, context: Context) {
  if (verdict !== "accepted" && verdict !== "rejected" && verdict !== "waiting")
    throw problem.invalid(`verdict '${verdict.slice(0, 40)}' is not accepted, rejected, or waiting to take one back`);
  const finding = await parts.db.tx(context, async (tx) => {
    const decided = await findings.decide(tx, id, verdict, parts.clock.nowMs());
    if (decided) announce(tx, { contentId: decided.contentId, what: "moderation", byPerson: true });
    return decided;
  });
  if (!finding) throw problem.notFound(`there is no finding '${id.slice(0, 80)}'`);
  return { finding: toFindingMessage(finding) };
}
