/**
 * WebVTT (https://www.w3.org/TR/webvtt1/), in and out, and SubRip in.
 *
 *   file      = [BOM] "WEBVTT" [(SP|TAB) text] NL *(header line NL) NL *(block NL)
 *   block     = NOTE | STYLE | REGION | cue
 *   cue       = [id NL] time " --> " time [settings] NL payload
 *   time      = [hh+ ":"] mm ":" ss "." ttt
 *
 * Captions come from strangers and end in browsers. The parser is bounded, never throws for a broken cue (it skips it,
 * as section 6.1 asks, and says so in `warnings`), and rewrites every payload: what leaves this file holds the tags of
 * section 6.4 only, closed and nested, with everything else escaped or dropped.
 */
import { FormatError } from "#media/format";
import { sanitizeCueText } from "./text.ts";

export { plainText, sanitizeCueText } from "./text.ts";

export interface Cue {
  readonly id: string | null;
  readonly startMs: number;
  readonly endMs: number;
  /** Cue settings that passed validation, such as `line:0 align:start`; empty where there are none. */
  readonly settings: string;
  /** WebVTT cue text (section 6.4), already sanitised. */
  readonly text: string;
}

export interface TimestampMap {
  /** MPEG-2 time, in 90 kHz ticks, that `localMs` stands for (RFC 8216, section 3.5). */
  readonly mpegts: number;
  readonly localMs: number;
}

export interface CaptionDocument {
  readonly cues: readonly Cue[];
  /** Bodies of the STYLE blocks that load nothing. */
  readonly styles: readonly string[];
  /** Bodies of the REGION blocks. */
  readonly regions: readonly string[];
  readonly timestampMap: TimestampMap | null;
  /** What was skipped and why, at most 100 entries. */
  readonly warnings: readonly string[];
}

export interface CaptionParseOptions {
  /** Also reads what real files get wrong: comma milliseconds, one-digit hours, ends before starts. Default false. */
  readonly lenient?: boolean;
  /** More cues than that are an error. Default 50000, which is a cue a second for 13 hours. */
  readonly cuesMax?: number;
  /** A larger file is an error. Default 16 MiB. */
  readonly sizeBytesMax?: number;
}

const LIMITS = {
  cues: 50_000,
  sizeBytes: 16 * 1024 * 1024,
  cueChars: 4096,
  warnings: 100,
  blocks: 64,
  blockChars: 8192,
};

class Collector {
  readonly cues: Cue[] = [];
  readonly styles: string[] = [];
  readonly regions: string[] = [];
  readonly warnings: string[] = [];
  readonly format: string;
  readonly cuesMax: number;

  constructor(format: string, options: CaptionParseOptions) {
    this.format = format;
    this.cuesMax = options.cuesMax ?? LIMITS.cues;
  }

  warn(lineIndex: number, message: string): void {
    if (this.warnings.length < LIMITS.warnings) this.warnings.push(`line ${lineIndex + 1}: ${message}`);
  }

  add(cue: Cue): void {
    if (this.cues.length >= this.cuesMax) throw new FormatError(this.format, `more than ${this.cuesMax} cues`);
    this.cues.push(cue);
  }

  document(timestampMap: TimestampMap | null): CaptionDocument {
    // Players want cues by start time; a stable sort keeps the author's order for cues that start together.
    const cues = this.cues.toSorted((a, b) => a.startMs - b.startMs);
    return { cues, styles: this.styles, regions: this.regions, timestampMap, warnings: this.warnings };
  }
}

/**
 * Reads a WebVTT file. Throws FormatError for a file that is no WebVTT at all (no `WEBVTT` line), that is too large or
 * holds too many cues; a broken cue is skipped with a warning.
 */
export function parseWebvtt(input: Uint8Array | string, options: CaptionParseOptions = {}): CaptionDocument {
  const lines = toLines("webvtt", input, options, decodeUtf8);
  const first = lines[0] ?? "";
  if (!/^WEBVTT(?:[ \t]|$)/.test(first)) {
    throw new FormatError("webvtt", `the first line is '${first.slice(0, 40)}', not 'WEBVTT'`);
  }
  const out = new Collector("webvtt", options);
  const lenient = options.lenient ?? false;
  let at = 1;
  let timestampMap: TimestampMap | null = null;
  for (; at < lines.length && lines[at] !== "" && !lines[at]?.includes("-->"); at++) {
    const line = lines[at] ?? "";
    if (!line.startsWith("X-TIMESTAMP-MAP=")) continue;
    timestampMap = parseTimestampMap(line);
    if (timestampMap === null) out.warn(at, `'${line.slice(0, 80)}' is no X-TIMESTAMP-MAP; it is ignored`);
  }
  while (at < lines.length) {
    if (lines[at] === "") {
      at++;
      continue;
    }
    at = parseBlock(lines, at, out, lenient);
  }
  return out.document(timestampMap);
}

