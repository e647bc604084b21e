import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { MARKS } from "#contracts/origin/edges";
import { prepareMpd } from "#media/dash";
import { prepareHls } from "#media/hls";

/** Who asks for a manifest. */
export interface Reader {
  readonly sessionId: string;
  readonly token: string;
  /** Whether the token goes behind each URI; a player that carries it in a cookie or a header has no need of that. */
  readonly isTokenInQuery: boolean;
}

export interface Filled {
  readonly body: Buffer;
  /** Gives the buffer back. Only for who knows that nothing reads it any more; without it the collector takes it. */
  release(): void;
}

/** A manifest with holes: the token behind every media URI, and the session's values where the origin left a mark. */
export interface Manifest {
  fill(reader: Reader): Filled;
}

const SESSION_ID = /^[A-Za-z0-9._-]{1,128}$/;
/** Buffers that wait for the next reader, over all manifests. */
const SPARE_BYTES_MAX = 32 * 1024 * 1024;
const SPARES_MAX = 8;

type Value = "query" | "session" | "token";
type Values = Readonly<Record<Value, string>>;

/** The manifest's text around its holes. */
interface Compiled {
  readonly id: number;
  /** One more than there are holes. */
  readonly pieces: readonly Buffer[];
  readonly holes: readonly Value[];
}

/** A manifest laid out for values of certain lengths: what stands between the holes is the same for all readers with such values. */
interface Shape {
  readonly key: string;
  readonly sizeBytes: number;
  /** Where each hole begins, by value. */
  readonly positions: Readonly<Record<Value, Uint32Array>>;
  readonly pattern: Buffer;
}

/** Buffers of the sizes that playlists of channels come in. Each of those is another one after half a second, read by many at once. */
const SLAB_BYTES = [4, 8, 16, 32, 64].map((kibibytes) => kibibytes * 1_024);
const SLABS_BYTES_MAX = 64 * 1024 * 1024;
const slabs = new Map<number, Buffer[]>(SLAB_BYTES.map((sizeBytes) => [sizeBytes, []]));
let slabsBytes = 0;

/**
 * A playlist of two hours has over a thousand addresses, so that most of what is sent are tokens. A buffer that was sent once has
 * everything but the next reader's values in its place: reusing it costs a third of making one.
 */
const spares = new LRUCache<string, Buffer[]>({ maxSize: SPARE_BYTES_MAX });
let compiledCount = 0;

/**
 * Compiles a manifest once for all readers. `ownUrl` is this edge's address: URIs of other networks get no token, as ours is
 * refused there.
 */
export function compileManifest(
  text: string,
  kind: "hls" | "dash" | "json" | "object",
  ownUrl: string,
  { isShortLived = false } = {},
): Manifest {
  const fillIn = isShortLived ? fillSlab : fillSpare;
  const accepts = (uri: string): boolean => !/^https?:/i.test(uri) || uri.startsWith(`${ownUrl}/`);
  const own = text.replaceAll(MARKS.base, ownUrl);
  // A list of ads says itself where tokens go.
  const prepared =
    kind === "json" ? () => Buffer.from(own) : (kind === "dash" ? prepareMpd : prepareHls)(own, { accepts });
  // The codec appends a word that occurs nowhere else, which tells where the holes are.
  const word = `q${randomBytes(12).toString("hex")}`;
  const withQuery = layouts(compile(prepared(word).toString("utf8"), word));
  let bare: ((values: Values) => Shape) | undefined;
  return {
    fill({ sessionId, token, isTokenInQuery }) {
      const session = SESSION_ID.test(sessionId) ? sessionId : "unknown";
      const values = { query: `CAT=${token}`, session, token };
      if (isTokenInQuery) return fillIn(withQuery(values), values);
      bare ??= layouts(compile(prepared("").toString("utf8"), word));
      return fillIn(bare(values), values);
    },
  };
}

