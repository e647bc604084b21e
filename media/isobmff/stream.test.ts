import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import { concatBytes, createFragmentStream, type Streamed, type TrackInit, writeInit, writeSegment } from "./index.ts";

const track: TrackInit = {
  ...{ kind: "audio", trackId: 1, timescale: 48_000, language: "en", codec: "mp4a.40.2", editMediaTimeTicks: 0 },
  ...{ sampleEntry: "mp4a", configType: "esds", entryBoxes: [], sinf: null, channels: 2, sampleRateHz: 48_000 },
  config: Uint8Array.from(
    Buffer.from("03808080220001000480808014401500000000010f2c00010f2c05808080021190068080800102", "hex"),
  ),
  defaults: { durationTicks: 0, sizeBytes: 0, flags: 0 },
};

/** A stream of fragments with one sample each, as an encoder writes it. */
function streamOf(sizes: readonly number[]): Uint8Array {
  const fragments = sizes.map((sizeBytes, index) => {
    const bytes = new Uint8Array(sizeBytes).fill(index);
    const samples = [{ offsetBytes: 0, sizeBytes, durationTicks: 1_024, compositionOffsetTicks: 0, isSync: true }];
    return writeSegment({
      ...{ kind: "audio", trackId: 1, sequence: index + 1, baseDecodeTimeTicks: index * 1_024, styp: index % 2 === 0 },
      chunks: [{ bytes, samples }],
    }).bytes;
  });
  return concatBytes([writeInit(track), ...fragments]);
}

const tell = (streamed: Streamed) =>
  streamed.kind === "init"
    ? streamed.track.codec
    : streamed.fragment.samples.map(({ offsetBytes, sizeBytes }) => [
        streamed.fragment.baseDecodeTimeTicks,
        Buffer.from(streamed.fragment.bytes.subarray(offsetBytes, offsetBytes + sizeBytes)).toString("hex"),
      ]);

test("property: whatever the pieces, the same comes out", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 60 }),
      (sizes, pieces) => {
        const all = streamOf(sizes);
        const stream = createFragmentStream();
        const told: unknown[] = [];
        for (let at = 0, turn = 0; at < all.length; turn++) {
          const end = at + (pieces[turn % pieces.length] ?? 1);
          told.push(...stream.push(all.subarray(at, end)).map(tell));
          at = end;
        }
        assert.deepEqual(told, createFragmentStream().push(all).map(tell));
        assert.equal(told.length, sizes.length + 1);
      },
    ),
  );
});

test("property: anything else is a FormatError or waits for more", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        createFragmentStream().push(bytes);
      } catch (error) {
        assert.ok(error instanceof FormatError);
      }
    }),
  );
});

test("media data without a header are refused", () => {
  const [, ...rest] = [writeInit(track), streamOf([4])];
  const headless = concatBytes(rest).subarray(writeInit(track).length);
  assert.throws(() => createFragmentStream().push(headless), /without a header/);
});
