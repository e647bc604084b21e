/**
 * The importer's worker: decompressing, decoding and reading XMLTV, and making rows of it, away from the event loop that answers people. Bytes
 * come in, and rows go out as one JSON text for each piece, which PostgreSQL reads as it is. Both change hands without a copy, so that the
 * process that answers people has nothing of them in its heap. The worker does no I/O of its own.
 */
import { parentPort, workerData } from "node:worker_threads";
import { yieldThread } from "#kernel/priority";
import { type Channel, type FindingCode, openXmltvReader, type XmltvReader } from "#media/xmltv";
import { type Listing, listingOf } from "./listing.ts";

export interface ImportSettings {
  readonly zone: string;
  readonly language: string;
  /** Programmes outside of it are counted, and not kept. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly programmesMax: number;
}

export type ToReader = { readonly bytes: Uint8Array } | { readonly isEnd: true };

/** What one piece came to. */
export type FromReader =
  | { readonly ok: true; readonly rows: number; readonly json: Uint8Array<ArrayBuffer>; readonly summary?: ReadSummary }
  | { readonly ok: false; readonly message: string };

export interface ReadChannel {
  readonly externalId: string;
  readonly names: readonly string[];
  readonly logoUrl: string;
  readonly language: string;
  readonly programmes: number;
  /** The stretch that the document speaks of: what lies in it is replaced. 0 without programmes. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ReadSummary {
  readonly channels: readonly ReadChannel[];
  readonly programmes: number;
  readonly kept: number;
  readonly findings: readonly { readonly code: string; readonly count: number; readonly first: string }[];
}

/** Nobody waits for a guide as they wait for the answer to a request. */
const NICENESS = 10;

if (!parentPort) throw new Error("the importer's reader runs as a worker");
const port = parentPort;
const settings = workerData as ImportSettings;
yieldThread(NICENESS);

type Found = FindingCode | "outside_of_window" | "channel_not_declared";
const findings = new Map<Found, { count: number; first: string }>();
const channels = new Map<string, { -readonly [K in keyof ReadChannel]: ReadChannel[K] }>();
const declared = new Set<string>();
const encoder = new TextEncoder();
let rows: Listing[] = [];
let programmes = 0;
let kept = 0;

function find(code: Found, detail: string): void {
  const known = findings.get(code);
  if (known) known.count++;
  else findings.set(code, { count: 1, first: detail });
}

function channelOf(externalId: string): { -readonly [K in keyof ReadChannel]: ReadChannel[K] } {
  const known = channels.get(externalId);
  if (known) return known;
  const made = { externalId, names: [], logoUrl: "", language: "", programmes: 0, fromMs: 0, toMs: 0 };
  channels.set(externalId, made);
  return made;
}

function takeChannel(channel: Channel): void {
  declared.add(channel.id);
  const of = channelOf(channel.id);
  of.names = [...new Set(channel.names.map(({ text }) => text))];
  of.language = channel.names[0]?.language ?? "";
  of.logoUrl = channel.icons.find(({ url }) => /^https?:\/\/\S+$/.test(url))?.url ?? "";
}

const reader: XmltvReader = openXmltvReader({
  zone: settings.zone,
  onChannel: takeChannel,
  onFinding: find,
  onProgramme(programme) {
    const { channelId, startMs } = programme;
    if (++programmes > settings.programmesMax)
      throw new Error(`more than ${settings.programmesMax} programmes: divide the document`);
    if (!channels.has(channelId) && !declared.has(channelId)) find("channel_not_declared", `'${channelId}'`);
    const of = channelOf(channelId);
    if ((programme.stopMs ?? startMs) < settings.fromMs || startMs >= settings.toMs)
      return find("outside_of_window", `a programme of ${new Date(startMs).toISOString()} on '${channelId}'`);
    rows.push(listingOf(programme, kept++, settings.language));
    of.fromMs = of.programmes === 0 ? startMs : Math.min(of.fromMs, startMs);
    of.toMs = Math.max(of.toMs, programme.stopMs ?? startMs);
    of.programmes++;
  },
});

port.on("message", (message: ToReader) => {
  let answer: FromReader;
  try {
    if ("bytes" in message) reader.write(message.bytes);
    else reader.end();
    const taken = rows;
    rows = [];
    answer = {
      ...{ ok: true, rows: taken.length, json: encoder.encode(JSON.stringify(taken)) },
      ...("isEnd" in message ? { summary: summary() } : {}),
    };
  } catch (error) {
    answer = { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(answer, answer.ok ? [answer.json.buffer] : []);
});

const summary = (): ReadSummary => ({
  ...{ channels: [...channels.values()], programmes, kept },
  findings: [...findings].map(([code, { count, first }]) => ({ code, count, first })),
});