function compile(text: string, word: string): Compiled {
  const pieces: Buffer[] = [];
  const holes: Value[] = [];
  const mark = new RegExp([word, MARKS.session, MARKS.token].map((each) => each.replaceAll("$", "\\$")).join("|"), "g");
  let from = 0;
  for (const match of text.matchAll(mark)) {
    pieces.push(Buffer.from(text.slice(from, match.index)));
    holes.push(match[0] === word ? "query" : match[0] === MARKS.session ? "session" : "token");
    from = match.index + match[0].length;
  }
  pieces.push(Buffer.from(text.slice(from)));
  compiledCount += 1;
  return { id: compiledCount, pieces, holes };
}

/** Tokens of one issuer have few lengths; the layout of the last one is kept. */
function layouts(compiled: Compiled): (values: Values) => Shape {
  let last: Shape | undefined;
  return (values) => {
    const key = `${compiled.id}/${values.token.length}/${values.session.length}`;
    if (last?.key !== key) last = layOut(compiled, key, values);
    return last;
  };
}

function layOut({ pieces, holes }: Compiled, key: string, values: Values): Shape {
  const positions: Record<Value, number[]> = { query: [], session: [], token: [] };
  let at = 0;
  pieces.forEach((piece, index) => {
    at += piece.length;
    const hole = holes[index];
    if (hole === undefined) return;
    positions[hole].push(at);
    at += values[hole].length;
  });
  const pattern = Buffer.allocUnsafeSlow(at);
  let to = 0;
  pieces.forEach((piece, index) => {
    to += piece.copy(pattern, to);
    const hole = holes[index];
    if (hole !== undefined) to += pattern.write(values[hole], to, "latin1");
  });
  const { query, session, token } = positions;
  const frozen = { query: Uint32Array.from(query), session: Uint32Array.from(session), token: Uint32Array.from(token) };
  return { key, sizeBytes: at, positions: frozen, pattern };
}

function fillSpare({ key, sizeBytes, positions, pattern }: Shape, values: Values): Filled {
  const waiting = spares.get(key);
  let body = waiting?.pop();
  if (body === undefined) {
    body = Buffer.allocUnsafeSlow(sizeBytes);
    pattern.copy(body);
  }
  writeAll(body, positions, values);
  const done = body;
  return {
    body: done,
    release() {
      const list = spares.get(key) ?? [];
      if (list.length >= SPARES_MAX) return;
      list.push(done);
      spares.set(key, list, { size: list.length * sizeBytes + 1 });
    },
  };
}

/** A thousand readers of one moment would otherwise leave ten megabytes behind, and those of the next moment as many. */
function fillSlab({ sizeBytes, positions, pattern }: Shape, values: Values): Filled {
  const size = SLAB_BYTES.find((each) => each >= sizeBytes) ?? sizeBytes;
  const slab = slabs.get(size)?.pop();
  if (slab !== undefined) slabsBytes -= size;
  const whole = slab ?? Buffer.allocUnsafeSlow(size);
  const body = whole.subarray(0, sizeBytes);
  pattern.copy(body);
  writeAll(body, positions, values);
  return {
    body,
    release() {
      const list = slabs.get(size);
      if (list === undefined || slabsBytes + size > SLABS_BYTES_MAX) return;
      list.push(whole);
      slabsBytes += size;
    },
  };
}

/** Tokens are base64url and session ids plain words, so that nothing needs escaping, in XML or in HLS. */
function writeAll(body: Buffer, positions: Shape["positions"], values: Values): void {
  write(body, positions.query, values.query);
  write(body, positions.session, values.session);
  write(body, positions.token, values.token);
}

/** The first hole is written, the others are copies of it. */
function write(body: Buffer, positions: Uint32Array, value: string): void {
  const first = positions[0];
  if (first === undefined) return;
  body.write(value, first, "latin1");
  const end = first + value.length;
  for (let index = 1; index < positions.length; index += 1) body.copyWithin(positions[index] ?? 0, first, end);
}