/** Reads the block that starts at `start`; returns the index of the line after it. */
function parseBlock(lines: readonly string[], start: number, out: Collector, lenient: boolean): number {
  const head = lines[start] ?? "";
  let timing = start;
  if (!head.includes("-->")) {
    const next = lines[start + 1] ?? "";
    const end = blockEnd(lines, start + 1);
    if (/^NOTE(?:[ \t]|$)/.test(head)) return end;
    if (/^STYLE[ \t]*$/.test(head)) {
      keepStyle(lines.slice(start + 1, end), start, out);
      return end;
    }
    if (/^REGION[ \t]*$/.test(head)) {
      keepRegion(lines.slice(start + 1, end), start, out);
      return end;
    }
    if (!next.includes("-->")) {
      out.warn(start, "a block without a time line is skipped");
      return end;
    }
    timing = start + 1;
  }
  const end = blockEnd(lines, timing + 1);
  const times = parseTimes(lines[timing] ?? "", lenient);
  const payload = lines.slice(timing + 1, end).join("\n");
  if (times === null) {
    out.warn(timing, `'${(lines[timing] ?? "").slice(0, 80)}' is no cue time line; the cue is skipped`);
  } else if (payload.length > LIMITS.cueChars) {
    out.warn(timing, `a cue of ${payload.length} characters is skipped; at most ${LIMITS.cueChars} are allowed`);
  } else {
    const id = timing > start && !head.includes("-->") ? head.slice(0, 256) : null;
    out.add({ id, ...times, text: sanitizeCueText(payload) });
  }
  return end;
}

/** A block ends at an empty line, or before a line with `-->`, which starts the next cue (section 6.1, step 14). */
function blockEnd(lines: readonly string[], from: number): number {
  let at = from;
  while (at < lines.length && lines[at] !== "" && !lines[at]?.includes("-->")) at++;
  return at;
}

function keepStyle(body: readonly string[], at: number, out: Collector): void {
  const css = body.join("\n");
  // CSS that can fetch would tell a stranger who watches what; section 8.1 forbids it and not every player obeys.
  if (/url\s*\(|@import|@font-face|image-set|\\|<|expression/i.test(css)) {
    out.warn(at, "a STYLE block that can load something is dropped");
  } else if (out.styles.length >= LIMITS.blocks || css.length > LIMITS.blockChars) {
    out.warn(at, "a STYLE block over the limits is dropped");
  } else {
    out.styles.push(css);
  }
}

function keepRegion(body: readonly string[], at: number, out: Collector): void {
  const text = body.join("\n");
  const words = text.split(/\s+/).filter((word) => word !== "");
  const setting = /^(?:id:.+|width:[\d.]+%|lines:\d+|(?:region|viewport)anchor:[\d.]+%,[\d.]+%|scroll:up)$/;
  const known = text.length <= 1024 && words.every((word) => setting.test(word));
  if (!known || out.regions.length >= LIMITS.blocks) {
    out.warn(at, "a REGION block that is broken or over the limits is dropped");
  } else {
    out.regions.push(text);
  }
}

function parseTimes(line: string, lenient: boolean): { startMs: number; endMs: number; settings: string } | null {
  const arrow = line.indexOf("-->");
  const after = line.slice(arrow + 3).trimStart();
  const gap = after.search(/[ \t]/);
  const startMs = parseTime(line.slice(0, arrow).trim(), lenient);
  const endMs = parseTime(gap < 0 ? after : after.slice(0, gap), lenient);
  if (startMs === null || endMs === null || endMs < startMs) return null;
  // Section 4.4 asks for a positive duration; a cue that lasts no time can never be seen.
  if (endMs === startMs) return null;
  return { startMs, endMs, settings: gap < 0 ? "" : validSettings(after.slice(gap)) };
}

function parseTime(text: string, lenient: boolean): number | null {
  const match = lenient
    ? /^(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})$/.exec(text)
    : /^(?:(\d{2,6}):)?(\d{2}):(\d{2})\.(\d{3})$/.exec(text);
  if (match === null) return null;
  const [, hours = "0", minutes = "", seconds = "", fraction = ""] = match;
  if (Number(minutes) > 59 || Number(seconds) > 59) return null;
  const wholeS = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return wholeS * 1000 + Number(fraction.padEnd(3, "0"));
}

