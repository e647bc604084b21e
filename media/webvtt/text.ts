/**
 * WebVTT cue text (https://www.w3.org/TR/webvtt1/#cue-text-parsing-rules): tokenised, then rewritten with the known tags
 * only. The result is a fixed point: sanitising it again changes nothing.
 */

const SPANS = new Set(["b", "i", "u", "c", "v", "lang", "ruby", "rt"]);
const ANNOTATED = new Set(["v", "lang"]);
const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  lrm: "\u200e",
  rlm: "\u200f",
};
/** Deeper nesting than any author writes; the rest is flattened so that no player recurses without end. */
const DEPTH_MAX = 8;

interface Tag {
  readonly name: string;
  readonly open: string;
}

/** Cue text with tags closed and nested, unknown tags dropped (their text stays) and `&`, `<`, `>` escaped. */
export function sanitizeCueText(text: string): string {
  let out = "";
  const stack: string[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("<", at);
    if (open < 0) {
      out += escapeText(text.slice(at));
      break;
    }
    out += escapeText(text.slice(at, open));
    const close = text.indexOf(">", open);
    // An unclosed tag at the end is a tag to the tokenizer (section 6.4), and holds no text: nothing is lost by dropping it.
    if (close < 0) break;
    out += rewriteTag(text.slice(open + 1, close), stack);
    at = close + 1;
  }
  while (stack.length > 0) out += `</${stack.pop() ?? ""}>`;
  // An empty line would end the cue in the file, and `-->` would start another; neither may come from the text.
  return out
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .join("\n")
    .trim();
}

/** The text alone, for search indices and transcripts. */
export function plainText(cueText: string): string {
  return decodeEntities(cueText.replace(/<[^>]*>/g, ""));
}

function rewriteTag(body: string, stack: string[]): string {
  if (body.startsWith("/")) {
    const name = body.slice(1).trim().toLowerCase();
    // Section 6.4: an end tag counts only when it closes the innermost open element; </ruby> also closes an open <rt>.
    if (stack.at(-1) === "rt" && name === "ruby") {
      stack.splice(-2);
      return "</rt></ruby>";
    }
    if (stack.at(-1) !== name) return "";
    stack.pop();
    return `</${name}>`;
  }
  if (/^(?:\d{2,4}:)?[0-5]\d:[0-5]\d\.\d{3}$/.test(body)) return `<${body}>`;
  const tag = startTag(body);
  if (tag === null || stack.length >= DEPTH_MAX) return "";
  if (tag.name === "rt" && stack.at(-1) !== "ruby") return "";
  stack.push(tag.name);
  return tag.open;
}

function startTag(body: string): Tag | null {
  const match = /^([A-Za-z]+)((?:\.[^\s.<>&]+)*)(?:\s+([^]*))?$/.exec(body);
  const name = (match?.[1] ?? "").toLowerCase();
  if (match === null || !SPANS.has(name)) return null;
  const classes = (match[2] ?? "").slice(0, 128);
  const annotation = ANNOTATED.has(name) ? escapeText((match[3] ?? "").replace(/\s+/g, " ").trim().slice(0, 128)) : "";
  return { name, open: `<${name}${classes}${annotation === "" ? "" : ` ${annotation}`}>` };
}

function decodeEntities(text: string): string {
  return text.replace(/&(#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-z]+);/g, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = /^#[xX]/.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : "\uFFFD";
  });
}

function escapeText(text: string): string {
  // Control characters have no glyph; a carriage return would end the line when the file is read again.
  return decodeEntities(text)
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f\u0085]/g, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\u200e", "&lrm;")
    .replaceAll("\u200f", "&rlm;")
    .replaceAll("\u00a0", "&nbsp;");
}
