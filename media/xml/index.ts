/**
 * Reading XML that comes from outside: bytes to a checked DOM.
 *
 * The parser behind it is @xmldom/xmldom. Before it sees anything, one linear scan bounds the size, the depth, the
 * elements and the attributes, and refuses document type declarations (and with them every entity bomb and every
 * external entity), undeclared references and characters that XML 1.0 has not. Whatever the parser then merely warns of
 * is an error here.
 */
import { DOMParser, type Document, type Element, type Node } from "@xmldom/xmldom";
import { FormatError } from "#media/format";

export interface XmlLimits {
  readonly bytesMax: number;
  readonly depthMax: number;
  readonly elementsMax: number;
  readonly attributesMax: number;
}

export const XML_LIMITS: XmlLimits = { bytesMax: 4 << 20, depthMax: 32, elementsMax: 50_000, attributesMax: 64 };

function fail(message: string, offset?: number): never {
  throw new FormatError("xml", message, offset);
}

/** The encoding by byte order mark, by the pattern of the first bytes (XML 1.0, appendix F), or by declaration. */
function encodingOf(bytes: Uint8Array): string {
  const [a = 0, b = 0] = bytes;
  if (a === 0xfe && b === 0xff) return "utf-16be";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0x00 && b === 0x3c) return "utf-16be";
  if (a === 0x3c && b === 0x00) return "utf-16le";
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 128));
  const declared = /^(?:\u00ef\u00bb\u00bf)?<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/u.exec(start)?.[1];
  const name = declared?.toLowerCase() ?? "utf-8";
  if (name === "utf-8" || name === "us-ascii") return "utf-8";
  if (name === "iso-8859-1" || name === "windows-1252") return "windows-1252";
  return fail(`the encoding ${declared} is not supported; use UTF-8`);
}

/** The text of a document without its byte order mark. Throws FormatError for bytes that its encoding has not. */
export function decodeXmlText(bytes: Uint8Array, bytesMax: number = XML_LIMITS.bytesMax): string {
  if (bytes.length > bytesMax) fail(`the document has ${bytes.length} bytes, the limit is ${bytesMax}`);
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return fail(`the document is not ${encoding}`);
  }
}

const NAME = /[\p{L}_:][\p{L}\p{N}\p{M}_:.\-\u00b7]*/uy;
const REFERENCE = /&(?:lt|gt|amp|apos|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});/uy;
const NOT_XML =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** The linear scan. It knows markup from text, and that is enough to count and to refuse. */
function scan(text: string, limits: XmlLimits): void {
  const bad = NOT_XML.exec(text);
  if (bad !== null) fail("the document holds a character that XML has not", bad.index);
  const open: string[] = [];
  let elements = 0;
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf("<", at);
    const end = next < 0 ? text.length : next;
    checkText(text, at, end, open.length);
    if (next < 0) break;
    if (text.startsWith("<!--", next)) {
      const close = text.indexOf("--", next + 4);
      if (close < 0 || text[close + 2] !== ">") fail("a comment is not closed or holds --", next);
      at = close + 3;
    } else if (text.startsWith("<![CDATA[", next)) {
      const close = text.indexOf("]]>", next);
      if (close < 0 || open.length === 0) fail("a CDATA section is not closed or stands outside", next);
      at = close + 3;
    } else if (text.startsWith("<!", next)) {
      fail("document type declarations are refused", next);
    } else if (text.startsWith("<?", next)) {
      const close = text.indexOf("?>", next);
      if (close < 0) fail("a processing instruction is not closed", next);
      if (/^<\?xml[\s?]/iu.test(text.slice(next, next + 6)) && next !== 0)
        fail("the XML declaration is not first", next);
      at = close + 2;
    } else if (text[next + 1] === "/") {
      const name = nameAt(text, next + 2);
      if (open.pop() !== name) fail(`</${name}> closes nothing`, next);
      at = closeOf(text, next + 2 + name.length);
    } else {
      elements += 1;
      if (elements > limits.elementsMax) fail(`more than ${limits.elementsMax} elements`, next);
      if (open.length === 0 && elements > 1) fail("the document has two roots", next);
      at = startTag(text, next, open, limits);
    }
  }
  if (open.length > 0) fail(`<${open.at(-1)}> is not closed`, text.length);
  if (elements === 0) fail("the document has no root element");
}

function checkText(text: string, from: number, to: number, depth: number): void {
  const part = text.slice(from, to);
  if (depth === 0 && part.trim() !== "") fail("text stands outside of the root element", from);
  if (part.includes("]]>")) fail("]]> stands in text", from);
  checkReferences(part, from);
}

