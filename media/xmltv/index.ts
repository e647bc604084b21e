/**
 * XMLTV (https://github.com/XMLTV/xmltv/blob/master/xmltv.dtd), in, as it comes: bytes in pieces, channels and programmes out.
 *
 *   document  = <tv> *(channel | programme) </tv>
 *   channel   = <channel id> display-name* icon* url* </channel>
 *   programme = <programme start [stop] channel [clumpidx]> title* sub-title* desc* credits? … </programme>
 *
 * Guides come from strangers, are large and are often a little wrong. Memory is bounded whatever comes: no text, tag, list, nesting or
 * number of channels beyond a limit. A document type may be named and is never fetched; one that declares entities is refused, because
 * nothing that is a guide needs them and a bomb does. What can be read in spite of a fault is read and the fault is told; what breaks the
 * structure throws FormatError.
 */
import { SaxesParser } from "saxes";
import { FormatError } from "#media/format";
import { type Decoder, openDecoder } from "./decode.ts";
import { type Build, buildChannel, buildProgramme, type Collected, newCollected, take } from "./elements.ts";
import type { Channel, FindingCode, Programme } from "./model.ts";
import { readTime } from "./time.ts";

export { numberingOf, type Numbering, parseProgramId } from "./episode.ts";
export type { Channel, FindingCode, LocalText, Programme } from "./model.ts";
export { isZone } from "./time.ts";

export interface XmltvReader {
  /** Takes the next bytes. Throws FormatError where the document cannot go on. */
  write(bytes: Uint8Array): void;
  /** Says that nothing more comes. Throws FormatError where the document is not whole. */
  end(): void;
}

export interface XmltvOptions {
  /** IANA name of the zone of times without one. UTC, as the DTD says, unless it is given. */
  readonly zone?: string;
  onChannel(channel: Channel): void;
  onProgramme(programme: Programme): void;
  /** `detail` says where and what, in a few words. */
  onFinding(code: FindingCode, detail: string): void;
}

const PIECE_CHARS = 64 * 1024;
/** So much may come without a tag or a text that ends: a description has some hundred characters. */
const TOKEN_CHARS_MAX = 1024 * 1024;
const DEPTH_MAX = 32;
const CHANNELS_MAX = 50_000;
const ID_CHARS_MAX = 300;
const MENDED_MAX = 10_000;

/** Faults that leave the structure whole: a character that may not be there, an entity that nobody declared, a sloppy attribute. */
const MENDABLE =
  /disallowed character\.$|undefined entity|empty entity name|malformed character entity|duplicate attribute|unquoted attribute value|no whitespace between attributes|"\]\]>" is disallowed|encoding value must match|an XML declaration must be at the start/;

