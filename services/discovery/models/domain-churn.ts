/**
 * Churn: who watched in the last weeks and will not in the next four. Features and labels are made of days, as they were known at a time: a
 * training row of a day sees nothing of that day or later (ARCH-001 section 6, "Point-in-time correct feature retrieval").
 */
import { GBDT_DEFAULTS } from "#learning/gbdt";
import { isInCanary } from "./domain.ts";
import type { Examples, Recipe } from "./domain-recipe.ts";

/** What an account did on one day; days are counted since the epoch, UTC. */
export interface Day {
  readonly day: number;
  readonly sessions: number;
  readonly watchedS: number;
  readonly errors: number;
  /** Of sessions that have a score of their quality. */
  readonly scores: number;
  readonly scoreSum: number;
}

export interface Account {
  readonly userId: string;
  /** When it was first heard of. */
  readonly sinceDay: number;
  /** Empty: nobody said. */
  readonly tier: string;
  readonly region: string;
  /** In order. */
  readonly days: readonly Day[];
}

export const DAY_MS = 86_400_000;
/** So long an account that watches nothing is still one that might go on. */
export const ACTIVE_DAYS = 90;
/** Who watches nothing for so long has left. */
export const GONE_DAYS = 28;
const SNAPSHOTS = 8;
const SNAPSHOT_EVERY_DAYS = 7;
const TIERS: readonly string[] = ["basic", "standard", "premium"];

export const CHURN_FEATURES = [
  "account_age_days",
  "days_since_view",
  "sessions_7d",
  "sessions_28d",
  "sessions_90d",
  "hours_7d",
  "hours_28d",
  "active_days_28d",
  "trend",
  "quality_28d",
  "errors_28d",
  "tier",
] as const;

/** What was known of an account when a day began; NaN where nothing was. */
export function featuresAt({ sinceDay, tier, days }: Account, day: number): number[] {
  const sum = (withinDays: number, of: (on: Day) => number): number =>
    days.reduce((total, on) => (on.day < day && on.day >= day - withinDays ? total + of(on) : total), 0);
  const last = days.findLast((on) => on.day < day && on.day >= day - ACTIVE_DAYS && on.sessions > 0);
  const sessions28 = sum(28, ({ sessions }) => sessions);
  const scores = sum(28, (on) => on.scores);
  const tierIndex = TIERS.indexOf(tier);
  return [
    day - sinceDay,
    last === undefined ? Number.NaN : day - last.day,
    sum(7, ({ sessions }) => sessions),
    sessions28,
    sum(ACTIVE_DAYS, ({ sessions }) => sessions),
    sum(7, ({ watchedS }) => watchedS) / 3_600,
    sum(28, ({ watchedS }) => watchedS) / 3_600,
    sum(28, ({ sessions }) => (sessions > 0 ? 1 : 0)),
    // The last week beside a week of the last four: below 1 it wanes.
    sessions28 === 0 ? Number.NaN : (4 * sum(7, ({ sessions }) => sessions)) / sessions28,
    scores === 0 ? Number.NaN : sum(28, ({ scoreSum }) => scoreSum) / scores,
    sum(28, ({ errors }) => errors),
    tierIndex < 0 ? Number.NaN : tierIndex,
  ];
}

const DAYS_SINCE_VIEW = CHURN_FEATURES.indexOf("days_since_view");
const SESSIONS_28D = CHURN_FEATURES.indexOf("sessions_28d");

/** Whether an account is one of those that a model learns from: it watched something in the last 90 days. */
export const isActive = (features: readonly number[]): boolean =>
  !Number.isNaN(features[DAYS_SINCE_VIEW] ?? Number.NaN);

/** The fallback of ARCH-001: a threshold of engagement. */
export function churnByRule(features: readonly number[]): number {
  const [since = Number.NaN, sessions = 0] = [features[DAYS_SINCE_VIEW], features[SESSIONS_28D]];
  if (!(since < 21)) return 0.9;
  if (since >= 10) return 0.6;
  return sessions <= 2 ? 0.4 : 0.1;
}

const TEST_PERCENT = 25;

/** Accounts that watched lately, as they were known on several days, and whether they watched nothing in the four weeks after. */
export function snapshotsOf(accounts: readonly Account[], today: number): Examples {
  const rows: number[][] = [];
  const labels: number[] = [];
  const isTest: boolean[] = [];
  const segments: string[][] = [];
  for (const account of accounts) {
    // All rows of an account are on one side, so that nobody is recognised.
    const isJudged = isInCanary("test rows", account.userId, TEST_PERCENT);
    const groups = [`tier=${account.tier || "unknown"}`, `region=${account.region || "unknown"}`];
    for (let index = 0; index < SNAPSHOTS; index += 1) {
      const day = today - GONE_DAYS - index * SNAPSHOT_EVERY_DAYS;
      const wasActive = account.days.some((on) => on.sessions > 0 && on.day < day && on.day >= day - ACTIVE_DAYS);
      if (!wasActive) continue;
      const isBack = account.days.some((on) => on.sessions > 0 && on.day >= day && on.day < day + GONE_DAYS);
      rows.push(featuresAt(account, day));
      labels.push(isBack ? 0 : 1);
      isTest.push(isJudged);
      segments.push(groups);
    }
  }
  return {
    table: { values: Float32Array.from(rows.flat()), columns: CHURN_FEATURES.length },
    labels: Float32Array.from(labels),
    rule: Float32Array.from(rows, churnByRule),
    ...{ isTest, segments },
  };
}

/** The days that rows may be made of, for a training today: from the first, exclusive of today. */
export const trainingSpan = (today: number): { readonly from: number; readonly to: number } => ({
  from: today - GONE_DAYS - (SNAPSHOTS - 1) * SNAPSHOT_EVERY_DAYS - ACTIVE_DAYS,
  to: today,
});

export const churn: Recipe = {
  name: "churn",
  features: CHURN_FEATURES,
  // Less deep and more cautious than the defaults: rows of one account resemble each other.
  options: { ...GBDT_DEFAULTS, loss: "logistic", trees: 60, leavesMax: 12, learningRate: 0.08, penalty: 1 },
  refreshMs: DAY_MS,
  psiMax: 0.25,
};
