import { problem } from "#kernel/errors";

export interface Plan {
  readonly tier: string;
  readonly label: string;
  readonly streamsMax: number;
  readonly qualityLabel: string;
  readonly priceLabel: string;
}

/** What is sold, the smallest first: a later plan opens what an earlier one does. Streams as ARCH-001 section 7 says. */
export const PLANS: readonly [Plan, ...Plan[]] = [
  { tier: "basic", label: "Basic", streamsMax: 2, qualityLabel: "HD", priceLabel: "7.99 a month" },
  { tier: "premium", label: "Premium", streamsMax: 4, qualityLabel: "Ultra HD", priceLabel: "13.99 a month" },
];

export const PLAN_DEFAULT: Plan = PLANS[0];

export function planOf(tier: string): Plan {
  const plan = PLANS.find((candidate) => candidate.tier === tier);
  if (!plan) {
    const known = PLANS.map((candidate) => candidate.tier).join(", ");
    throw problem.invalid(`'${tier.slice(0, 40)}' is not a plan: choose one of ${known}`, { reason: "plan_unknown" });
  }
  return plan;
}

/**
 * The next monthly anniversary of `sinceMs` after `nowMs`, in UTC. A day that a month does not have is its last day, and the
 * day of the month comes back afterwards: 31 January, 28 February, 31 March.
 */
export function renewsAtMs(sinceMs: number, nowMs: number): number {
  const since = new Date(sinceMs);
  const now = new Date(nowMs);
  const months = (now.getUTCFullYear() - since.getUTCFullYear()) * 12 + now.getUTCMonth() - since.getUTCMonth();
  const at = (count: number): number => {
    const lastDay = new Date(Date.UTC(since.getUTCFullYear(), since.getUTCMonth() + count + 1, 0)).getUTCDate();
    return new Date(sinceMs).setUTCFullYear(
      since.getUTCFullYear(),
      since.getUTCMonth() + count,
      Math.min(since.getUTCDate(), lastDay),
    );
  };
  const count = Math.max(1, months);
  return at(count) > nowMs ? at(count) : at(count + 1);
}
