import { problem } from "#kernel/errors";
import { LIVE_SEGMENT_S } from "#media/presentation";

/** What operators say about a campaign. Times are milliseconds since 1970; 0 and empty lists are no limit. */
export interface Campaign {
  readonly id: string;
  readonly name: string;
  readonly advertiser: string;
  readonly priority: number;
  readonly paused: boolean;
  readonly flights: readonly Flight[];
  readonly caps: readonly FrequencyCap[];
  readonly targeting: Targeting;
  readonly vastUrl: string;
}
export interface Flight {
  readonly startMs: number;
  readonly endMs: number;
  readonly impressions: number;
  readonly pacing: string;
}
export interface FrequencyCap {
  readonly impressions: number;
  readonly windowS: number;
}
export interface Targeting {
  readonly tiers: readonly string[];
  readonly markets: readonly string[];
  readonly devices: readonly string[];
  readonly genres: readonly string[];
  readonly ageRatingMin: number;
  readonly hours: readonly number[];
}

export interface Break {
  readonly atS: number;
  readonly durationS: number;
}

/** Who watches what, as far as campaigns may ask. */
export interface Audience {
  readonly tier: string;
  readonly market: string;
  readonly device: string;
  readonly genres: readonly string[];
  readonly ageRating: number;
  readonly nowMs: number;
}

/** A creative that may be shown, with what is told of it. */
export interface Candidate {
  readonly creativeId: string;
  readonly campaignId: string;
  readonly advertiser: string;
  readonly priority: number;
  /** Between candidates of one priority the one that is furthest behind its goal goes first: 0 to 1, 1 is on time. */
  readonly progress: number;
  /** How often it may be shown to this viewer now. */
  readonly allowed: number;
  readonly packageRevision: number;
  readonly indexVersion: number;
  readonly durationS: number;
  readonly beacons: readonly { readonly atS: number; readonly event: string; readonly uri: string }[];
}

const LIMITS = { name: 200, flights: 20, caps: 5, list: 250, breaks: 50, url: 2_000 };
export const BREAK_S_MAX = 600;
const TIME_MS_MAX = 8_640_000_000_000_000;
const WINDOW_S_MAX = 31 * 86_400;
export const CAMPAIGN_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** The ids of creatives are content ids, which begin like no title's. */
export const CREATIVE_ID = /^ad-[A-Za-z0-9_-]{1,61}$/;
export const isCreativeId = (contentId: string): boolean => contentId.startsWith("ad-");

const PACINGS: readonly string[] = ["even", "asap"];

