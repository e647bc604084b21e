/**
 * From glass to glass: how far what a real Chromium shows of "Marquee Live" is behind the world, by the clock in its picture, encrypted
 * (CBCS), with encoders, edges and browser on one machine. Bars: half of all looks within 1.2 s as LL-DASH, within 1.5 s as LL-HLS, within
 * 2.5 s as LL-HLS for a player that obeys the playlist's hold-back, and no stall.
 *
 *   node bench/live-latency.ts [--seconds 300] [--only dash,hls,hls-hold-back] [--picture FILE]
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Live } from "#contracts/live";
import { MARQUEE_LIVE } from "../apps/demo/channels.ts";
import { accessToken, makeAccount } from "../tests/chaos/accounts.ts";
import { openCinema, type Stall } from "../tests/chaos/cinema.ts";
import { openStage } from "../tests/chaos/product.ts";
import { type Glimpse, openClockReader } from "../tests/e2e/clock.ts";
import { type Measure, percentile, resultsFolder, table, writeResults } from "./harness.ts";
import { tunePlainPlayer } from "./latency/plain-player.ts";

const CHANNEL = MARQUEE_LIVE.channel.id;
const LOOK_MS = 500;
/** A player that has just come needs so long to be where it wants to be. */
const SETTLE_MS = 10_000;
const STALL_MS_MIN = 250;
const PLAYERS = { dash: 1_200, hls: 1_500, "hls-hold-back": 2_500 } as const;
type PlayerName = keyof typeof PLAYERS;

interface Seen {
  readonly player: PlayerName;
  readonly looks: readonly (Glimpse & { readonly sinceMs: number })[];
  readonly stalls: readonly Stall[];
}

async function watch(player: PlayerName, url: string, token: string, seconds: number): Promise<Seen> {
  const cinema = await openCinema({ url, token });
  try {
    if (player === "hls-hold-back") await tunePlainPlayer(cinema, url, CHANNEL);
    else await cinema.tune(CHANNEL, player);
    const clock = await openClockReader(cinema.page);
    // The pointer leaves, and the controls after it.
    await cinema.page.mouse.move(2, 2);
    await pause(SETTLE_MS);
    const startedMs = Date.now();
    const looks: (Glimpse & { sinceMs: number })[] = [];
    while (Date.now() - startedMs < seconds * 1_000) {
      const seen = await clock.read();
      if (seen !== null && seen.latencyMs < 60_000) looks.push({ ...seen, sinceMs: seen.atMs - startedMs });
      await pause(LOOK_MS);
    }
    const stalls = (await cinema.stalls()).filter(({ ms }) => ms >= STALL_MS_MIN);
    return { player, looks, stalls };
  } finally {
    await cinema.close();
  }
}

const measuresOf = ({ player, looks, stalls }: Seen): Measure[] => {
  const samples = looks.map(({ latencyMs }) => Math.round(latencyMs));
  const of = (name: string, value: number, unit: string): Measure => ({
    ...{ name: `live.${player}.${name}`, value, unit, bar: null, better: "lower", samples: [value] },
  });
  return [
    { ...of("latency", percentile(samples, 0.5), "ms"), bar: PLAYERS[player], samples },
    of("latency.p95", percentile(samples, 0.95), "ms"),
    of(
      "look",
      percentile(
        looks.map(({ spanMs }) => spanMs),
        0.5,
      ),
      "ms",
    ),
    { ...of("stalls", stalls.length, "stalls"), bar: 0 },
  ];
};

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [920, 360, 56, 56, 24, 40];
const COLOURS: Readonly<Record<PlayerName, string>> = { dash: "#2f7d4f", hls: "#7a4fb3", "hls-hold-back": "#b3541e" };

/** What is further behind than this leaves the picture: next to it nothing else could be told apart. */
const DRAWN_MS_MAX = 6_000;

/** Latency over time, a line for each player, with its bar as a dashed one. */
export function drawLatency(all: readonly Seen[], seconds: number): string {
  const seenMs = Math.max(3_000, ...all.flatMap(({ looks }) => looks.map(({ latencyMs }) => latencyMs)));
  const mostMs = Math.min(seenMs, DRAWN_MS_MAX);
  const x = (ms: number): string => (LEFT + (ms / (seconds * 1_000)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (ms: number): string => (HEIGHT - BOTTOM - (ms / mostMs) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const grid = Array.from({ length: Math.floor(mostMs / 500) + 1 }, (_, step) => step * 500).map(
    (ms) =>
      `<path d="M${LEFT} ${y(ms)}H${WIDTH - RIGHT}" stroke="#e6e1ea"/><text x="${LEFT - 8}" y="${Number(y(ms)) + 4}" text-anchor="end" fill="#6b6570">${(ms / 1_000).toFixed(1)} s</text>`,
  );
  const lines = all.map(({ player, looks }, index) => {
    const points = looks.map(({ sinceMs, latencyMs }) => `${x(sinceMs)},${y(latencyMs)}`).join(" ");
    const bar = PLAYERS[player];
    const p50 = percentile(
      looks.map(({ latencyMs }) => latencyMs),
      0.5,
    );
    return [
      `<path d="M${LEFT} ${y(bar)}H${WIDTH - RIGHT}" stroke="${COLOURS[player]}" stroke-dasharray="5 4" opacity="0.6"/>`,
      `<polyline points="${points}" clip-path="url(#drawn)" fill="none" stroke="${COLOURS[player]}" stroke-width="1.6"/>`,
      `<text x="${LEFT + index * 285}" y="44" fill="${COLOURS[player]}">${player}: half within ${(p50 / 1_000).toFixed(2)} s (bar ${bar / 1_000} s)</text>`,
    ].join("");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>How far the picture of a channel is behind the world</title><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" font-size="16" fill="#1d1b20">From glass to glass, over ${seconds} s</text>`,
    `<clipPath id="drawn"><rect x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT - RIGHT}" height="${HEIGHT - TOP - BOTTOM}"/></clipPath>`,
    ...grid,
    ...lines,
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 12}" text-anchor="end" fill="#6b6570">${seconds} s</text></svg>`,
    "",
  ].join("\n");
}

export async function run(seconds: number, players: readonly PlayerName[], picture: string | undefined): Promise<void> {
  const stage = await openStage();
  try {
    const product = stage.start();
    const url = await product.ready();
    const account = await makeAccount(stage.admin, "latency@bench.test");
    await stage.admin.of(Live).add(MARQUEE_LIVE);
    const all: Seen[] = [];
    for (const player of players)
      all.push(await watch(player, url, await accessToken(stage.admin, account.email), seconds));
    await product.stop();
    const measures = all.flatMap(measuresOf);
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("live-latency", measures);
    await writeFile(picture ?? path.join(resultsFolder(), "live-latency.svg"), drawLatency(all, seconds));
  } finally {
    await stage.close();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seconds: { type: "string" }, only: { type: "string" }, picture: { type: "string" } },
  });
  const names = Object.keys(PLAYERS) as PlayerName[];
  const players = values.only === undefined ? names : names.filter((name) => values.only?.split(",").includes(name));
  await run(Number(values.seconds ?? 300), players, values.picture);
}
