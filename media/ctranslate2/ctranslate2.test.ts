import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "#media/format";
import { readCtranslate2 } from "./index.ts";

const u = (bytes: 1 | 2 | 4, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes);
  return buffer;
};
const text = (value: string): Buffer => Buffer.concat([u(2, value.length + 1), Buffer.from(`${value}\0`)]);
const variable = (name: string, shape: readonly number[], type: number, bytes: Buffer): Buffer =>
  Buffer.concat([
    text(name),
    u(1, shape.length),
    ...shape.map((side) => u(4, side)),
    u(1, type),
    u(4, bytes.length),
    bytes,
  ]);

const FILE = Buffer.concat([
  ...[u(4, 6), text("WhisperSpec"), u(4, 3), u(4, 2)],
  variable("decoder/weight", [2, 3], 4, Buffer.alloc(12, 7)),
  variable("heads", [], 2, u(2, 6)),
  ...[u(4, 1), text("decoder/projection"), text("decoder/weight")],
]);

test("variables come by their names, and by their other names", () => {
  const { spec, revision, variables } = readCtranslate2(FILE);
  assert.deepEqual([spec, revision, variables.size], ["WhisperSpec", 3, 3]);
  assert.deepEqual(variables.get("decoder/projection"), variables.get("decoder/weight"));
  assert.deepEqual(variables.get("heads"), { type: "int16", shape: [], bytes: u(2, 6) });
});

test("a file that is cut anywhere, of another version, or whose sizes differ, is refused with its place", () => {
  for (let length = 0; length < FILE.length; length += 1)
    assert.throws(() => readCtranslate2(FILE.subarray(0, length)), FormatError, `${length} bytes`);
  assert.throws(() => readCtranslate2(Buffer.concat([u(4, 9), FILE.subarray(4)])), /version 9 is not 6/);
  const wrong = Buffer.concat([u(4, 6), text("x"), u(4, 1), u(4, 1), variable("w", [2], 0, Buffer.alloc(4))]);
  assert.throws(() => readCtranslate2(wrong), /'w' has 4 bytes and the shape \[2\]/);
});
