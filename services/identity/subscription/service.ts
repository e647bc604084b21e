// Subscription: what people pay for. One plan an account; entitlement learns of changes from its event.
import { Subscription } from "#contracts/subscription";
import { User, type UserCreated, type UserDeleted } from "#contracts/user";
import { type Clock, type Db, defineService, on, problem, type Received, type Tx } from "#kernel";
import { PLAN_DEFAULT, PLANS, planOf, renewsAtMs } from "./domain.ts";
import * as store from "./store.ts";

interface Parts {
  readonly db: Db<typeof Subscription>;
  readonly clock: Clock;
  readonly changed: (tier: string) => void;
}
type SubscriptionTx = Tx<typeof Subscription>;

export default defineService({
  contract: Subscription,
  uses: {},
  slo: { p99Ms: 50, availability: 0.9999 },
  ai: { feeds: "churn models: plan changes", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, clock, metrics }): Parts {
    const changes = metrics.counter("subscription_changes_total", "Plans that accounts came to, by the new one", [
      "tier",
    ]);
    return { db, clock, changed: (tier) => changes.inc({ tier }) };
  },

  on: [on(User.events.created)(begin), on(User.events.deleted)(end)],

  rpc: ({ db, clock, changed }) => ({
    async get({ userId }, context) {
      const known = await db.read(context, (tx) => store.find(tx, userId));
      return { subscription: toMessage(known ?? { userId, tier: PLAN_DEFAULT.tier, sinceMs: 0 }, clock.nowMs()) };
    },
    async change({ userId, tier }, context) {
      if (context.viewer && context.viewer.userId !== userId)
        throw problem.denied("this is another person's plan", { reason: "not_yours" });
      if (userId === "") throw problem.invalid("user_id is missing");
      const next = { userId, tier: planOf(tier).tier, sinceMs: clock.nowMs() };
      const now = await db.tx(context, async (tx) => {
        if (await store.insert(tx, next)) {
          tx.emit("changed", { userId, tier: next.tier, previousTier: "" });
          tx.afterCommit(async () => changed(next.tier));
          return next;
        }
        const known = await store.lock(tx, userId);
        if (!known) throw problem.aborted(`the account '${userId.slice(0, 64)}' is being deleted`);
        if (known.tier === next.tier) return known;
        await store.update(tx, next);
        tx.emit("changed", { userId, tier: next.tier, previousTier: known.tier });
        tx.afterCommit(async () => changed(next.tier));
        return next;
      });
      return { subscription: toMessage(now, clock.nowMs()) };
    },
    async plans() {
      return { plans: PLANS.map((plan) => ({ ...plan })) };
    },
  }),

  ready: ({ db }) => db.ping(),
});

/** Everybody begins with the smallest plan. A redelivery finds the row and says nothing. */
async function begin(
  { clock, changed }: Parts,
  tx: SubscriptionTx,
  events: readonly Received<UserCreated>[],
): Promise<void> {
  for (const { data } of events) {
    const first = { userId: data.userId, tier: PLAN_DEFAULT.tier, sinceMs: data.createdAtMs || clock.nowMs() };
    if (!(await store.insert(tx, first))) continue;
    tx.emit("changed", { userId: data.userId, tier: first.tier, previousTier: "" });
    tx.afterCommit(async () => changed(first.tier));
  }
}

async function end(_: Parts, tx: SubscriptionTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.remove(tx, data.userId);
}

const toMessage = ({ userId, tier, sinceMs }: store.SubscriptionRow, nowMs: number) => ({
  userId,
  tier,
  sinceMs: BigInt(sinceMs),
  renewsAtMs: BigInt(sinceMs === 0 ? 0 : renewsAtMs(sinceMs, nowMs)),
  plan: { ...planOf(tier) },
});
