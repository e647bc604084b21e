import { hash } from "node:crypto";
import type { Title } from "#contracts/catalog";
import type { Airing } from "#contracts/live";
import { type Context, systemContext } from "#kernel";
import { KEPT_AFTER_MS, KEPT_BEFORE_MS } from "./domain.ts";
import type { Parts } from "./service.ts";
import { push, putSource } from "./sources.ts";

// Channels that are made of films know themselves what they will show. Their word is a source as any other, and the one that is believed first.

const SOURCE = "channels";
const PRIORITY = 1_000;
const CHANNELS_MAX = 500;
const TITLES_AT_ONCE = 200;

export async function takeSchedules(parts: Parts, tenants: readonly string[]): Promise<void> {
  for (const tenant of tenants) {
    const context = systemContext(tenant, "epg", { clock: parts.clock, deadlineMs: 30_000 });
    const document = await documentOf(parts, context);
    const now = document === "" ? "" : hash("sha256", document);
    // The same again would only be work.
    if (now === (parts.schedules.get(tenant) ?? "")) continue;
    await putSource(parts, { name: SOURCE, kind: "pushed", priority: PRIORITY }, context);
    await push(
      parts,
      { sourceName: SOURCE, importId: "", piece: Buffer.from(document || "<tv/>"), last: true },
      context,
    );
    parts.schedules.set(tenant, now);
  }
}

/** XMLTV of what channels say; empty where none says anything. */
async function documentOf({ call, clock }: Parts, context: Context): Promise<string> {
  const { channels } = await call.live.list({ limit: CHANNELS_MAX }, context);
  const span = { fromMs: BigInt(clock.nowMs() - KEPT_BEFORE_MS), toMs: BigInt(clock.nowMs() + KEPT_AFTER_MS) };
  const programmes: string[] = [];
  for (const { id } of channels.filter(({ inputs }) => inputs.includes("schedule"))) {
    const { airings } = await call.live.schedule({ channelId: id, ...span }, context);
    const ids = [...new Set(airings.map(({ contentId }) => contentId))];
    const titles = new Map<string, Title>();
    for (let at = 0; at < ids.length; at += TITLES_AT_ONCE) {
      const some = await call.catalog.getMany({ ids: ids.slice(at, at + TITLES_AT_ONCE) }, context);
      for (const title of some.titles) titles.set(title.id, title);
    }
    for (const airing of airings) programmes.push(programmeOf(id, airing, titles.get(airing.contentId)));
  }
  return programmes.length === 0 ? "" : `<tv>${programmes.join("\n")}</tv>`;
}

const stamp = (ms: bigint): string => `${new Date(Number(ms)).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;
const escape = (text: string): string => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);

function programmeOf(channelId: string, { startMs, stopMs, title }: Airing, known: Title | undefined): string {
  const genres = (known?.genres ?? []).map((genre) => `<category>${escape(genre)}</category>`).join("");
  const about = known ? `<desc>${escape(known.synopsis)}</desc>` : "";
  const kind = known?.kind === "film" ? "<category>Film</category>" : "";
  const date = known && known.year > 0 ? `<date>${known.year}</date>` : "";
  const age = known && known.ageRating > 0 ? `<rating system="age"><value>${known.ageRating}</value></rating>` : "";
  return `<programme channel="${escape(channelId)}" start="${stamp(startMs)}" stop="${stamp(stopMs)}"><title>${escape(title)}</title>${about}${date}${genres}${kind}${age}</programme>`;
}
