import { type Context, problem, systemContext } from "#kernel";
import type { Job } from "#kernel/ports/jobs";
import { rowOf } from "./follow.ts";
import { precompute } from "./home.ts";
import { type LiveModel, openModel } from "./models.ts";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";
import { sweepShows } from "./store-artwork.ts";

export const QUEUE = "recommendation";
/** The refresh cycle of ARCH-001's model inventory. */
const REFRESH_MS = 6 * 3_600_000;
const EXPOSURES_KEPT_MS = 60 * 86_400_000;
const JOB_MS_MAX = 1_800_000;
const PAGE = 200;
const TITLES_MAX = 20_000;
/** Whoever watched last comes again soonest; sets of all others are made when they are asked for. */
const PRECOMPUTED_MAX = 1_000;

const jobOf = (tenant: string) => ({ key: tenant, payload: { tenant } });

export async function tenantsOf({ call, clock }: Pick<Parts, "call" | "clock">): Promise<readonly string[]> {
  const { tenants } = await call.tenant.list({}, systemContext("system", "recommendation", { clock }));
  return tenants.map(({ id }) => id);
}

/** Asks for training where the last one is a cycle old. Tenants of which nothing is known have nothing to learn from. */
export async function trainDue(parts: Parts): Promise<void> {
  const nowMs = parts.clock.nowMs();
  for (const tenant of await tenantsOf(parts)) {
    await parts.db.tx({ tenant }, async (tx) => {
      const last = await store.findReport(tx);
      if (last && nowMs - last.trainedAtMs < REFRESH_MS) return;
      if (!last && (await store.latestProfiles(tx, 1)).length === 0) return;
      await parts.jobs.send(tx, QUEUE, [jobOf(tenant)]);
    });
  }
}

export async function sweep(parts: Parts): Promise<void> {
  const beforeMs = parts.clock.nowMs() - EXPOSURES_KEPT_MS;
  for (const tenant of await tenantsOf(parts))
    await parts.db.tx({ tenant }, async (tx) => {
      await store.sweepShown(tx, beforeMs);
      await sweepShows(tx, beforeMs);
    });
}

export async function takeJob(parts: Parts, { payload, signal }: Job): Promise<void> {
  const { tenant } = payload;
  if (typeof tenant !== "string") throw problem.internal("a job without a tenant");
  const { clock } = parts;
  await train(parts, systemContext(tenant, "recommendation", { clock, signal, deadlineMs: JOB_MS_MAX }));
}

/** Learns anew from everything that is known, and makes the sets of those who have a past. */
export async function train(parts: Parts, context: Context): Promise<LiveModel> {
  const { tenant, signal } = context;
  await fetchTitles(parts, context);
  const model = await fit(parts, tenant);
  parts.models.replace(tenant, model);
  await parts.db.tx({ tenant }, (tx) => store.putReport(tx, model.report, model.trainedAtMs));
  parts.logger.info("recommendations were trained", { tenant, ...model.report });
  for (const profileId of await parts.db.read({ tenant }, (tx) => store.latestProfiles(tx, PRECOMPUTED_MAX))) {
    if (signal.aborted) break;
    await precompute(parts, context, profileId);
  }
  return model;
}

/** A model of what is known now. Each process fits its own: the same rows make the same model. */
export async function fit({ db, clock }: Pick<Parts, "db" | "clock">, tenant: string): Promise<LiveModel> {
  const set = await db.tx({ tenant }, store.trainingSet);
  return openModel(set, clock.nowMs());
}

/** Titles that were there before this service was, or whose events the log no longer has. */
async function fetchTitles(parts: Parts, context: Context): Promise<void> {
  let afterId = "";
  for (let fetched = 0; fetched < TITLES_MAX && !context.signal.aborted; fetched += PAGE) {
    const { titles } = await parts.call.catalog.list(
      {
        kinds: ["film", "series", "episode"],
        includeHidden: true,
        afterId,
        limit: PAGE,
        states: ["processing", "playable", "failed"],
      },
      context,
    );
    await parts.db.tx(context, (tx) => store.putTitles(tx, titles.map(rowOf)));
    if (titles.length < PAGE) break;
    afterId = titles.at(-1)?.id ?? "";
  }
  parts.shelves.forget(context.tenant);
}
