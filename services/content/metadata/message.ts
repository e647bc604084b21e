import type { Context } from "#kernel";
import { effective, STEPS } from "./domain.ts";
import { type Parts, progressKey } from "./parts.ts";
import * as store from "./store.ts";
import * as findings from "./store-findings.ts";

export async function describeTitles(
  parts: Parts,
  titles: readonly store.Title[],
  context: Context,
  { withValues }: { readonly withValues: boolean },
) {
  const ids = titles.map(({ contentId }) => contentId);
  const { steps, waiting, corrections } = await parts.db.read(context, async (tx) => ({
    steps: await store.steps(tx, ids),
    waiting: await findings.countWaiting(tx, ids),
    corrections: withValues && ids[0] !== undefined ? await store.corrections(tx, ids[0]) : new Map<never, unknown>(),
  }));
  const toMessage = (step: store.Step) => {
    const { value, corrected } = effective(step.name, step.value, corrections);
    const running = parts.progress.get(progressKey(context.tenant, step.contentId, step.name)) ?? 0;
    return {
      ...{ name: step.name, state: step.state, model: step.model, version: step.version, reason: step.reason },
      ...{ confidence: step.confidence, atMs: BigInt(step.atMs), message: step.message, corrected },
      progress: step.state === "running" ? running : step.state === "waiting" ? 0 : 1,
      valueJson: withValues && value !== undefined ? JSON.stringify(value) : "",
    };
  };
  return titles.map((title) => ({
    ...{ contentId: title.contentId, durationS: title.durationS, begunAtMs: BigInt(title.begunAtMs) },
    findingsWaiting: waiting.get(title.contentId) ?? 0,
    subtitlesShown: title.subtitlesShown,
    steps: steps
      .filter(({ contentId }) => contentId === title.contentId)
      .sort((a, b) => STEPS.indexOf(a.name) - STEPS.indexOf(b.name))
      .map(toMessage),
  }));
}

export const toFindingMessage = (finding: findings.Finding) => ({
  ...finding,
  foundAtMs: BigInt(finding.foundAtMs),
  decidedAtMs: BigInt(finding.decidedAtMs),
});