export function openXmltvReader(options: XmltvOptions): XmltvReader {
  const { zone = "UTC", onFinding } = options;
  const parser = new SaxesParser({ xmlns: false, position: true });
  const state = { depth: 0, sinceToken: 0, mended: 0, hasRoot: false };
  /** When what came last on a channel ended, for times that are twice a year two. */
  const lastMs = new Map<string, number>();
  const declared = new Set<string>();
  let current: { readonly kind: "channel" | "programme"; readonly collected: Collected } | undefined;

  const where = (): string => `line ${parser.line}`;
  const build: Build = { find: (code, detail) => onFinding(code, `${where()}: ${detail.slice(0, 200)}`) };
  const decoder: Decoder = openDecoder({
    onBroken: (count) => {
      for (let i = 0; i < count; i++) build.find("encoding_broken", "bytes that are no characters");
    },
    onMismatch: (name) => build.find("encoding_mismatch", `declared as ${name}, read as UTF-8`),
  });

  parser.on("error", (error) => {
    if (!MENDABLE.test(error.message)) throw new FormatError("xmltv", sentence(error.message));
    if (++state.mended > MENDED_MAX)
      throw new FormatError("xmltv", `more than ${MENDED_MAX} faults of XML, the last one ${sentence(error.message)}`);
    build.find("xml_mended", error.message.replace(/^\d+:\d+: /, ""));
  });
  parser.on("doctype", (text) => {
    state.sinceToken = 0;
    if (/<!ENTITY/i.test(text))
      throw new FormatError("xmltv", "the document type declares entities, which no guide needs: take them out");
  });
  parser.on("opentag", ({ name, attributes }) => {
    state.sinceToken = 0;
    if (++state.depth > DEPTH_MAX) throw new FormatError("xmltv", `${where()}: elements nest deeper than ${DEPTH_MAX}`);
    if (state.depth === 1) {
      if (name !== "tv")
        throw new FormatError(
          "xmltv",
          `the root element is '${name.slice(0, 40)}', not 'tv': this is no XMLTV document`,
        );
      state.hasRoot = true;
    } else if (state.depth === 2) {
      current =
        name === "channel" || name === "programme" ? { kind: name, collected: newCollected(attributes) } : undefined;
    } else if (current) {
      current.collected.path.push({ name, attributes, text: "" });
    }
  });
  const onText = (text: string): void => {
    state.sinceToken = 0;
    const open = current?.collected.path.at(-1);
    if (open) open.text += text;
  };
  parser.on("text", onText);
  parser.on("cdata", onText);
  // No more handlers than six: each is a property that is added by its computed name, and beyond a dozen of those V8 keeps the parser's
  // properties in a dictionary, which makes it five times slower.
  parser.on("closetag", () => {
    state.sinceToken = 0;
    state.depth--;
    if (!current) return;
    if (state.depth >= 2) return take(current.collected, build);
    const { kind, collected } = current;
    current = undefined;
    if (kind === "channel") finishChannel(collected);
    else finishProgramme(collected);
  });

  function finishChannel(collected: Collected): void {
    const id = (collected.attributes["id"] ?? "").trim();
    if (id === "" || id.length > ID_CHARS_MAX) return build.find("channel_without_id", `id '${id.slice(0, 40)}'`);
    if (declared.has(id)) return build.find("channel_repeated", `id '${id}'`);
    if (declared.size >= CHANNELS_MAX) throw new FormatError("xmltv", `more than ${CHANNELS_MAX} channels`);
    declared.add(id);
    options.onChannel(buildChannel(id, collected));
  }

  function finishProgramme(collected: Collected): void {
    const channelId = (collected.attributes["channel"] ?? "").trim();
    if (channelId === "" || channelId.length > ID_CHARS_MAX)
      return build.find("programme_without_channel", `channel '${channelId.slice(0, 40)}'`);
    const times = readTimes(collected, channelId);
    if (!times) return;
    if (!lastMs.has(channelId) && lastMs.size >= CHANNELS_MAX)
      throw new FormatError("xmltv", `programmes of more than ${CHANNELS_MAX} channels`);
    lastMs.set(channelId, times.stopMs ?? times.startMs);
    if (collected.titles.length === 0) build.find("programme_without_title", `on '${channelId}'`);
    options.onProgramme(buildProgramme(channelId, times, collected, zone));
  }

  /**
   * Where a time stands for two instants, because clocks were put back, the programme is the one that does not begin before what came
   * before it on its channel has ended.
   */
  function readTimes(collected: Collected, channelId: string): { startMs: number; stopMs: number | null } | undefined {
    const { start, stop } = collected.attributes;
    if (start === undefined || start.trim() === "") {
      build.find("time_missing", `a programme of '${channelId}' has no start`);
      return undefined;
    }
    const starts = instantsOf(start);
    if (!starts) return undefined;
    const afterMs = lastMs.get(channelId) ?? Number.NEGATIVE_INFINITY;
    const startMs = starts.find((at) => at >= afterMs) ?? starts[0] ?? 0;
    const stops = stop === undefined || stop.trim() === "" ? [] : (instantsOf(stop) ?? []);
    const stopMs = stops.find((at) => at >= startMs) ?? null;
    if (stops.length > 0 && stopMs === null)
      build.find("duration_negative", `'${start}' to '${stop ?? ""}' on '${channelId}'`);
    return { startMs, stopMs };
  }

  function instantsOf(text: string): readonly number[] | undefined {
    const read = readTime(text, zone);
    if (!read) {
      build.find("time_unreadable", `'${text}' is no time such as 20261126201500 +0100`);
      return undefined;
    }
    if (read.unknownZone !== null)
      build.find("zone_unknown", `zone '${read.unknownZone}' of '${text}', taken as ${zone}`);
    return read.instantsMs;
  }

  function feed(text: string): void {
    for (let at = 0; at < text.length; at += PIECE_CHARS) {
      const piece = text.slice(at, at + PIECE_CHARS);
      state.sinceToken += piece.length;
      parser.write(piece);
      if (state.sinceToken > TOKEN_CHARS_MAX)
        throw new FormatError("xmltv", `${where()}: ${TOKEN_CHARS_MAX} characters without a tag, which no guide has`);
    }
  }

  return {
    write: (bytes) => feed(decoder.write(bytes)),
    end() {
      feed(decoder.end());
      parser.close();
      if (!state.hasRoot) throw new FormatError("xmltv", "the document is empty");
    },
  };
}

/** `12:7: unclosed tag: tv` as a person says it. */
function sentence(message: string): string {
  const [, line, column, what = message] = /^(\d+):(\d+): (.*)$/s.exec(message) ?? [];
  const said = what.replace(/\.$/, "").slice(0, 200);
  return line === undefined ? said : `line ${line}, column ${column}: ${said}`;
}
