/**
 * What may be asked of a channel, by shape alone: the origin knows the exact grammar.
 *
 *   /live/{channelId}/{name}           main.m3u8, main.mpd, ads-{session}-897000123.json
 *   /live/{channelId}/{track}/{name}   index.m3u8, init-20420.mp4, seg-897000123.m4s, seg-897000123.2.m4s
 *
 * A media playlist is asked for as it will be (draft-pantos-hls-rfc8216bis, section 6.2.5): `_HLS_msn` and `_HLS_part` name the part
 * that it must have, `_HLS_skip` leaves older ones out. These three are a part of what is asked for; the rest of a query is not.
 */
const NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
const LIVE = new RegExp(`^/live/([A-Za-z0-9_-]{1,64})/(?:${NAME}/)?(${NAME})\\.([a-z0-9]{2,4})$`);
const OWN = /-(ses_[a-z0-9]{26})(?:$|-)/;
const NUMBER = /^(?:0|[1-9]\d{0,11})$/;

const TYPES: Readonly<Record<string, string>> = {
  m3u8: "application/vnd.apple.mpegurl",
  mpd: "application/dash+xml",
  m4s: "video/iso.segment",
  mp4: "video/mp4",
  vtt: "text/vtt; charset=utf-8",
  json: "application/json",
};

export interface LivePath {
  /** Path and what belongs to it of the query: what the origin is asked for, and where the answer is kept. */
  readonly target: string;
  readonly kind: "hls" | "dash" | "json" | "object";
  readonly contentType: string;
  /** Whose it is alone; undefined for what is everybody's. */
  readonly sessionId?: string;
}

/** The object that is asked for; null for anything else. The path is taken as it stands: nothing is decoded. */
export function parseLivePath(path: string, query: string): LivePath | null {
  const [, , name, extension = ""] = LIVE.exec(path) ?? [];
  const contentType = TYPES[extension];
  if (contentType === undefined) return null;
  const kind = extension === "m3u8" ? "hls" : extension === "mpd" ? "dash" : extension === "json" ? "json" : "object";
  const directives = kind === "hls" && name === "index" ? directivesOf(query) : "";
  if (directives === null) return null;
  const [, sessionId] = OWN.exec(name ?? "") ?? [];
  const target = directives === "" ? path : `${path}?${directives}`;
  return { target, kind, contentType, ...(sessionId === undefined ? {} : { sessionId }) };
}

/** The delivery directives in one order, so that one wish has one name; null where one of them is none. */
function directivesOf(query: string): string | null {
  if (!query.includes("_HLS_")) return "";
  let [msn, part, skip]: (string | undefined)[] = [];
  for (const parameter of query.split("&")) {
    if (parameter.startsWith("_HLS_msn=")) msn ??= parameter;
    else if (parameter.startsWith("_HLS_part=")) part ??= parameter;
    else if (parameter.startsWith("_HLS_skip=")) skip ??= parameter;
  }
  if (msn !== undefined && !NUMBER.test(msn.slice("_HLS_msn=".length))) return null;
  if (part !== undefined && (msn === undefined || !NUMBER.test(part.slice("_HLS_part=".length)))) return null;
  if (skip !== undefined && skip !== "_HLS_skip=YES" && skip !== "_HLS_skip=v2") return null;
  let directives = msn ?? "";
  if (part !== undefined) directives += `&${part}`;
  if (skip !== undefined) directives += directives === "" ? skip : `&${skip}`;
  return directives;
}
