/** Appending a caller's query to the media addresses of an MPD. */
import { compileTemplate, type QueryTemplate, splitUri, type TemplateOptions, type TemplatePiece } from "#media/hls";

/** The start tags whose attributes are addresses of media; license servers and the steering server are element text. */
const TAG = /<(?:SegmentTemplate|SegmentURL|Initialization)\s[^<>]*>/g;
const ADDRESS = /\s(?:media|initialization|sourceURL|index)="([^"]*)"/g;

/**
 * Compiles an MPD as this folder writes it (well-formed, `<` and `>` escaped in attributes); see `QueryTemplate`. The query
 * goes behind `@media`, `@initialization` and `@sourceURL`, thumbnails included, and nowhere else.
 */
export function prepareMpd(text: string, options: TemplateOptions = {}): QueryTemplate {
  const pieces: TemplatePiece[] = [];
  let from = 0;
  let open = "";
  for (const tag of text.matchAll(TAG)) {
    for (const address of tag[0].matchAll(ADDRESS)) {
      const value = address[1] ?? "";
      const end = tag.index + address.index + address[0].length - 1;
      const start = end - value.length;
      const parts = splitUri(value, options);
      if (parts === null) continue;
      // An ampersand in an attribute must be written as its entity.
      const joint = parts.joint.replace("&", "&amp;");
      pieces.push({ text: open + text.slice(from, start) + parts.head, joint });
      open = parts.tail;
      from = end;
    }
  }
  return compileTemplate(pieces, open + text.slice(from), (query) => query.replaceAll("&", "&amp;"));
}

/** `prepareMpd(text)(query)`, for callers that have one query only. */
export function appendQueryToMpd(text: string, query: string): string {
  return prepareMpd(text)(query).toString("utf8");
}
