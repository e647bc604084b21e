import { randomBytes } from "node:crypto";
import { MARKS } from "#contracts/origin/edges";
import { prepareMpd } from "#media/dash";
import { prepareHls } from "#media/hls";
import type { MediaPath } from "./paths.ts";

/** Who asks for a manifest. */
export interface Reader {
  readonly sessionId: string;
  readonly token: string;
  /** Whether the token goes behind each URI; a player that carries it in a cookie or a header has no need of that. */
  readonly isTokenInQuery: boolean;
}

/** A manifest with holes: the token behind every media URI, and the session's values where the origin left a mark. */
export interface Manifest {
  fill(reader: Reader): Buffer;
}

const SESSION_ID = /^[A-Za-z0-9._-]{1,128}$/;

type Value = "query" | "session" | "token";
interface Compiled {
  /** One more than there are holes. */
  readonly pieces: readonly Buffer[];
  readonly holes: readonly Value[];
  readonly piecesBytes: number;
}

/**
 * Compiles a manifest once for all readers. `ownUrl` is this edge's address: URIs of other networks get no token, as ours is
 * refused there.
 */
export function compileManifest(text: string, kind: MediaPath["kind"], ownUrl: string): Manifest {
  const accepts = (uri: string): boolean => !/^https?:/i.test(uri) || uri.startsWith(`${ownUrl}/`);
  const prepared = (kind === "dash" ? prepareMpd : prepareHls)(text, { accepts });
  // The codec appends a word that occurs nowhere else, which tells where the holes are.
  const word = `q${randomBytes(12).toString("hex")}`;
  const withQuery = compile(prepared(word).toString("utf8"), word);
  let bare: Compiled | undefined;
  return {
    fill({ sessionId, token, isTokenInQuery }) {
      const values: Readonly<Record<Value, string>> = {
        query: `CAT=${token}`,
        session: SESSION_ID.test(sessionId) ? sessionId : "unknown",
        token,
      };
      if (isTokenInQuery) return join(withQuery, values);
      bare ??= compile(prepared("").toString("utf8"), word);
      return join(bare, values);
    },
  };
}

function compile(text: string, word: string): Compiled {
  const pieces: Buffer[] = [];
  const holes: Value[] = [];
  const mark = new RegExp([word, MARKS.session, MARKS.token].map((text) => text.replaceAll("$", "\\$")).join("|"), "g");
  let from = 0;
  for (const match of text.matchAll(mark)) {
    pieces.push(Buffer.from(text.slice(from, match.index)));
    holes.push(match[0] === word ? "query" : match[0] === MARKS.session ? "session" : "token");
    from = match.index + match[0].length;
  }
  pieces.push(Buffer.from(text.slice(from)));
  return { pieces, holes, piecesBytes: pieces.reduce((sum, piece) => sum + piece.length, 0) };
}

/** Tokens are base64url and session ids plain words, so that nothing needs escaping, in XML or in HLS. */
function join({ pieces, holes, piecesBytes }: Compiled, values: Readonly<Record<Value, string>>): Buffer {
  const inserts = { query: Buffer.from(values.query), session: Buffer.from(values.session), token: Buffer.from(values.token) };
  let sizeBytes = piecesBytes;
  for (const hole of holes) sizeBytes += inserts[hole].length;
  const out = Buffer.allocUnsafe(sizeBytes);
  let at = 0;
  for (let index = 0; index < pieces.length; index += 1) {
    const piece = pieces[index];
    if (piece !== undefined) at += piece.copy(out, at);
    const hole = holes[index];
    if (hole !== undefined) at += inserts[hole].copy(out, at);
  }
  return out;
}
