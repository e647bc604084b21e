import { Ads, type Campaign, type Creative } from "#contracts/ads";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { toTime } from "./edit.ts";
import { duration, plain, table } from "./terminal.ts";

export interface CampaignOptions {
  readonly name?: string | undefined;
  readonly advertiser?: string | undefined;
  readonly priority?: string | undefined;
  readonly flight?: readonly string[] | undefined;
  readonly cap?: readonly string[] | undefined;
  readonly tiers?: string | undefined;
  readonly markets?: string | undefined;
  readonly devices?: string | undefined;
  readonly genres?: string | undefined;
  readonly minAge?: string | undefined;
  readonly hours?: string | undefined;
  readonly vast?: string | undefined;
  readonly pause?: boolean | undefined;
  readonly resume?: boolean | undefined;
}

type Flight = { startMs: bigint; endMs: bigint; impressions: number; pacing: string };
const FLIGHT = /^([^/]+)\/([^/]+)(?:\/(\d{1,9}))?(?:\/(even|asap))?$/;
const CAP = /^(\d{1,6})\/(\d{1,3})(m|h|d)$/;
const UNITS_S: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400 };

/** `2026-12-01/2026-12-24/5000/even`: from, until, how many impressions, and how they are spread. */
export function parseFlight(text: string, nowMs: number): Flight {
  const [, from, until, impressions = "0", pacing = "even"] = FLIGHT.exec(text) ?? [];
  if (from === undefined || until === undefined)
    throw problem.invalid(
      `--flight ${text} is not known: write FROM/UNTIL[/IMPRESSIONS[/even or asap]], as in 2026-12-01/2026-12-24/5000`,
    );
  const at = (word: string): bigint => BigInt(toTime("--flight", word, nowMs) ?? 0);
  return { startMs: at(from), endMs: at(until), impressions: Number(impressions), pacing };
}

/** `3/1d`: at most three impressions a viewer and day. */
export function parseCap(text: string): { impressions: number; windowS: number } {
  const [, impressions, count, unit = ""] = CAP.exec(text) ?? [];
  if (impressions === undefined)
    throw problem.invalid(`--cap ${text} is not known: write IMPRESSIONS/WINDOW, as in 3/1d, 1/4h or 1/30m`);
  return { impressions: Number(impressions), windowS: Number(count) * (UNITS_S[unit] ?? 0) };
}

/** `12:30/30`: a break of 30 s after twelve and a half minutes. */
export function parseBreak(text: string): { atS: number; durationS: number } {
  const [, hours = "0", minutes = "0", seconds, durationS] =
    /^(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{1,3})?)\/(\d{1,3}(?:\.\d{1,3})?)$/.exec(text) ?? [];
  if (seconds === undefined)
    throw problem.invalid(
      `'${text}' is no break: write TIME/SECONDS, as in 12:30/30 for 30 s after twelve and a half minutes`,
    );
  return { atS: Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds), durationS: Number(durationS) };
}

const list = (text: string | undefined): string[] | undefined =>
  text === undefined
    ? undefined
    : text === "all"
      ? []
      : text
          .split(",")
          .map((word) => word.trim())
          .filter(Boolean);
const whole = (flag: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw problem.invalid(`${flag} ${text} is not a whole number`);
  return Number(text);
};

/** `marquee ad campaign set`: makes a campaign, or changes what is named of one that exists. */
export async function setCampaign(cli: Cli, id: string, options: CampaignOptions): Promise<ExitCode> {
  const { campaigns } = await cli.client.of(Ads).listCampaigns({});
  const old = campaigns.find((campaign) => campaign.id === id);
  const nowMs = Date.now();
  const { targeting } = old ?? {};
  const { campaign } = await cli.client.of(Ads).saveCampaign({
    campaign: {
      ...{ id, name: options.name ?? old?.name ?? id, advertiser: options.advertiser ?? old?.advertiser ?? id },
      priority: options.priority === undefined ? (old?.priority ?? 5) : whole("--priority", options.priority),
      paused: options.pause === true || (options.resume !== true && old?.paused === true),
      flights: options.flight?.map((text) => parseFlight(text, nowMs)) ?? old?.flights ?? [],
      caps: options.cap?.map(parseCap) ?? old?.caps ?? [],
      targeting: {
        ...{
          tiers: list(options.tiers) ?? targeting?.tiers ?? [],
          markets: list(options.markets) ?? targeting?.markets ?? [],
        },
        ...{
          devices: list(options.devices) ?? targeting?.devices ?? [],
          genres: list(options.genres) ?? targeting?.genres ?? [],
        },
        ageRatingMin:
          options.minAge === undefined ? (targeting?.ageRatingMin ?? 0) : whole("--min-age", options.minAge),
        hours: list(options.hours)?.map((hour) => whole("--hours", hour)) ?? targeting?.hours ?? [],
      },
      vastUrl: options.vast === undefined ? (old?.vastUrl ?? "") : options.vast === "none" ? "" : options.vast,
    },
  });
  cli.terminal.out(
    `'${plain(campaign?.name ?? id)}' is ${old ? "changed" : "made"}: ${campaign ? summary(campaign) : ""}`,
  );
  return 0;
}

