/**
 * The CEA-608 decoder (CEA-608-E, section 6 and annex C): pop-on, roll-up and paint-on captions of the four channels.
 *
 *   pair      = characters | control
 *   control   = first byte 10-1F; bit 08 selects the second channel of the field; sent twice, obeyed once
 *   PAC       = 10-17 40-7F: row, and indent or colour        mid-row  = 11 20-2F: colour, italics, underline
 *   special   = 11 30-3F    extended = 12-13 20-3F, replaces the character before it
 *   command   = 14|15 20-2F: RCL BS DER RU2 RU3 RU4 RDC TR RTD EDM CR ENM EOC       tab = 17 21-23
 */
import type { Cue } from "#media/webvtt";
import { sanitizeCueText } from "#media/webvtt";
import { EXTENDED_1, EXTENDED_2, SPECIAL, standardCharacter } from "./characters.ts";
import { COLUMNS, PLAIN, ROWS, Screen, type Style } from "./screen.ts";
import type { CcPair } from "./sei.ts";

export type Cea608Channel = "CC1" | "CC2" | "CC3" | "CC4";
export type Cea608Captions = Readonly<Record<Cea608Channel, readonly Cue[]>>;

export interface CcPacket {
  /** Presentation time of the picture that carried the pairs, in milliseconds. */
  readonly timeMs: number;
  readonly pairs: readonly CcPair[];
}

export interface Cea608Options {
  /** When what is still on the screen at the end disappears. Default: 4 s after the last packet. */
  readonly endMs?: number;
  /**
   * `strict` shows characters with wrong parity as a block and ignores such controls, as CEA-608-E 6.4.1 asks; `ignore`
   * trusts every byte. Default `auto`: strict, unless so many bytes are wrong (over 2 %) that the encoder never set it:
   * a channel of today has no noise.
   */
  readonly parity?: "auto" | "strict" | "ignore";
}

const COLOURS = ["white", "green", "blue", "cyan", "red", "yellow", "magenta"] as const;
/** First byte (without the channel bit) less 10, and whether the second has bit 20: the row, counted from 0. */
const PAC_ROWS: readonly (readonly [number, number])[] = [
  [10, 10],
  [0, 1],
  [2, 3],
  [11, 12],
  [13, 14],
  [4, 5],
  [6, 7],
  [8, 9],
];
const CUES_MAX = 50_000;
/** Roll-up and paint-on text that appears after such a pause is a new cue; faster changes belong to the one on screen. */
const PAUSE_MS = 500;
const CHANNELS = ["CC1", "CC2", "CC3", "CC4"] as const;

/** Decodes packets, in any order, to cues. Never throws for what pairs hold: line 21 is noise until proven text. */
export function decodeCea608(packets: readonly CcPacket[], options: Cea608Options = {}): Cea608Captions {
  const sorted = packets.toSorted((a, b) => a.timeMs - b.timeMs);
  const strict = options.parity === "strict" || (options.parity !== "ignore" && parityLooksSet(sorted));
  const channels = { CC1: new Channel(), CC2: new Channel(), CC3: new Channel(), CC4: new Channel() };
  const fields = [new Field(channels.CC1, channels.CC2), new Field(channels.CC3, channels.CC4)] as const;
  for (const packet of sorted) {
    for (const pair of packet.pairs) fields[pair.field === 1 ? 0 : 1].pair(pair, Math.round(packet.timeMs), strict);
  }
  const lastMs = Math.round(sorted.at(-1)?.timeMs ?? 0);
  const endMs = Math.max(lastMs, Math.round(options.endMs ?? lastMs + 4000));
  for (const name of CHANNELS) channels[name].finish(endMs);
  return { CC1: channels.CC1.cues, CC2: channels.CC2.cues, CC3: channels.CC3.cues, CC4: channels.CC4.cues };
}

function hasOddParity(byte: number): boolean {
  let bits = byte;
  bits ^= bits >> 4;
  bits ^= bits >> 2;
  bits ^= bits >> 1;
  return (bits & 1) === 1;
}

function parityLooksSet(packets: readonly CcPacket[]): boolean {
  let bytes = 0;
  let wrong = 0;
  for (const packet of packets) {
    for (const { byte1, byte2 } of packet.pairs) {
      // Padding tells nothing: some encoders write it as 80 80, others as 00 00, whatever they do elsewhere.
      if (((byte1 | byte2) & 0x7f) === 0) continue;
      bytes += 2;
      wrong += Number(!hasOddParity(byte1)) + Number(!hasOddParity(byte2));
    }
  }
  return wrong * 50 <= bytes;
}

