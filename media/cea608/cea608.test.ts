import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseSrt, parseWebvtt, plainText, writeWebvtt } from "#media/webvtt";
import { type CcPacket, type CcPair, createCcExtractor, decodeCea608, pairsOfSei } from "./index.ts";

/** The byte with its parity bit, as transmitted. */
function odd(byte: number): number {
  let ones = 0;
  for (let bits = byte; bits > 0; bits >>= 1) ones += bits & 1;
  return ones % 2 === 0 ? byte | 0x80 : byte;
}

const pair = (byte1: number, byte2: number, field: 1 | 2 = 1): CcPair => ({
  field,
  byte1: odd(byte1),
  byte2: odd(byte2),
});

/** A script of one pair a frame, 100 ms apart: numbers are controls, sent twice as broadcasters do; strings are text. */
function script(...steps: (number | string | { waitMs: number })[]): CcPacket[] {
  const packets: CcPacket[] = [];
  let timeMs = 0;
  const send = (byte1: number, byte2: number): void => {
    packets.push({ timeMs, pairs: [pair(byte1, byte2)] });
    timeMs += 100;
  };
  for (const step of steps) {
    if (typeof step === "number") {
      send(step >> 8, step & 0xff);
      send(step >> 8, step & 0xff);
    } else if (typeof step === "string") {
      const codes = Buffer.from(step, "latin1");
      for (let at = 0; at < codes.length; at += 2) send(codes[at] ?? 0, codes[at + 1] ?? 0);
    } else timeMs += step.waitMs;
  }
  return packets;
}

const [RCL, BS, RU2, RDC, EDM, CR, ENM, EOC] = [0x1420, 0x1421, 0x1425, 0x1429, 0x142c, 0x142d, 0x142e, 0x142f];
/** Row 15 and row 1 without indent, in white. */
const [ROW15, ROW1] = [0x1460, 0x1140];
const texts = (packets: CcPacket[]): string[] => decodeCea608(packets).CC1.map((cue) => cue.text);