/** Checks what an operator wrote; the error names the member and what it may be. */
export function assertCampaign(campaign: Campaign): void {
  const fault = (member: string, what: string): never => {
    throw problem.invalid(`${member} ${what}`, { details: { pointer: `/${member}` } });
  };
  const isName = (text: string): boolean => text.trim() !== "" && text.length <= LIMITS.name && !text.includes("\0");
  if (!CAMPAIGN_ID.test(campaign.id)) fault("id", `must be of the form ${CAMPAIGN_ID.source}`);
  if (!isName(campaign.name)) fault("name", `must have 1 to ${LIMITS.name} characters`);
  if (!isName(campaign.advertiser)) fault("advertiser", `must have 1 to ${LIMITS.name} characters`);
  if (!(campaign.priority >= 1 && campaign.priority <= 10))
    fault("priority", `${campaign.priority} is not from 1 to 10`);
  if (campaign.flights.length > LIMITS.flights) fault("flights", `are at most ${LIMITS.flights}`);
  for (const { startMs, endMs, pacing, impressions } of campaign.flights) {
    if (!(startMs >= 0 && startMs <= TIME_MS_MAX && endMs <= TIME_MS_MAX)) fault("flights", "have times that are none");
    if (endMs !== 0 && endMs <= startMs) fault("flights", "must end after they start");
    if (!PACINGS.includes(pacing)) fault("flights", `have pacing '${pacing.slice(0, 20)}', not even or asap`);
    if (pacing === "even" && impressions > 0 && endMs === 0)
      fault("flights", "that spread their impressions evenly need an end");
  }
  if (campaign.caps.length > LIMITS.caps) fault("caps", `are at most ${LIMITS.caps}`);
  if (campaign.caps.some((cap) => cap.impressions < 1 || cap.windowS < 60 || cap.windowS > WINDOW_S_MAX))
    fault("caps", `must allow at least one impression within 60 to ${WINDOW_S_MAX} seconds`);
  const { tiers, markets, devices, genres, hours, ageRatingMin } = campaign.targeting;
  for (const [member, list] of Object.entries({ tiers, devices, genres }))
    if (list.length > LIMITS.list || !list.every(isName)) fault(member, `must be at most ${LIMITS.list} words`);
  if (markets.length > LIMITS.list || !markets.every((market) => /^[A-Z]{2}$/.test(market)))
    fault("markets", "must be ISO 3166-1 codes such as DE");
  if (hours.some((hour) => hour > 23)) fault("hours", "must be from 0 to 23");
  if (ageRatingMin > 18) fault("ageRatingMin", `${ageRatingMin} is above 18`);
  if (campaign.vastUrl !== "") {
    const isAddress = URL.canParse(campaign.vastUrl) && /^https?:$/.test(new URL(campaign.vastUrl).protocol);
    if (!isAddress || campaign.vastUrl.length > LIMITS.url) fault("vastUrl", "must be an http or https address");
  }
}

/** The breaks in order. They have their places apart: a second one at the same place would be the same break. */
export function orderedBreaks(breaks: readonly Break[]): Break[] {
  if (breaks.length > LIMITS.breaks) throw problem.invalid(`${breaks.length} breaks are more than ${LIMITS.breaks}`);
  for (const { atS, durationS } of breaks) {
    if (!(Number.isFinite(atS) && atS >= 0 && atS <= 360_000)) throw problem.invalid(`a break cannot be at ${atS} s`);
    if (!(durationS >= 1 && durationS <= BREAK_S_MAX))
      throw problem.invalid(`a break of ${durationS} s is not from 1 to ${BREAK_S_MAX} s long`);
  }
  const ordered = breaks.toSorted((a, b) => a.atS - b.atS);
  const twice = ordered.find(({ atS }, i) => i > 0 && atS === ordered[i - 1]?.atS);
  if (twice) throw problem.invalid(`there are two breaks at ${twice.atS} s`);
  return ordered;
}

/** Whether a campaign wants this viewer, this title and this hour. */
export function wants({ targeting }: Campaign, audience: Audience): boolean {
  const fits = (list: readonly string[], values: readonly string[]): boolean =>
    list.length === 0 || values.some((value) => list.some((each) => each.toLowerCase() === value.toLowerCase()));
  const { tiers, markets, devices, genres, hours, ageRatingMin } = targeting;
  return (
    fits(tiers, [audience.tier]) &&
    fits(markets, [audience.market]) &&
    fits(devices, [audience.device]) &&
    fits(genres, audience.genres) &&
    audience.ageRating >= ageRatingMin &&
    (hours.length === 0 || hours.includes(new Date(audience.nowMs).getUTCHours()))
  );
}

/**
 * How far a campaign has come against what it should have by now: null where no flight runs or the goal of all that run is reached; below 1
 * where it is behind. Impressions of `even` flights become due as their time passes.
 */
export function progressOf(campaign: Campaign, shown: number, nowMs: number): number | null {
  if (campaign.paused) return null;
  if (campaign.flights.length === 0) return 0.5;
  let due = 0;
  let isRunning = false;
  for (const { startMs, endMs, impressions, pacing } of campaign.flights) {
    if (nowMs < startMs) continue;
    const isOver = endMs !== 0 && nowMs >= endMs;
    if (!isOver) isRunning = true;
    if (impressions === 0) {
      if (!isOver) return 0.5;
      continue;
    }
    const passed = isOver || pacing === "asap" ? 1 : (nowMs - startMs) / (endMs - startMs);
    due += Math.max(1, impressions * passed);
  }
  if (!isRunning || shown >= due) return null;
  return shown / due;
}