/** One field of line 21: two channels share it, and XDS interrupts the second field. */
class Field {
  private readonly channels: readonly [Channel, Channel];
  private active: Channel;
  private lastControl = 0;
  private inXds = false;

  constructor(first: Channel, second: Channel) {
    this.channels = [first, second];
    this.active = first;
  }

  pair(pair: CcPair, timeMs: number, strict: boolean): void {
    const good1 = !strict || hasOddParity(pair.byte1);
    const good2 = !strict || hasOddParity(pair.byte2);
    const byte1 = pair.byte1 & 0x7f;
    const byte2 = pair.byte2 & 0x7f;
    if (byte1 === 0 && byte2 === 0) return;
    if (good1 && byte1 >= 0x10 && byte1 <= 0x1f) {
      this.inXds = false;
      const control = (byte1 << 8) | byte2;
      const repeated = control === this.lastControl;
      // A pair is doubled once: the third in a row is a new command (CEA-608-E, D.2).
      this.lastControl = repeated ? 0 : control;
      if (repeated || !good2) return;
      this.active = this.channels[(byte1 & 0x08) === 0 ? 0 : 1];
      this.active.control(byte1 & 0x17, byte2, timeMs);
      return;
    }
    this.lastControl = 0;
    // 01-0F open and close XDS packets, the programme's data: their bytes are no captions.
    if (good1 && byte1 > 0 && byte1 < 0x10) this.inXds = byte1 !== 0x0f;
    else if (!this.inXds) {
      if (byte1 >= 0x20 || !good1) this.active.character(good1 ? standardCharacter(byte1) : "█", timeMs);
      if (byte2 >= 0x20 || !good2) this.active.character(good2 ? standardCharacter(byte2) : "█", timeMs);
    }
  }
}

class Channel {
  readonly cues: Cue[] = [];
  private displayed = new Screen();
  private hidden = new Screen();
  private mode: "none" | "pop" | "roll" | "paint" | "text" = "none";
  private row = ROWS - 1;
  private column = 0;
  private style: Style = PLAIN;
  private rollHeight = 2;
  /** Since when the screen shows what it shows, and when it last changed. */
  private shownMs = 0;
  private changedMs = 0;

  character(character: string, timeMs: number): void {
    if (this.mode === "none" || this.mode === "text") return;
    if (this.mode !== "pop") {
      if (timeMs - this.changedMs > PAUSE_MS || this.displayed.isEmpty) this.cut(timeMs);
      this.changedMs = timeMs;
    }
    this.screen.put(this.row, this.column, { character, style: this.style });
    // Past the last column, the last character is replaced (CEA-608-E, C.11).
    this.column = Math.min(COLUMNS - 1, this.column + 1);
  }

  control(byte1: number, byte2: number, timeMs: number): void {
    if (byte2 >= 0x40) this.address(byte1, byte2, timeMs);
    else if (byte1 === 0x11 && byte2 >= 0x30) this.character(SPECIAL[byte2 - 0x30] ?? " ", timeMs);
    else if (byte1 === 0x11 && byte2 >= 0x20) this.midRow(byte2, timeMs);
    else if ((byte1 === 0x12 || byte1 === 0x13) && byte2 >= 0x20) {
      // The character before it is the nearest that old decoders have.
      this.backspace();
      this.character((byte1 === 0x12 ? EXTENDED_1 : EXTENDED_2)[byte2 - 0x20] ?? " ", timeMs);
    } else if (byte1 === 0x17 && byte2 >= 0x21 && byte2 <= 0x23) {
      this.column = Math.min(COLUMNS - 1, this.column + byte2 - 0x20);
    } else if ((byte1 === 0x14 || byte1 === 0x15) && byte2 >= 0x20 && byte2 <= 0x2f) this.command(byte2, timeMs);
    // The rest are background colours, which players choose themselves.
  }

  finish(endMs: number): void {
    this.cut(endMs);
  }

  private get screen(): Screen {
    return this.mode === "pop" ? this.hidden : this.displayed;
  }