describe("CEA-608 decoder", () => {
  test("pop-on: text appears whole at EOC and goes at EDM", () => {
    const { CC1 } = decodeCea608(script(RCL, ENM, ROW15, "Hello", EOC, { waitMs: 1000 }, EDM));
    assert.deepEqual(CC1, [
      { id: null, startMs: 900, endMs: 2100, settings: "position:10%,line-left align:start", text: "Hello" },
    ]);
  });

  test("pop-on: one caption replaces the other, and the hidden memory keeps nothing", () => {
    assert.deepEqual(texts(script(RCL, ENM, ROW15, "one", EOC, RCL, ENM, ROW15, "two", EOC, { waitMs: 500 }, EDM)), [
      "one",
      "two",
    ]);
  });

  test("roll-up: a carriage return moves the line up, and the window holds no more than its rows", () => {
    const wait = { waitMs: 2000 };
    assert.deepEqual(texts(script(RU2, CR, ROW15, "a", wait, CR, ROW15, "b", wait, CR, ROW15, "c", wait, EDM)), [
      "a",
      "a\nb",
      "b\nc",
    ]);
  });

  test("paint-on: what appears after a pause begins a new cue", () => {
    const { CC1 } = decodeCea608(script(RDC, ROW15, "ab", { waitMs: 2000 }, "cd", { waitMs: 1000 }, EDM));
    assert.deepEqual(
      CC1.map((cue) => [cue.startMs, cue.text]),
      [
        [400, "ab"],
        [2500, "abcd"],
      ],
    );
  });

  test("has special and extended characters, and backspace", () => {
    assert.deepEqual(texts(script(RCL, ROW15, 0x1137, 0x1132, "e", 0x1221, "nX", BS, "\x5c*", EOC, EDM)), ["♪½Énéá"]);
  });

  test("has colours, italics and underlines, and escapes what WebVTT would take for markup", () => {
    assert.deepEqual(texts(script(RCL, 0x146a, "<a>&", 0x112e, "i", 0x1121, "u", EOC, EDM)), [
      "<c.yellow>&lt;a&gt;&amp; </c><c.yellow><i>i </i></c><u>u</u>",
    ]);
  });

  test("puts captions where they were", () => {
    const settings = (row: number, text: string): string | undefined =>
      decodeCea608(script(RCL, row, text, EOC, EDM)).CC1[0]?.settings;
    assert.equal(settings(ROW1, "top left"), "line:10% position:10%,line-left align:start");
    // Row 15, indented by 12: centred, at the bottom, which is where players put cues anyway.
    assert.equal(settings(0x1476, "in mid"), "");
  });

  test("tells channels and fields apart, and leaves out XDS and text mode", () => {
    const send = (timeMs: number, ...pairs: CcPair[]): CcPacket => ({ timeMs, pairs });
    const captions = decodeCea608([
      send(0, pair(0x1c, 0x20), pair(0x15, 0x20, 2)),
      send(100, pair(0x41, 0x42), pair(0x43, 0x44, 2)),
      send(200, pair(0x1c, 0x2f), pair(0x01, 0x03, 2)),
      send(300, pair(0x14, 0x2b), pair(0x58, 0x44, 2)),
      send(400, pair(0x54, 0x54), pair(0x0f, 0x11, 2)),
      send(500, pair(0x14, 0x2c), pair(0x15, 0x2f, 2)),
    ]);
    assert.deepEqual([captions.CC1, captions.CC4], [[], []]);
    assert.deepEqual([captions.CC2.map((cue) => cue.text), captions.CC3.map((cue) => cue.text)], [["AB"], ["CD"]]);
  });

  test("obeys a doubled control once, and puts packets in order of presentation", () => {
    // Two tab offsets of one column, each doubled, move by two columns in all.
    const packets = script(RCL, ROW15, "a", 0x1721, 0x1721, "b", EOC, EDM);
    assert.deepEqual(texts(packets), ["a  b"]);
    assert.deepEqual(decodeCea608(packets.toReversed()), decodeCea608(packets));
  });

  test("shows a block for wrong parity, unless the encoder never sets it", () => {
    const good = script(RCL, ROW15, "many words that", 0x1360, "are long enough to be sure of it", EOC, EDM);
    const broken = good.with(7, {
      timeMs: good[7]?.timeMs ?? 0,
      pairs: [{ field: 1, byte1: odd(0x41) ^ 0x80, byte2: odd(0x42) }],
    });
    assert.match(texts(broken)[0] ?? "", /█B/);
    const bare = good.map((packet) => ({
      ...packet,
      pairs: packet.pairs.map((p) => ({ ...p, byte1: p.byte1 & 0x7f, byte2: p.byte2 & 0x7f })),
    }));
    assert.deepEqual(texts(bare), texts(good));
  });

  test("makes well-formed cues of any noise", () => {
    const noise = fc.array(
      fc.record({
        timeMs: fc.integer({ min: 0, max: 60_000 }),
        pairs: fc.array(
          fc.record({
            field: fc.constantFrom<1 | 2>(1, 2),
            byte1: fc.oneof(fc.constantFrom(0x11, 0x12, 0x14, 0x17, 0x1c), fc.integer({ min: 0, max: 255 })),
            byte2: fc.oneof(fc.integer({ min: 0x20, max: 0x2f }), fc.integer({ min: 0, max: 255 })),
          }),
          { maxLength: 3 },
        ),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(noise, (packets) => {
        for (const cues of Object.values(decodeCea608(packets, { parity: "ignore" }))) {
          cues.forEach((cue, index) => {
            assert.ok(cue.endMs > cue.startMs && cue.startMs >= (cues[index - 1]?.endMs ?? 0));
          });
          assert.deepEqual(parseWebvtt(writeWebvtt({ cues })).cues, cues);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** An SEI NAL with caption pairs, emulation prevention included. */
function sei(pairs: readonly CcPair[], header: readonly number[]): number[] {
  const cc = pairs.flatMap((p) => [0xfc | (p.field - 1), p.byte1, p.byte2]);
  const payload = [0xb5, 0, 0x31, 0x47, 0x41, 0x39, 0x34, 3, 0x40 | pairs.length, 0xff, ...cc, 0xff];
  const body = [5, 2, 1, 1, 4, payload.length, ...payload, 0x80];
  const out: number[] = [];
  for (const byte of body) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return [...header, ...out];
}

const pairArbitrary: fc.Arbitrary<CcPair> = fc
  .tuple(fc.constantFrom<1 | 2>(1, 2), fc.constantFrom(0, 1, 3, 0x80, 0x41), fc.constantFrom(0, 1, 3, 0x80, 0x41))
  .map(([field, byte1, byte2]) => ({ field, byte1, byte2 }));

describe("caption data in SEI", () => {
  test("comes out of H.264 and HEVC as it went in, however the stream is cut into pieces", () => {
    const headers = {
      h264: { sei: [6], aud: [9, 0xf0], slice: [0x65, 1, 0, 0, 3, 1] },
      hevc: { sei: [0x4e, 1], aud: [0x46, 1, 0x50], slice: [0x26, 1, 7] },
    };
    fc.assert(
      fc.property(
        fc.constantFrom<"h264" | "hevc">("h264", "hevc"),
        fc.array(fc.array(pairArbitrary, { maxLength: 20 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 50 }),
        (codec, units, pieceBytes) => {
          const { aud, slice, sei: header } = headers[codec];
          const nal = (bytes: readonly number[]): number[] => [0, 0, 0, 1, ...bytes];
          const stream = Uint8Array.from(
            units.flatMap((pairs) => [...nal(aud), ...nal(sei(pairs, header)), ...nal(slice)]),
          );
          const extractor = createCcExtractor(codec);
          const out: CcPair[][] = [];
          for (let at = 0; at < stream.length; at += pieceBytes)
            out.push(...extractor.push(stream.subarray(at, at + pieceBytes)));
          out.push(...extractor.end());
          assert.deepEqual(out, units);
        },
      ),
    );
  });

  test("is passed over where it is broken, foreign or CEA-708", () => {
    const whole = sei([pair(0x41, 0x42)], [6]);
    assert.equal(pairsOfSei(Uint8Array.from(whole), "h264").length, 1);
    for (let length = 0; length < 14; length++)
      assert.deepEqual(pairsOfSei(Uint8Array.from(whole.slice(0, length)), "h264"), []);
    assert.deepEqual(pairsOfSei(Uint8Array.from(whole.map((byte) => (byte === 0x47 ? 0x48 : byte))), "h264"), []);
    assert.deepEqual(pairsOfSei(Uint8Array.from(whole.map((byte) => (byte === 0xfc ? 0xfe : byte))), "h264"), []);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => pairsOfSei(bytes, "hevc").length <= 31 * 100));
  });
});

const data = process.env["MARQUEE_TESTDATA"];
const ffmpeg = process.env["FFMPEG_PATH"] ?? "/usr/bin/ffmpeg";
const skip = data === undefined ? "MARQUEE_TESTDATA is not set" : existsSync(ffmpeg) ? false : `there is no ${ffmpeg}`;

function packetsOf(file: string): CcPacket[] {
  const stream = execFileSync(
    ffmpeg,
    [
      "-v",
      "error",
      "-i",
      file,
      "-map",
      "0:v:0",
      "-c",
      "copy",
      "-bsf:v",
      "h264_mp4toannexb,h264_metadata=aud=insert",
      "-f",
      "h264",
      "-",
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const listed = execFileSync(
    ffmpeg.replace(/ffmpeg$/, "ffprobe"),
    ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0", file],
    { encoding: "utf8" },
  );
  const timesS = listed.split("\n").flatMap((line) => (line.trim() === "" ? [] : [Number.parseFloat(line)]));
  const extractor = createCcExtractor("h264");
  const units = [...extractor.push(stream), ...extractor.end()];
  assert.equal(units.length, timesS.length);
  const zeroS = Math.min(...timesS);
  return units.map((pairs, index) => ({ pairs, timeMs: ((timesS[index] ?? 0) - zeroS) * 1000 }));
}

describe("captions of real video", { skip }, () => {
  test("are what ffmpeg reads", () => {
    const file = join(data ?? "", "video/sintel-10s-cea608.ts");
    const ours = decodeCea608(packetsOf(file), { endMs: 10_000 }).CC1;
    const reference = parseSrt(readFileSync(file.replace(/\.ts$/, ".reference.srt"))).cues;
    const visible = (cues: typeof reference): [number, string][] =>
      cues.map((cue) => [cue.startMs, plainText(cue.text)]);
    assert.deepEqual(visible(ours), visible(reference));
    // The last cue is still on the screen when the file ends; ffmpeg invents an end for it.
    assert.deepEqual(
      ours.slice(0, -1).map((cue) => cue.endMs),
      reference.slice(0, -1).map((cue) => cue.endMs),
    );
  });

  test("are told apart by channel", () => {
    const captions = decodeCea608(packetsOf(join(data ?? "", "captions/mux.js/multi-channel-608-captions.ts")), {
      endMs: 6100,
    });
    assert.match(captions.CC1.at(-1)?.text ?? "", /^PERIOD, FOLKS\.\nWE’RE LOSING TIME FROM QUESTION\nPERIOD\./);
    assert.match(captions.CC3.at(-1)?.text ?? "", /très courte, chers députés\.\nNous perdons du te/);
    assert.deepEqual([captions.CC2, captions.CC4], [[], []]);
  });
});
