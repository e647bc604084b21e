import type { LiveChannelChanged } from "#contracts/live";
import type { Received } from "#kernel";
import type { ReadChannel } from "./import-worker.ts";
import { keyOf } from "./identity.ts";
import { type Match, matchAll, nameIn, numberIn, ownIdOf } from "./matching.ts";
import type { EpgTx, Parts } from "./service.ts";
import * as store from "./store.ts";

// Which channel of a source is which of ours, kept and made anew: when a document came, when a channel came or went, when a person says so.

const CHANNELS_MAX = 5_000;
const SOURCES_MAX = 1_000;

export interface Settled {
  /** Channels of the document that have one of ours: theirs to ours. */
  readonly matched: ReadonlyMap<string, string>;
  /** Ours that gained or lost a channel of the source, and are to be merged for that. */
  readonly touched: ReadonlySet<string>;
}

/** Matches the channels of a source anew, with those that a document speaks of. What a person said stays. */
export async function settleChannels(tx: EpgTx, source: store.Source, read: readonly ReadChannel[]): Promise<Settled> {
  const before = new Map((await store.sourceChannels(tx, source.name)).map((row) => [row.external_id, row]));
  const all = await store.allChannels(tx);
  const rows = new Map([...before].map(([id, row]) => [id, { ...row }]));
  for (const { externalId, names, logoUrl, language, programmes } of read) {
    const known = rows.get(externalId);
    rows.set(externalId, {
      ...{ source: source.name, external_id: externalId, names: [], logo_url: "", language: "" },
      ...{ channel_id: "", found_by: "none", explanation: "" },
      ...known,
      ...(names.length > 0 || !known ? { names: [...names], logo_url: logoUrl, language } : {}),
      programmes,
    });
  }
  const automatic = [...rows.values()].filter(({ found_by }) => found_by !== "manual");
  const taken = new Set([...rows.values()].flatMap((row) => (row.found_by === "manual" ? [row.channel_id] : [])));
  // What this source brought itself is no channel that another of its own could be found for by name.
  const matches = matchAll(
    automatic.map(({ external_id, names }) => ({ externalId: external_id, names })),
    all.filter((channel) => channel.source !== source.name),
    taken,
  );
  const made: store.Channel[] = [];
  const ownIds = new Set(all.map(({ id }) => id));
  for (const row of automatic) {
    const match = matches.get(row.external_id);
    if (!match) continue;
    const settled = match.channelId === "" && source.adds_channels ? addOwn(row, match, all, ownIds, made) : match;
    Object.assign(row, { channel_id: settled.channelId, found_by: settled.foundBy, explanation: settled.explanation });
  }
  await store.putChannels(tx, made);
  const changed = [...rows.values()].filter(
    (row) => JSON.stringify(row) !== JSON.stringify(before.get(row.external_id)),
  );
  await store.putSourceChannels(tx, changed);
  await store.dropOrphans(tx, source.name);
  const moved = changed.filter((row) => row.channel_id !== (before.get(row.external_id)?.channel_id ?? ""));
  const touched = moved.flatMap((row) => [row.channel_id, before.get(row.external_id)?.channel_id ?? ""]);
  return {
    matched: new Map(
      read.flatMap(({ externalId }) => {
        const id = rows.get(externalId)?.channel_id ?? "";
        return id === "" ? [] : [[externalId, id] as const];
      }),
    ),
    touched: new Set(touched.filter((id) => id !== "")),
  };
}

/** Makes a channel of the guide of one that no channel is found for; the one that was made before is kept up to date. */
function addOwn(
  row: store.SourceChannel,
  match: Match,
  all: readonly store.Channel[],
  ids: Set<string>,
  made: store.Channel[],
): Match {
  const known = all.find(({ id, source }) => id === row.channel_id && source === row.source);
  if (!known && ids.size >= CHANNELS_MAX)
    return { ...match, explanation: `the guide has ${CHANNELS_MAX} channels, which is as many as it can have` };
  const id = known?.id ?? ownIdOf(row.external_id, ids);
  ids.add(id);
  const number = numberIn(row.names);
  const isFree = ![...all, ...made].some((other) => other.number === number && other.id !== id);
  made.push({
    ...{ id, name: nameIn(row.names, row.external_id), number: isFree ? number : 0, logo_url: row.logo_url },
    ...{ language: row.language, playable: false, source: row.source },
  });
  return { channelId: id, foundBy: "own", explanation: "its source adds channels to the guide" };
}

/** Follows the channels that can be watched here. One that came or went may be what a source's channel was waiting for. */
export async function followChannels(
  { channels }: Parts,
  tx: EpgTx,
  events: readonly Received<LiveChannelChanged>[],
): Promise<void> {
  const latest = new Map(events.map(({ data }) => [data.contentId, data]));
  const [gone, there] = [
    [...latest.values()].filter(({ removed }) => removed),
    [...latest.values()].filter(({ removed }) => !removed),
  ];
  await store.dropChannels(
    tx,
    gone.map(({ contentId }) => contentId),
  );
  await store.putChannels(
    tx,
    there.map(({ contentId, number, name, logo, language }) => ({
      ...{ id: contentId, number, name, logo_url: logo, language, playable: true, source: "" },
    })),
  );
  for (const source of await store.listSources(tx, SOURCES_MAX)) {
    const { touched } = await settleChannels(tx, source, []);
    announceTouched(tx, source.name, [...touched, ...latest.keys()]);
  }
  tx.afterCommit(async () => channels.delete(tx.tenant));
}

/** Says that the schedules of channels are to be merged anew, without an import. */
export function announceTouched(tx: EpgTx, sourceName: string, channelIds: Iterable<string>): void {
  for (const channelId of new Set(channelIds))
    if (channelId !== "")
      tx.emit("ingestCompleted", { channelId, sourceName, importId: "", programmes: 0, fromMs: 0, toMs: 0 });
}

export const wordsOf = (query: string): string[] =>
  keyOf(query)
    .split(" ")
    .filter((word) => word !== "")
    .slice(0, 10);