  private address(byte1: number, byte2: number, timeMs: number): void {
    const rows = PAC_ROWS[byte1 & 0x07];
    const row = rows?.[(byte2 & 0x20) === 0 ? 0 : 1] ?? ROWS - 1;
    if (this.mode === "roll" && row !== this.row) {
      this.cut(timeMs);
      this.displayed.moveWindow(this.row, Math.max(row, this.rollHeight - 1), this.rollHeight);
    }
    // A roll-up window that would reach above the first row is pushed down (CEA-608-E, C.4).
    this.row = this.mode === "roll" ? Math.max(row, this.rollHeight - 1) : row;
    const code = (byte2 & 0x0e) >> 1;
    const indented = (byte2 & 0x10) !== 0;
    this.column = indented ? code * 4 : 0;
    this.style = styleOf(indented ? 0 : code, byte2, PLAIN);
  }

  private midRow(byte2: number, timeMs: number): void {
    const code = (byte2 & 0x0e) >> 1;
    this.style = styleOf(code, byte2, this.style);
    // The attribute takes a cell, which shows as a space; the italics code keeps the colour.
    this.character(" ", timeMs);
  }

  private backspace(): void {
    if (this.column === 0) return;
    this.column--;
    this.screen.erase(this.row, this.column, this.column + 1);
  }

  private command(byte2: number, timeMs: number): void {
    switch (byte2) {
      case 0x20: // RCL
        this.mode = "pop";
        return;
      case 0x21: // BS
        this.backspace();
        return;
      case 0x24: // DER
        this.screen.erase(this.row, this.column);
        return;
      case 0x25: // RU2
      case 0x26: // RU3
      case 0x27: // RU4
        this.rollUp(byte2 - 0x23, timeMs);
        return;
      case 0x29: // RDC
        this.mode = "paint";
        return;
      case 0x2a: // TR
      case 0x2b: // RTD
        this.mode = "text";
        return;
      case 0x2c: // EDM
        this.cut(timeMs);
        this.displayed.clear();
        return;
      case 0x2d: // CR
        if (this.mode !== "roll") return;
        this.cut(timeMs);
        this.displayed.rollUp(this.row, this.rollHeight);
        this.column = 0;
        this.style = PLAIN;
        return;
      case 0x2e: // ENM
        this.hidden.clear();
        return;
      case 0x2f: // EOC
        this.cut(timeMs);
        [this.displayed, this.hidden] = [this.hidden, this.displayed];
        this.mode = "pop";
        return;
      default:
        // Reserved codes, and FON: flashing text is nothing that a player of today should do.
        return;
    }
  }

  private rollUp(height: number, timeMs: number): void {
    if (this.mode !== "roll") {
      // CEA-608-E, C.6: entering roll-up from another style clears both memories and begins on the last row.
      this.cut(timeMs);
      this.displayed.clear();
      this.hidden.clear();
      this.row = ROWS - 1;
      this.column = 0;
      this.style = PLAIN;
    } else if (height < this.rollHeight) {
      // Rows above a window that shrinks are gone.
      this.cut(timeMs);
      this.displayed.moveWindow(this.row, this.row, height);
    }
    this.mode = "roll";
    this.rollHeight = height;
  }

  /** What is on the screen was there until now: a cue, if it says anything. */
  private cut(timeMs: number): void {
    const shown = this.displayed.isEmpty ? null : this.displayed.render();
    const startMs = this.shownMs;
    this.shownMs = timeMs;
    this.changedMs = timeMs;
    if (shown === null || timeMs <= startMs) return;
    const text = sanitizeCueText(shown.text);
    const last = this.cues.at(-1);
    if (last !== undefined && last.endMs === startMs && last.text === text && last.settings === shown.settings) {
      this.cues[this.cues.length - 1] = { ...last, endMs: timeMs };
    } else if (text !== "" && this.cues.length < CUES_MAX) {
      this.cues.push({ id: null, startMs, endMs: timeMs, settings: shown.settings, text });
    }
  }
}

/** Colours 0 to 6; 7 is italics, which leave the colour as it was. */
function styleOf(code: number, byte2: number, before: Style): Style {
  const underline = (byte2 & 0x01) !== 0;
  if (code === 7) return { colour: before.colour, italic: true, underline };
  return { colour: COLOURS[code] ?? "white", italic: false, underline };
}