/** An ad, or a slate, in a break. */
export interface Placed {
  readonly candidate: Candidate;
  readonly isSlate: boolean;
}

const ADS_MAX = 10;
/** Two creatives may be a frame longer than their break together; nobody sees it. */
const SLACK_S = 0.05;

/**
 * Fills breaks: the higher priority first, then who is furthest behind, each creative and each advertiser once a break, as often as a viewer
 * may see the campaign. What is left is filled with slates, as often as they fit. A break without an ad has no slate either: it does not
 * happen.
 */
export function fill(
  breaks: readonly Break[],
  candidates: readonly Candidate[],
  slates: readonly Candidate[],
): Placed[][] {
  const left = new Map(candidates.map(({ campaignId, allowed }) => [campaignId, allowed]));
  const shown = new Map<string, number>();
  return breaks.map(({ durationS }) => {
    const placed: Placed[] = [];
    const advertisers = new Set<string>();
    let freeS = durationS + SLACK_S;
    const times = (creativeId: string): number => shown.get(creativeId) ?? 0;
    // What was shown less often in this session goes first among equals.
    const ordered = candidates.toSorted(
      (a, b) => b.priority - a.priority || times(a.creativeId) - times(b.creativeId) || a.progress - b.progress,
    );
    for (const candidate of ordered) {
      const { campaignId, creativeId, advertiser } = candidate;
      const allowed = left.get(campaignId) ?? 0;
      if (placed.length >= ADS_MAX || candidate.durationS > freeS || allowed < 1 || advertisers.has(advertiser))
        continue;
      placed.push({ candidate, isSlate: false });
      advertisers.add(advertiser);
      left.set(campaignId, allowed - 1);
      shown.set(creativeId, times(creativeId) + 1);
      freeS -= candidate.durationS;
    }
    if (placed.length === 0) return placed;
    for (const candidate of slates.toSorted((a, b) => b.durationS - a.durationS)) {
      while (candidate.durationS <= freeS && placed.length < ADS_MAX * 2) {
        placed.push({ candidate, isSlate: true });
        freeS -= candidate.durationS;
      }
    }
    return placed;
  });
}

/**
 * Fills a break of a channel from end to end: what ads and whole slates leave is a slate that is cut. Without one the break ends where a segment
 * of the programme can follow, with what ads there are until then.
 */
export function fillWhole(
  durationS: number,
  candidates: readonly Candidate[],
  slates: readonly Candidate[],
): (Placed & { readonly shownS: number })[] {
  const placed = (fill([{ atS: 0, durationS }], candidates, slates)[0] ?? []).map((each) => ({
    ...each,
    shownS: each.candidate.durationS,
  }));
  const totalS = (): number => placed.reduce((sum, { shownS }) => sum + shownS, 0);
  const restS = durationS - totalS();
  const longer = slates.filter((slate) => slate.durationS >= restS).toSorted((a, b) => a.durationS - b.durationS)[0];
  if (placed.length === 0 || restS <= SLACK_S) return placed;
  if (longer) return [...placed, { candidate: longer, isSlate: true, shownS: restS }];
  const isWhole = (valueS: number): boolean =>
    Math.abs(valueS - Math.round(valueS / LIVE_SEGMENT_S) * LIVE_SEGMENT_S) <= SLACK_S;
  while (placed.length > 0 && !isWhole(totalS())) placed.pop();
  return placed;
}

/** The edge of a segment that is nearest to a place: where a break can be. Edges are in order and begin with 0. */
export function nearestEdge(edgesS: readonly number[], atS: number): number {
  return edgesS.reduce((best, edge) => (Math.abs(edge - atS) < Math.abs(best - atS) ? edge : best), edgesS[0] ?? 0);
}