const SETTING = new RegExp(
  [
    "vertical:(?:rl|lr)",
    "line:(?:-?\\d{1,4}(?:\\.\\d{1,6})?|\\d{1,3}(?:\\.\\d{1,6})?%)(?:,(?:start|center|end))?",
    "position:\\d{1,3}(?:\\.\\d{1,6})?%(?:,(?:line-left|center|line-right))?",
    "size:\\d{1,3}(?:\\.\\d{1,6})?%",
    "align:(?:start|center|end|left|right)",
    "region:[^\\s<>&]{1,64}",
  ]
    .map((form) => `^${form}$`)
    .join("|"),
);

/** The settings of section 4.5 that are well formed, in order; the others are dropped, as section 6.3 asks. */
function validSettings(text: string): string {
  const words = text.split(/[ \t]+/).slice(0, 16);
  return words.filter((word) => SETTING.test(word) && !percentagesOver100(word)).join(" ");
}

const percentagesOver100 = (word: string): boolean =>
  [...word.matchAll(/([\d.]+)%/g)].some((match) => Number(match[1]) > 100);

function parseTimestampMap(line: string): TimestampMap | null {
  const mpegts = /[=,]MPEGTS:(\d{1,16})(?=,|$)/.exec(line)?.[1];
  const localMs = parseTime(/[=,]LOCAL:([\d:.]+)(?=,|$)/.exec(line)?.[1] ?? "", false);
  return mpegts === undefined || localMs === null ? null : { mpegts: Number(mpegts), localMs };
}

/** What X-TIMESTAMP-MAP adds to cue times so that they count from MPEG-2 time zero, in milliseconds. */
export function timestampMapOffsetMs(map: TimestampMap): number {
  return Math.round(map.mpegts / 90) - map.localMs;
}

/**
 * Reads SubRip (.srt), which has no standard: the cue number and the blank line before it may be missing, the text may
 * be Windows-1252 or UTF-16, tags are a little HTML and `{\an8}`. Throws FormatError where no cue can be found.
 */
export function parseSrt(input: Uint8Array | string, options: CaptionParseOptions = {}): CaptionDocument {
  const lines = toLines("srt", input, options, decodeGuess);
  const out = new Collector("srt", options);
  let at = 0;
  while (at < lines.length) {
    if (!lines[at]?.includes("-->")) {
      at++;
      continue;
    }
    const timing = at++;
    const from = at;
    while (at < lines.length && !lines[at]?.includes("-->")) at++;
    // The next cue's number is the last line before its time line, whether or not a blank line precedes it.
    let end = at;
    if (at < lines.length && /^\d+$/.test((lines[end - 1] ?? "").trim())) end--;
    const payload = lines.slice(from, end).join("\n").trim();
    const times = parseTimes(lines[timing] ?? "", true);
    if (times === null || payload === "" || payload.length > LIMITS.cueChars) {
      out.warn(timing, "a cue with broken times, no text or too much of it is skipped");
      continue;
    }
    const top = /\{\\an?([789])\}/.test(payload);
    out.add({
      id: null,
      startMs: times.startMs,
      endMs: times.endMs,
      settings: top ? "line:0" : "",
      text: sanitizeCueText(payload.replace(/\{\\[^}]{0,64}\}/g, "").replace(/\n{2,}/g, "\n")),
    });
  }
  if (out.cues.length === 0)
    throw new FormatError("srt", "the file holds no cue with a time line 'hh:mm:ss,ttt --> …'");
  return out.document(null);
}

/** `00:01:02.345`. Hours are always written: LOCAL of X-TIMESTAMP-MAP and old players want them. */
export function formatTimestamp(timeMs: number): string {
  const ms = Math.max(0, Math.round(timeMs));
  const two = (value: number): string => String(value).padStart(2, "0");
  const wholeS = Math.floor(ms / 1000);
  const clock = `${two(Math.floor(wholeS / 3600))}:${two(Math.floor(wholeS / 60) % 60)}:${two(wholeS % 60)}`;
  return `${clock}.${String(ms % 1000).padStart(3, "0")}`;
}

/** A whole WebVTT file; `parseWebvtt` reads the same cues back. */
export function writeWebvtt(document: Pick<CaptionDocument, "cues"> & Partial<CaptionDocument>): string {
  return writeFile(document.cues, document, document.timestampMap ?? null);
}

