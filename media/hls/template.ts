/**
 * Manifests with holes. Edges keep one copy of a manifest without tokens and append the caller's query to every media
 * URI as they send it out; what can be done before the caller is known is done once, in `compileTemplate`.
 */
import { FormatError } from "#media/format";

/**
 * The manifest as bytes, with `query` (without a leading `?`) appended to each media URI. Throws FormatError for a query
 * that holds anything but unreserved characters, `%`, and the few delimiters that neither HLS, XML nor DASH's
 * `$` templates give a meaning.
 */
export type QueryTemplate = (query: string) => Buffer;

export interface TemplateOptions {
  /** Says which URIs get the query. Default: every URI that is relative, http or https. */
  readonly accepts?: (uri: string) => boolean;
}

const QUERY = /^[A-Za-z0-9\-._~!()*+,;:@/?%=&]*$/;
const QUERY_CHARS_MAX = 8192;

/** A stretch of the manifest that ends where the query goes; `joint` is what stands between the two, `?` or `&`. */
export interface TemplatePiece {
  readonly text: string;
  readonly joint: string;
}

/** `escape` turns the query into what the format wants between its quotes. */
export function compileTemplate(
  pieces: readonly TemplatePiece[],
  tail: string,
  escape: (query: string) => string,
): QueryTemplate {
  const bare = Buffer.from(pieces.map((piece) => piece.text).join("") + tail);
  // With the joints in place; each is where one piece ends and the query begins.
  const joined = Buffer.from(pieces.map((piece) => piece.text + piece.joint).join("") + tail);
  const holes = new Uint32Array(pieces.length);
  let end = 0;
  pieces.forEach((piece, index) => {
    end += Buffer.byteLength(piece.text) + piece.joint.length;
    holes[index] = end;
  });
  return (query) => {
    if (query === "") return Buffer.from(bare);
    if (query.length > QUERY_CHARS_MAX || !QUERY.test(query)) {
      throw new FormatError(
        "query",
        "the query to append has characters that need percent-encoding, or over 8192 of them",
      );
    }
    return fill(joined, holes, Buffer.from(escape(query), "latin1"));
  };
}

/** Copies bytes only: joining strings would cost a conversion of the whole manifest for every caller. */
function fill(joined: Buffer, holes: Uint32Array, insert: Buffer): Buffer {
  const out = Buffer.allocUnsafe(joined.length + holes.length * insert.length);
  let from = 0;
  let at = 0;
  for (const hole of holes) {
    joined.copy(out, at, from, hole);
    at += hole - from;
    insert.copy(out, at);
    at += insert.length;
    from = hole;
  }
  joined.copy(out, at, from);
  return out;
}

/** Splits a URI where a query can be appended, or null where none belongs (`data:`, `skd:` …). */
export function splitUri(uri: string, options: TemplateOptions): { head: string; joint: string; tail: string } | null {
  if (uri === "" || /^(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:/i.test(uri)) return null;
  if (options.accepts !== undefined && !options.accepts(uri)) return null;
  const hash = uri.indexOf("#");
  const head = hash < 0 ? uri : uri.slice(0, hash);
  const joint = head.includes("?") ? (/[?&]$/.test(head) ? "" : "&") : "?";
  return { head, joint, tail: uri.slice(head.length) };
}