function summary({ priority, paused, flights, caps, vastUrl }: Campaign): string {
  const limits = [
    flights.length > 0 ? `${flights.length} flights` : "no end",
    caps.length > 0 ? `${caps.length} caps` : "no cap",
  ];
  return [
    `priority ${priority}`,
    ...limits,
    vastUrl === "" ? "own creatives" : plain(vastUrl),
    ...(paused ? ["paused"] : []),
  ].join(", ");
}

export async function listCampaigns(cli: Cli, { json }: { readonly json: boolean }): Promise<ExitCode> {
  const { campaigns } = await cli.client.of(Ads).listCampaigns({});
  if (json) {
    const text = (_: string, value: unknown): unknown => (typeof value === "bigint" ? Number(value) : value);
    for (const { $typeName: _, ...campaign } of campaigns) cli.terminal.out(JSON.stringify(campaign, text));
    return 0;
  }
  if (campaigns.length === 0) cli.terminal.note("There are no campaigns yet: ./marquee ad campaign set ID makes one.");
  else {
    const rows = campaigns.map((campaign) => [campaign.id, campaign.name, campaign.advertiser, summary(campaign)]);
    for (const line of table(["ID", "NAME", "ADVERTISER", "WHAT"], rows, cli.terminal.columns)) cli.terminal.out(line);
  }
  return 0;
}

export async function removeCampaigns(cli: Cli, ids: readonly string[]): Promise<ExitCode> {
  for (const id of ids) {
    await cli.client.of(Ads).removeCampaign({ id });
    cli.terminal.out(`'${plain(id)}' is removed; what was counted of it stays in the report`);
  }
  return 0;
}

export interface CreativeOptions {
  readonly campaign?: string | undefined;
  readonly slate: boolean;
  readonly title?: string | undefined;
  readonly click?: string | undefined;
  readonly preset: string;
}

export async function addCreative(cli: Cli, file: string, options: CreativeOptions): Promise<ExitCode> {
  if (options.slate === (options.campaign !== undefined))
    throw problem.invalid("whose is it? Write --campaign ID for an ad, or --slate for what fills the rest of a break");
  const path = cli.path(file);
  const title = options.title ?? file.replace(/^.*\//, "").replace(/\.\w+$/, "");
  const { campaign: campaignId = "", click: clickThrough = "", preset } = options;
  const { creative } = await cli.client.of(Ads).addCreative({ campaignId, path, title, clickThrough, preset });
  cli.terminal.out(
    `'${plain(title)}' is being prepared as ${creative?.id ?? ""}; ./marquee ad creative list shows when it is ready`,
  );
  return 0;
}

export async function listCreatives(
  cli: Cli,
  { campaign = "", json }: { readonly campaign?: string | undefined; readonly json: boolean },
): Promise<ExitCode> {
  const { creatives } = await cli.client.of(Ads).listCreatives({ campaignId: campaign });
  if (json) {
    for (const { $typeName: _, ...creative } of creatives) cli.terminal.out(JSON.stringify(creative));
    return 0;
  }
  if (creatives.length === 0)
    cli.terminal.note("There are no creatives yet: ./marquee ad creative add FILE --campaign ID");
  else {
    const rows = creatives.map((creative) => [
      ...[creative.id, creative.campaignId || "(slate)", creative.title, stateOf(creative)],
      creative.durationS > 0 ? duration(creative.durationS) : "",
    ]);
    for (const line of table(["ID", "CAMPAIGN", "TITLE", "STATE", "LENGTH"], rows, cli.terminal.columns))
      cli.terminal.out(line);
  }
  return 0;
}

const stateOf = ({ state, failure }: Creative): string => (failure === "" ? state : `${state}: ${failure}`);

export async function removeCreatives(cli: Cli, ids: readonly string[]): Promise<ExitCode> {
  for (const id of ids) {
    await cli.client.of(Ads).removeCreative({ id });
    cli.terminal.out(`${plain(id)} is removed, with its files and keys`);
  }
  return 0;
}

/** `marquee ad breaks ID`: shows where a title is interrupted, or says where from now on. */
export async function setBreaks(cli: Cli, contentId: string, places: readonly string[]): Promise<ExitCode> {
  const ads = cli.client.of(Ads);
  if (places.length > 0) {
    const breaks = places.length === 1 && places[0] === "none" ? [] : places.map(parseBreak);
    await ads.setBreaks({ contentId, breaks });
  }
  const { breaks } = await ads.getBreaks({ contentId });
  if (breaks.length === 0) cli.terminal.out(`'${plain(contentId)}' has no breaks`);
  for (const { atS, durationS } of breaks) cli.terminal.out(`${duration(atS)}  ${durationS} s`);
  return 0;
}

export async function report(cli: Cli, campaignId: string, { json }: { readonly json: boolean }): Promise<ExitCode> {
  const { lines } = await cli.client.of(Ads).report({ campaignId });
  if (json) {
    for (const { $typeName: _, ...line } of lines) cli.terminal.out(JSON.stringify(line));
    return 0;
  }
  const rows = lines.map((line) => [
    ...[line.campaignId, line.creativeId, String(line.impressions), String(line.completes)],
    line.impressions === 0 ? "" : `${Math.round((100 * line.completes) / line.impressions)} %`,
  ]);
  if (rows.length === 0) cli.terminal.note("Nothing was shown yet.");
  const head = ["CAMPAIGN", "CREATIVE", "IMPRESSIONS", "COMPLETED", "RATE"];
  if (rows.length > 0) for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  return 0;
}
