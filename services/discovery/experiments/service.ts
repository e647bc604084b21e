// Experiments: two ways of doing something on a surface, each for a share of people by a flag, judged by a test that may be looked at at any time.
import { LRUCache } from "lru-cache";
import { Experiments, type ExposeRequest, type StartRequest } from "#contracts/experiments";
import { type PlaybackError, type PlaybackStopped, Session } from "#contracts/session";
import { Tenant } from "#contracts/tenant";
import { User, type UserDeleted } from "#contracts/user";
import {
  type Context,
  defineService,
  on,
  type Platform,
  problem,
  type Received,
  systemContext,
  type Tx,
} from "#kernel";
import { flagContextOf } from "#kernel/flags";
import type { Flag } from "#kernel/ports/flags";
import { mean } from "#learning/sequential";
import {
  DAY_MS,
  harmOf,
  isMetric,
  METRICS,
  PERCENT_MAX,
  PERCENT_MIN,
  ratioOf,
  RUNNING_MAX,
  RUNTIME_MIN_MS,
  testAll,
  verdictOf,
} from "./domain.ts";
import * as store from "./store.ts";
import * as looks from "./store-looks.ts";

const uses = { tenant: Tenant };
type ExperimentsPlatform = Platform<typeof Experiments, typeof uses>;
type ExperimentsTx = Tx<typeof Experiments>;
interface Parts extends Pick<ExperimentsPlatform, "db" | "call" | "clock" | "flags"> {
  /** Of a tenant; read again every two seconds. */
  readonly running: LRUCache<string, readonly store.Experiment[]>;
  /** Exposures that are written down: most are met again and again. */
  readonly seen: LRUCache<string, true>;
}

const LIMIT_MAX = 200;
const LOOKS_MAX = 200;
const RUNNING_MS = 2_000;
const TENANTS_MAX = 1_000;
const SEEN_MAX = 100_000;
const COUNT_EVERY_MS = 10_000;
const TIDY_EVERY_MS = 3_600_000;
const SAMPLES_AT_ONCE = 5_000;
/** Events of what was done in a window may come a little after it. */
const LATE_MS = 5 * 60_000;
const WINDOW_S_MAX = 14 * 86_400;
const KEEP_MS = 30 * DAY_MS;
const NAME = /^[a-z][a-z0-9-]{0,59}$/;