function checkReferences(part: string, offset: number): void {
  for (let at = part.indexOf("&"); at >= 0; at = part.indexOf("&", at + 1)) {
    REFERENCE.lastIndex = at;
    const reference = REFERENCE.exec(part)?.[0];
    if (reference === undefined) return fail("an ampersand begins no reference that XML knows", offset + at);
    if (!reference.startsWith("&#")) continue;
    const digits = reference.slice(2, -1);
    const code = digits.startsWith("x") ? Number.parseInt(digits.slice(1), 16) : Number(digits);
    const isChar = code === 9 || code === 10 || code === 13 || (code >= 0x20 && code <= 0x10ffff);
    if (!isChar || (code >= 0xd800 && code <= 0xdfff) || code === 0xfffe || code === 0xffff) {
      fail("a reference names a character that XML has not", offset + at);
    }
  }
}

function nameAt(text: string, at: number): string {
  NAME.lastIndex = at;
  return NAME.exec(text)?.[0] ?? fail("a name is missing", at);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\t" || text[at] === "\r") at += 1;
  return at;
}

function closeOf(text: string, from: number): number {
  const at = skipSpace(text, from);
  return text[at] === ">" ? at + 1 : fail("a tag is not closed", at);
}

function startTag(text: string, start: number, open: string[], limits: XmlLimits): number {
  const name = nameAt(text, start + 1);
  const seen = new Set<string>();
  let at = start + 1 + name.length;
  for (;;) {
    const next = skipSpace(text, at);
    if (text[next] === ">") {
      open.push(name);
      if (open.length > limits.depthMax) fail(`elements nest deeper than ${limits.depthMax}`, start);
      return next + 1;
    }
    if (text[next] === "/") return text[next + 1] === ">" ? next + 2 : fail("a tag is not closed", next);
    if (next === at) fail("an attribute does not follow a space", next);
    const attribute = nameAt(text, next);
    if (seen.has(attribute)) fail(`the attribute ${attribute} stands twice`, next);
    seen.add(attribute);
    if (seen.size > limits.attributesMax) fail(`more than ${limits.attributesMax} attributes`, next);
    const equals = skipSpace(text, next + attribute.length);
    const quoteAt = skipSpace(text, equals + 1);
    const quote = text[quoteAt];
    if (text[equals] !== "=" || (quote !== '"' && quote !== "'"))
      return fail(`the attribute ${attribute} has no value`, next);
    const end = text.indexOf(quote, quoteAt + 1);
    if (end < 0) fail(`the value of ${attribute} is not closed`, quoteAt);
    const value = text.slice(quoteAt + 1, end);
    if (value.includes("<")) fail(`the value of ${attribute} holds <`, quoteAt);
    checkReferences(value, quoteAt + 1);
    at = end + 1;
  }
}

/** Parses a document within the limits. Throws FormatError for anything that is not well-formed XML 1.0. */
export function parseXml(input: Uint8Array | string, limits: Partial<XmlLimits> = {}): Document {
  const bounds = { ...XML_LIMITS, ...limits };
  if (typeof input === "string" && input.length > bounds.bytesMax)
    fail(`the document is over ${bounds.bytesMax} characters`);
  const text = typeof input === "string" ? input.replace(/^\ufeff/u, "") : decodeXmlText(input, bounds.bytesMax);
  scan(text, bounds);
  const onError = (level: string, message: string): never => fail(`${level}: ${message.slice(0, 200)}`);
  try {
    const document = new DOMParser({ onError }).parseFromString(text, "application/xml");
    if (document.documentElement === null) return fail("the document has no root element");
    return document;
  } catch (error) {
    if (error instanceof FormatError) throw error;
    return fail(`the document is not well-formed: ${error instanceof Error ? error.message.slice(0, 200) : "unknown"}`);
  }
}

const ELEMENT_NODE = 1;

export function isElement(node: Node): node is Element {
  return node.nodeType === ELEMENT_NODE;
}

/** The child elements, of one name or of all. */
export function childrenOf(parent: Element, namespace?: string, name?: string): Element[] {
  const found: Element[] = [];
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (!isElement(node)) continue;
    if (name === undefined || (node.localName === name && node.namespaceURI === namespace)) found.push(node);
  }
  return found;
}

/** Ends of lines too, also those of XML 1.1: as they stand, a reader makes a blank or a line feed of them (XML 1.0 sections 2.11 and 3.3.3). */
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
  "\u0085": "&#x85;",
  "\u2028": "&#x2028;",
  "\u2029": "&#x2029;",
};

/** Escapes for text and attributes alike. Throws FormatError for characters that XML has not. */
export function escapeXml(text: string): string {
  if (NOT_XML.test(text)) fail("a value holds a character that XML has not");
  return text.replace(/[&<>"\t\n\r\u0085\u2028\u2029]/gu, (char) => ESCAPES[char] ?? char);
}
