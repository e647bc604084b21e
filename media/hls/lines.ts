/**
 * The lexical half of the HLS parser (RFC 8216bis, sections 4.1 and 4.2).
 *
 *   playlist       = "#EXTM3U" EOL *(line EOL)
 *   line           = "" | "#EXT" tag [":" value] | "#" comment | URI
 *   attribute-list = name "=" value *("," name "=" value)
 *   name           = 1*(A-Z / 0-9 / "-")
 *   value          = DQUOTE *(no DQUOTE) DQUOTE | 1*(no DQUOTE, comma or white space)
 */
import { FormatError } from "#media/format";

export interface HlsParseLimits {
  /** Default 16 Mi characters. */
  readonly charsMax?: number;
  /** Default 200000, which is two weeks of 6 s segments. */
  readonly segmentsMax?: number;
}

export const LIMITS = { chars: 16 * 1024 * 1024, lineChars: 65_536, segments: 200_000, attributes: 64, variables: 256 };

export function fail(line: number, message: string): FormatError {
  return new FormatError("hls", `line ${line}: ${message}`);
}

const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

export interface HlsLine {
  /** Counted from 1. */
  readonly number: number;
  /** `EXTINF`, `EXT-X-KEY` …, or null for a URI. */
  readonly tag: string | null;
  /** What follows the tag's colon, or the URI. */
  readonly value: string;
}

/** Every line that means something: comments and blank lines are left out. */
export function* readLines(text: string, limits: HlsParseLimits): Generator<HlsLine> {
  const charsMax = limits.charsMax ?? LIMITS.chars;
  if (text.length > charsMax)
    throw fail(1, `the playlist has ${text.length} characters; at most ${charsMax} are allowed`);
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let number = 0;
  while (at < text.length) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end).trim();
    at = end < 0 ? text.length : end + 1;
    number++;
    if (line.length > LIMITS.lineChars)
      throw fail(number, `the line has ${line.length} characters; at most ${LIMITS.lineChars} are allowed`);
    if (number === 1) {
      if (line !== "#EXTM3U") throw fail(1, `a playlist begins with '#EXTM3U', not '${shown(line)}'`);
      continue;
    }
    if (line === "" || (line.startsWith("#") && !line.startsWith("#EXT"))) continue;
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(line)) throw fail(number, "the line holds control characters");
    if (!line.startsWith("#")) {
      yield { number, tag: null, value: line };
      continue;
    }
    const colon = line.indexOf(":");
    yield {
      number,
      tag: line.slice(1, colon < 0 ? line.length : colon),
      value: colon < 0 ? "" : line.slice(colon + 1),
    };
  }
  if (number === 0) throw fail(1, "the playlist is empty");
}

const ATTRIBUTE = /[ \t]*([A-Z0-9-]+)=(?:"([^"]*)"|([^",\s]*))[ \t]*(,|$)/y;

/** An attribute list, with the replacement of EXT-X-DEFINE variables in quoted strings. */
export class Attributes {
  readonly values: Readonly<Record<string, string>>;
  readonly line: number;
  readonly tag: string;

  constructor(line: HlsLine, variables: ReadonlyMap<string, string>) {
    this.line = line.number;
    this.tag = line.tag ?? "";
    const values: Record<string, string> = Object.create(null) as Record<string, string>;
    let at = 0;
    for (let count = 0; at < line.value.length; count++) {
      ATTRIBUTE.lastIndex = at;
      const match = ATTRIBUTE.exec(line.value);
      if (match === null) throw this.fail(`'${shown(line.value.slice(at))}' is no attribute NAME=value`);
      const name = match[1] ?? "";
      if (count >= LIMITS.attributes) throw this.fail(`more than ${LIMITS.attributes} attributes`);
      if (name in values) throw this.fail(`the attribute ${name} stands twice`);
      values[name] = match[2] === undefined ? (match[3] ?? "") : substitute(match[2], variables, line.number);
      at = ATTRIBUTE.lastIndex;
      if (at === line.value.length && match[4] === ",") throw this.fail("the attribute list ends with a comma");
    }
    this.values = values;
  }

  fail(message: string): FormatError {
    return fail(this.line, `${this.tag}: ${message}`);
  }

  text(name: string): string | null {
    return this.values[name] ?? null;
  }

  required(name: string): string {
    const value = this.values[name];
    if (value === undefined || value === "") throw this.fail(`the attribute ${name} is missing`);
    return value;
  }

  flag(name: string): boolean {
    const value = this.values[name];
    if (value === undefined || value === "NO") return false;
    if (value === "YES") return true;
    throw this.fail(`${name} is '${shown(value)}', not YES or NO`);
  }

  integer(name: string): number | null {
    const value = this.values[name];
    return value === undefined ? null : integer(value, this.line, `${this.tag}: ${name}`);
  }

  decimal(name: string): number | null {
    const value = this.values[name];
    return value === undefined ? null : decimal(value, this.line, `${this.tag}: ${name}`);
  }
}

/** decimal-integer, up to 2^53 - 1: what a double holds exactly. */
export function integer(text: string, line: number, what: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw fail(line, `${what} is '${shown(text)}', not an integer from 0 to 2^53 - 1`);
  return value;
}

/** decimal-floating-point, without a sign. */
export function decimal(text: string, line: number, what: string): number {
  if (!/^\d{1,15}(?:\.\d{0,20})?$|^\.\d{1,20}$/.test(text))
    throw fail(line, `${what} is '${shown(text)}', not a decimal number`);
  return Number(text);
}

/** `{$name}` (section 4.3). Values are not searched again, so no definition can grow without end. */
export function substitute(text: string, variables: ReadonlyMap<string, string>, line: number): string {
  if (variables.size === 0 || !text.includes("{$")) return text;
  const out = text.replace(/\{\$([A-Za-z0-9_-]+)\}/g, (_whole, name: string) => {
    const value = variables.get(name);
    if (value === undefined) throw fail(line, `the variable {$${name}} was never defined`);
    return value;
  });
  if (out.length > LIMITS.lineChars) throw fail(line, "the line is too long once its variables are replaced");
  return out;
}