function writeFile(cues: readonly Cue[], blocks: Partial<CaptionDocument>, map: TimestampMap | null): string {
  let out = "WEBVTT\n";
  if (map !== null) out += `X-TIMESTAMP-MAP=MPEGTS:${map.mpegts},LOCAL:${formatTimestamp(map.localMs)}\n`;
  for (const style of blocks.styles ?? []) out += `\nSTYLE\n${style}\n`;
  for (const region of blocks.regions ?? []) out += `\nREGION\n${region}\n`;
  for (const cue of cues) {
    out += "\n";
    if (cue.id !== null && cue.id !== "" && !/-->|[\r\n]/.test(cue.id)) out += `${cue.id}\n`;
    const settings = cue.settings === "" ? "" : ` ${cue.settings}`;
    out += `${formatTimestamp(cue.startMs)} --> ${formatTimestamp(cue.endMs)}${settings}\n${cue.text}\n`;
  }
  return out;
}

export interface WebvttSegment {
  readonly text: string;
  readonly durationS: number;
}

export interface WebvttSegmentOptions {
  /** How long the presentation lasts; the last segment ends there. */
  readonly totalS: number;
  /** Default 6, as the media segments. */
  readonly segmentS?: number;
  /** Where presentation time zero lies in the media's own timestamps, in 90 kHz ticks. Default 0. */
  readonly mpegts?: number;
}

/**
 * Cuts a document into WebVTT segments for HLS (RFC 8216, section 3.5) and DASH. Cue times stay those of the
 * presentation; a cue that crosses a border is in every segment that it touches, whole, so that players which join in
 * the middle show it and players which read both see the same cue twice and keep one.
 *
 * X-TIMESTAMP-MAP maps local zero to `mpegts`. HLS players need it. In DASH, times count from the start of the Period and
 * the header line is unknown metadata: Shaka and dash.js read it for HLS only.
 */
export function segmentWebvtt(document: CaptionDocument, options: WebvttSegmentOptions): WebvttSegment[] {
  const segmentMs = Math.round((options.segmentS ?? 6) * 1000);
  const totalMs = Math.round(options.totalS * 1000);
  const count = Math.ceil(totalMs / segmentMs);
  if (!(segmentMs > 0) || !(totalMs > 0) || count > 100_000) {
    throw new RangeError(
      `${options.totalS} s cannot be cut into pieces of ${options.segmentS ?? 6} s (at most 100000 pieces)`,
    );
  }
  const pieces: Cue[][] = Array.from({ length: count }, () => []);
  const shiftMs = document.timestampMap === null ? 0 : timestampMapOffsetMs(document.timestampMap);
  for (const cue of document.cues) {
    const shifted = {
      ...cue,
      startMs: Math.max(0, cue.startMs + shiftMs),
      endMs: Math.min(totalMs, cue.endMs + shiftMs),
    };
    if (shifted.endMs <= shifted.startMs) continue;
    const last = Math.min(count - 1, Math.ceil(shifted.endMs / segmentMs) - 1);
    for (let index = Math.floor(shifted.startMs / segmentMs); index <= last; index++) pieces[index]?.push(shifted);
  }
  const map: TimestampMap = { mpegts: options.mpegts ?? 0, localMs: 0 };
  return pieces.map((cues, index) => ({
    text: writeFile(cues, document, map),
    durationS: (Math.min(totalMs, (index + 1) * segmentMs) - index * segmentMs) / 1000,
  }));
}

function toLines(
  format: string,
  input: Uint8Array | string,
  options: CaptionParseOptions,
  decode: (bytes: Uint8Array) => string,
): string[] {
  const sizeMax = options.sizeBytesMax ?? LIMITS.sizeBytes;
  if (input.length > sizeMax)
    throw new FormatError(format, `the file has ${input.length} bytes; at most ${sizeMax} are allowed`);
  const text = typeof input === "string" ? input : decode(input);
  // Section 6.1: U+0000 becomes U+FFFD, and every line end becomes LF.
  return text
    .replace(/^\uFEFF/, "")
    .replaceAll("\0", "\uFFFD")
    .split(/\r\n|\n|\r/);
}

const decodeUtf8 = (bytes: Uint8Array): string => new TextDecoder("utf-8").decode(bytes);

function decodeGuess(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // What is not UTF-8 is, in nearly all old files of the West, Windows-1252, where every byte has a meaning.
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
