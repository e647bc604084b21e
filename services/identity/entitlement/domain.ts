/** A plan as far as rights go: the smallest first, and each opens what the ones before it do. */
export interface Plan {
  readonly tier: string;
  readonly label: string;
  readonly streamsMax: number;
}

/** What of a title decides who may watch it. */
export interface Rules {
  readonly contentId: string;
  /** As the catalogue says it, or `channel` or `recording`. */
  readonly kind: string;
  readonly parentId: string;
  readonly isPublished: boolean;
  readonly ageRating: number;
  readonly tierMin: string;
  /** ISO 3166-1 alpha-2; empty: everywhere. */
  readonly markets: readonly string[];
  /** 0: open at that end. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Watcher {
  readonly tier: string;
  readonly ageRatingMax: number;
  /** Where they are; empty where nobody knows. */
  readonly market: string;
}

export type Reason = "" | "tier" | "age" | "market" | "window" | "unknown";
export interface Decision {
  readonly contentId: string;
  readonly allowed: boolean;
  readonly reason: Reason;
  readonly message: string;
}

const PREFIX = "tier:";

/** What a plan opens, as access tokens and events say it. A tier that no plan has opens nothing. */
export function entitlementsOf(tier: string, plans: readonly Plan[]): string[] {
  const rank = plans.findIndex((plan) => plan.tier === tier);
  return plans.slice(0, rank + 1).map((plan) => PREFIX + plan.tier);
}

/** The highest plan among grants, or the lowest there is. */
export function tierOf(grants: readonly string[], plans: readonly Plan[]): string {
  return plans.findLast((plan) => grants.includes(PREFIX + plan.tier))?.tier ?? plans[0]?.tier ?? "";
}

export function difference(
  before: readonly string[],
  after: readonly string[],
): { readonly granted: readonly string[]; readonly revoked: readonly string[] } {
  return {
    granted: after.filter((entitlement) => !before.includes(entitlement)),
    revoked: before.filter((entitlement) => !after.includes(entitlement)),
  };
}

const allowed = (contentId: string): Decision => ({ contentId, allowed: true, reason: "", message: "" });
const refused = (contentId: string, reason: Reason, message: string): Decision => ({
  contentId,
  allowed: false,
  reason,
  message,
});

export const unknownTitle = (contentId: string): Decision =>
  refused(contentId, "unknown", "This title is not in the catalogue.");

/**
 * Decides one title. The first rule that refuses is the one that is told, from what nobody can change (it is not there, not yet, not
 * here, not for this age) to what a person can (the plan). `parent` is the series of an episode: what closes the series closes
 * its episodes. Trailers are advertising: only existence and age count.
 */
export function decide(
  title: Rules,
  parent: Rules | undefined,
  watcher: Watcher,
  plans: readonly Plan[],
  nowMs: number,
): Decision {
  const { contentId, kind } = title;
  const noun = kind === "channel" || kind === "recording" ? kind : "title";
  const chain = parent && kind === "episode" ? [title, parent] : [title];
  if (chain.some((rules) => !rules.isPublished)) return unknownTitle(contentId);
  if (kind !== "trailer") {
    const closed = chain.map((rules) => windowMessage(rules, nowMs)).find((message) => message !== "");
    if (closed) return refused(contentId, "window", closed);
    if (chain.some((rules) => rules.markets.length > 0 && !rules.markets.includes(watcher.market)))
      return refused(contentId, "market", `This ${noun} is not available where you are.`);
  }
  const age = Math.max(...chain.map((rules) => rules.ageRating));
  if (age > watcher.ageRatingMax)
    return refused(contentId, "age", `This ${noun} is rated ${age}: choose a profile that may watch it.`);
  if (kind !== "trailer") {
    const open = entitlementsOf(watcher.tier, plans);
    const missing = chain.find((rules) => rules.tierMin !== "" && !open.includes(PREFIX + rules.tierMin));
    if (missing) return refused(contentId, "tier", upgradeMessage(noun, missing.tierMin, plans));
  }
  return allowed(contentId);
}

function windowMessage({ fromMs, untilMs }: Rules, nowMs: number): string {
  if (fromMs > 0 && nowMs < fromMs) return `This title can be watched from ${dayOf(fromMs)}.`;
  if (untilMs > 0 && nowMs >= untilMs) return "This title is no longer available.";
  return "";
}

const dayOf = (ms: number): string =>
  new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(ms);

function upgradeMessage(noun: string, tierMin: string, plans: readonly Plan[]): string {
  const plan = plans.find(({ tier }) => tier === tierMin);
  return plan
    ? `This ${noun} is part of the ${plan.label} plan. Change your plan to watch it.`
    : `No plan includes this ${noun}.`;
}