export default defineService({
  contract: Experiments,
  uses,
  slo: { p99Ms: 50, availability: 0.999 },
  ai: {
    feeds: "whoever changes a model or a surface: whether people gain by it",
    uses: "none: statistics",
    fallback: "the control, where the flag cannot be evaluated or the experiment is over",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start: ({ db, call, clock, flags }: ExperimentsPlatform): Parts => ({
    ...{ db, call, clock, flags },
    running: new LRUCache<string, readonly store.Experiment[]>({ max: TENANTS_MAX, ttl: RUNNING_MS }),
    seen: new LRUCache<string, true>({ max: SEEN_MAX }),
  }),

  on: [
    on(Session.events.stopped)(noteSessions),
    on(Session.events.error)(noteErrors),
    on(User.events.deleted)(forgetUsers),
  ],

  rpc: (parts) => ({
    async list({ limit }, context) {
      const found = await parts.db.read(context, (tx) => store.list(tx, Math.min(limit || LIMIT_MAX, LIMIT_MAX)));
      return { experiments: found.map(toMessage) };
    },
    start: async (request, context) => ({ experiment: toMessage(await start(parts, request, context)) }),
    async stop({ name }, context) {
      return parts.db.tx(context, async (tx) => {
        const found = await required(tx, name, true);
        if (found.state === "running") await end(parts, tx, found, "by the operator");
        return { experiment: toMessage(await required(tx, name)) };
      });
    },
    results: ({ name }, context) => results(parts, name, context),
    expose: (request, context) => expose(parts, request, context),
  }),

  periodic: (parts) => [
    { name: "count experiments", everyMs: COUNT_EVERY_MS, run: (signal) => countAll(parts, signal) },
    { name: "forget old experiments", everyMs: TIDY_EVERY_MS, run: (signal) => tidy(parts, signal) },
  ],

  ready: ({ db }) => db.ping(),
});

/** The switch of an experiment: flags have no tenants of their own. */
const flagOf = (tenant: string, name: string): Flag<string> => ({
  ...{ name: `experiment.${tenant}.${name}`, fallback: "control" },
  what: `which arm of the experiment ${name} somebody has`,
});

async function required(tx: ExperimentsTx, name: string, isLocked = false): Promise<store.Experiment> {
  const found = await store.find(tx, name, isLocked);
  if (!found) throw problem.notFound(`experiment '${name.slice(0, 80)}' does not exist`);
  return found;
}

function checked(
  { name, surface, treatmentPercent, metric, scale, windowS }: StartRequest,
  nowMs: number,
): store.Experiment {
  for (const [what, text] of [
    ["name", name],
    ["surface", surface],
  ] as const)
    if (!NAME.test(text)) throw problem.invalid(`${what} '${text.slice(0, 80)}' is not of the form ${NAME.source}`);
  if (treatmentPercent < PERCENT_MIN || treatmentPercent > PERCENT_MAX)
    throw problem.invalid(`${treatmentPercent} % for the treatment are not ${PERCENT_MIN} to ${PERCENT_MAX}`);
  if (!isMetric(metric)) throw problem.invalid(`metric '${metric.slice(0, 40)}' is not one of ${METRICS.join(", ")}`);
  if (!(scale > 0 && scale < 1e9)) throw problem.invalid(`scale ${scale} is not the size of an effect: it is above 0`);
  if (windowS > WINDOW_S_MAX) throw problem.invalid(`windowS ${windowS} is more than two weeks, ${WINDOW_S_MAX}`);
  return {
    ...{ name, surface, treatmentPercent, metric, scale, windowMs: windowS === 0 ? DAY_MS : windowS * 1_000 },
    ...{ state: "running", startedAtMs: nowMs, stoppedAtMs: null, reason: "" },
  };
}

async function start(parts: Parts, request: StartRequest, context: Context): Promise<store.Experiment> {
  const wanted = checked(request, parts.clock.nowMs());
  return parts.db.tx(context, async (tx) => {
    const others = await store.lockSurface(tx, wanted.surface);
    if (await store.find(tx, wanted.name))
      throw problem.alreadyExists(
        `experiment '${wanted.name}' was run already: take another name, so that results stay apart`,
      );
    if (others >= RUNNING_MAX)
      throw problem.precondition(
        `${others} experiments run on '${wanted.surface}', which is the most: stop one of them first`,
        { reason: "surface_full" },
      );
    await store.insert(tx, wanted);
    tx.emit("changed", {
      experiment: wanted.name,
      surface: wanted.surface,
      state: "running",
      reason: "by the operator",
    });
    const variant = (name: store.ArmName) => ({ name, weight: 500, value: name });
    // The last step: where flags are changed elsewhere it rejects, and nothing was started.
    await parts.flags.put({
      name: flagOf(tx.tenant, wanted.name).name,
      isEnabled: true,
      audiences: [
        {
          conditions: [{ attribute: "tenant", operator: "IN", values: [tx.tenant], isInverted: false }],
          percent: 2 * wanted.treatmentPercent,
          stickiness: "userId",
          variants: [variant("control"), variant("treatment")],
        },
      ],
    });
    tx.afterCommit(async () => parts.running.delete(tx.tenant));
    return wanted;
  });
}

/** Gives everybody the control again. */
async function end(
  parts: Parts,
  tx: ExperimentsTx,
  { name, surface }: store.Experiment,
  reason: string,
): Promise<void> {
  await store.stop(tx, name, reason, parts.clock.nowMs());
  tx.emit("changed", { experiment: name, surface, state: "stopped", reason });
  await parts.flags.remove(flagOf(tx.tenant, name).name);
  tx.afterCommit(async () => parts.running.delete(tx.tenant));
}

async function runningOf({ running, db }: Parts, tenant: string): Promise<readonly store.Experiment[]> {
  const known = running.get(tenant);
  if (known) return known;
  const found = await db.read({ tenant }, store.running);
  running.set(tenant, found);
  return found;
}

async function expose(parts: Parts, { surface, userId }: ExposeRequest, context: Context) {
  if (context.viewer && context.viewer.userId !== userId) throw problem.denied("arms of somebody else are not shown");
  if (userId === "" || userId.length > 100) throw problem.invalid(`user '${userId.slice(0, 100)}' is none`);
  const { tenant } = context;
  const met = (await runningOf(parts, tenant))
    .filter((one) => one.surface === surface)
    .flatMap(({ name, windowMs }): store.Exposure[] => {
      const { variant } = parts.flags.evaluate(
        flagOf(tenant, name),
        flagContextOf({ tenant, viewer: null }, { userId }),
      );
      return variant === "control" || variant === "treatment" ? [{ experiment: name, arm: variant, windowMs }] : [];
    });
  const keyOf = (experiment: string): string => `${tenant}/${experiment}/${userId}`;
  const unseen = met.filter(({ experiment }) => !parts.seen.has(keyOf(experiment)));
  if (unseen.length > 0) {
    await parts.db.tx(context, async (tx) => {
      const first = new Set(await store.expose(tx, userId, unseen, parts.clock.nowMs()));
      for (const { experiment, arm } of unseen)
        if (first.has(experiment)) tx.emit("exposed", { userId, experiment, arm });
    });
    for (const { experiment } of unseen) parts.seen.set(keyOf(experiment), true);
  }
  return { exposures: met.map(({ experiment, arm }) => ({ experiment, arm })) };
}

async function tenantsOf({ call, clock }: Parts, signal: AbortSignal): Promise<readonly string[]> {
  const { tenants } = await call.tenant.list({}, systemContext("system", "experiments", { signal, clock }));
  return tenants.map(({ id }) => id);
}

async function countAll(parts: Parts, signal: AbortSignal): Promise<void> {
  for (const tenant of await tenantsOf(parts, signal)) {
    for (const { name } of await parts.db.read({ tenant }, store.running)) {
      while (!signal.aborted && (await count(parts, tenant, name)) === SAMPLES_AT_ONCE);
    }
  }
}

async function tidy(parts: Parts, signal: AbortSignal): Promise<void> {
  const stoppedBeforeMs = parts.clock.nowMs() - KEEP_MS;
  for (const tenant of await tenantsOf(parts, signal))
    await parts.db.tx({ tenant }, (tx) => store.forget(tx, { stoppedBeforeMs }));
}

/** Takes samples of one experiment, looks at its figures, and stops it where it does harm. */
async function count(parts: Parts, tenant: string, name: string): Promise<number> {
  return parts.db.tx({ tenant }, async (tx) => {
    const found = await store.find(tx, name, true);
    if (found?.state !== "running") return 0;
    const taken = await store.take(tx, name, parts.clock.nowMs() - LATE_MS, SAMPLES_AT_ONCE);
    if (taken === 0) return 0;
    const tested = testAll(found, await store.sumsOf(tx, name), await store.pValues(tx, name));
    for (const { metric, pValue } of tested) await store.keepPValue(tx, name, metric, pValue);
    await note(parts, tx, name, tested);
    const harm = harmOf(tested);
    if (harm) await end(parts, tx, found, harm);
    return taken;
  });
}

/** Writes down what is known now; an interval without ends says nothing. */
async function note(
  { clock }: Parts,
  tx: ExperimentsTx,
  name: string,
  tested: ReturnType<typeof testAll>,
): Promise<void> {
  const counted = (await store.countArms(tx, name)).reduce((sum, arm) => sum + arm.counted, 0);
  for (const { metric, effect, low, high } of tested)
    if (Number.isFinite(low) && Number.isFinite(high))
      await looks.keep(tx, name, { metric, atMs: clock.nowMs(), counted, effect, low, high });
}

async function results({ db, clock }: Parts, name: string, context: Context) {
  return db.read(context, async (tx) => {
    const found = await required(tx, name);
    const sums = await store.sumsOf(tx, name);
    const tested = testAll(found, sums, await store.pValues(tx, name));
    const counts = await store.countArms(tx, name);
    const exposedOf = (arm: store.ArmName): number => counts.find((one) => one.arm === arm)?.exposed ?? 0;
    const ratio = ratioOf([exposedOf("control"), exposedOf("treatment")]);
    const history = await looks.list(tx, name, LOOKS_MAX);
    return {
      experiment: toMessage(found),
      history: history.map(({ atMs, ...look }) => ({ ...look, atMs: BigInt(atMs) })),
      arms: counts
        .map(({ arm, exposed, counted }) => ({ name: arm, exposed, counted }))
        .toSorted((a, b) => a.name.localeCompare(b.name)),
      metrics: tested.map(({ metric, role, effect, low, high, pValue }) => {
        const { control, treatment } = sums.get(metric) ?? {};
        const known = Number.isFinite(low) && Number.isFinite(high);
        return {
          ...{ metric, role, effect, pValue, known, low: known ? low : 0, high: known ? high : 0 },
          ...{ controlMean: control ? mean(control) : 0, treatmentMean: treatment ? mean(treatment) : 0 },
        };
      }),
      sampleRatioPValue: ratio,
      verdict: verdictOf(found, tested, ratio, found.stoppedAtMs ?? clock.nowMs()),
    };
  });
}

const toMessage = (one: store.Experiment) => ({
  ...{ name: one.name, surface: one.surface, state: one.state, allocation: 2 * one.treatmentPercent },
  ...{ metric: one.metric, scale: one.scale, windowS: Math.round(one.windowMs / 1_000), reason: one.reason },
  ...{ startedAtMs: BigInt(one.startedAtMs), earliestAtMs: BigInt(one.startedAtMs + RUNTIME_MIN_MS) },
  stoppedAtMs: BigInt(one.stoppedAtMs ?? 0),
});

async function noteSessions(_: Parts, tx: ExperimentsTx, events: readonly Received<PlaybackStopped>[]): Promise<void> {
  await store.add(
    tx,
    events.map(({ data: { userId, startedAtMs, endedAtMs } }) => ({
      ...{ userId, atMs: endedAtMs, sessions: 1, errors: 0 },
      watchedS: Math.max(0, (endedAtMs - startedAtMs) / 1_000),
    })),
  );
}

/** An error says no time of its own: it counts when it is heard. */
async function noteErrors(
  { clock }: Parts,
  tx: ExperimentsTx,
  events: readonly Received<PlaybackError>[],
): Promise<void> {
  const atMs = clock.nowMs();
  await store.add(
    tx,
    events.map(({ data: { userId } }) => ({ userId, atMs, sessions: 0, watchedS: 0, errors: 1 })),
  );
}

async function forgetUsers(_: Parts, tx: ExperimentsTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.forget(tx, { userId: data.userId });
}
