/** Appending a caller's query to the URIs of HLS playlists: see template.ts. */
import { compileTemplate, type QueryTemplate, splitUri, type TemplateOptions, type TemplatePiece } from "./template.ts";

/**
 * The tags whose URI leads to media or to a playlist. Keys (EXT-X-KEY, EXT-X-SESSION-KEY), the steering server and session
 * data are others' addresses: the token is not theirs to see.
 */
const URI_TAG =
  /^#EXT-X-(?:MAP|MEDIA|I-FRAME-STREAM-INF|IMAGE-STREAM-INF|PART|PRELOAD-HINT|RENDITION-REPORT):(?:[^"\n]|"[^"\n]*")*?\bURI="/;

/** Compiles a playlist, multivariant or media; see `QueryTemplate`. */
export function prepareHls(text: string, options: TemplateOptions = {}): QueryTemplate {
  const pieces: TemplatePiece[] = [];
  let open = "";
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf("\n", at);
    const next = end < 0 ? text.length : end + 1;
    const line = text.slice(at, next);
    at = next;
    const range = uriRange(line);
    const parts = range === null ? null : splitUri(line.slice(range[0], range[1]), options);
    if (range === null || parts === null) {
      open += line;
      continue;
    }
    pieces.push({ text: open + line.slice(0, range[0]) + parts.head, joint: parts.joint });
    open = parts.tail + line.slice(range[1]);
  }
  return compileTemplate(pieces, open, (query) => query);
}

/** `prepareHls(text)(query)`, for callers that have one query only. */
export function appendQueryToHls(text: string, query: string): string {
  return prepareHls(text)(query).toString("utf8");
}

/** Where the URI stands in the line, or null for lines without one. */
function uriRange(line: string): readonly [start: number, end: number] | null {
  if (line.startsWith("#")) {
    const match = line.startsWith("#EXT-X-") ? URI_TAG.exec(line) : null;
    if (match === null) return null;
    const end = line.indexOf('"', match[0].length);
    return end < 0 ? null : [match[0].length, end];
  }
  const trimmed = line.trim();
  if (trimmed === "") return null;
  const start = line.indexOf(trimmed);
  return [start, start + trimmed.length];
}
