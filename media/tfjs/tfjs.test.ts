import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "#media/format";
import { readBundledJson, readGraphModel } from "./index.ts";

const manifest = (weights: readonly object[]) => ({ modelTopology: { node: [] }, weightsManifest: [{ weights }] });

test("weights are read as they are kept: whole, as 8 bits with a scale, as 16-bit floats", () => {
  const bytes = Buffer.alloc(4 + 2 + 2);
  bytes.writeFloatLE(1.5, 0);
  bytes.set([0, 10], 4);
  bytes.writeUInt16LE(0x3c00, 6);
  const { weights } = readGraphModel(
    manifest([
      { name: "a", shape: [1], dtype: "float32" },
      { name: "b", shape: [2], dtype: "float32", quantization: { dtype: "uint8", min: -1, scale: 0.25 } },
      { name: "c", shape: [], dtype: "float32", quantization: { dtype: "float16" } },
    ]),
    bytes,
  );
  assert.deepEqual(
    [...weights.values()].map(({ values }) => [...values]),
    [[1.5], [-1, 1.5], [1]],
  );
});

test("weights beyond the end and topologies of another form are refused", () => {
  assert.throws(
    () => readGraphModel(manifest([{ name: "a", shape: [9], dtype: "float32" }]), Buffer.alloc(8)),
    /'a' go beyond/,
  );
  assert.throws(() => readGraphModel({ format: "layers" }, Buffer.alloc(0)), FormatError);
});

test("a bundle's object is read without running it", () => {
  const script =
    'e.exports={format:"graph-model",list:[{a:.5,b:-.25,c:!0,d:!1,"e f":"x:y,{z:1}\\"",n:12.5}]}},{}]},{},[1])(1)});';
  assert.deepEqual(readBundledJson(script, "{format:"), {
    format: "graph-model",
    list: [{ a: 0.5, b: -0.25, c: true, d: false, "e f": 'x:y,{z:1}"', n: 12.5 }],
  });
  for (const broken of ["e.exports={format:1", "e.exports={format:f()}", "nothing"])
    assert.throws(() => readBundledJson(broken, "{format:"), FormatError);
});
