import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { FormatError } from "#media/format";
import { readTarGz, readZip } from "./index.ts";

function tarOf(files: readonly (readonly [string, Buffer])[]): Buffer {
  const blocks = files.flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, "latin1");
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

function zipOf(files: readonly (readonly [string, Buffer, 0 | 8])[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, bytes, method] of files) {
    const packed = method === 8 ? deflateRawSync(bytes) : bytes;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(bytes.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    parts.push(local, Buffer.from(name), packed);
    directory.push(central, Buffer.from(name));
    at += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

const CONTENT = Buffer.from("some weights ".repeat(200));

test("single files come out of both kinds of archive, others stay in", () => {
  const wanted = new Set(["package/b.bin", "package/none.bin"]);
  const tar = readTarGz(
    tarOf([
      ["package/a.txt", Buffer.from("a")],
      ["package/b.bin", CONTENT],
    ]),
    wanted,
  );
  assert.deepEqual([...tar.keys()], ["package/b.bin"]);
  assert.deepEqual(Buffer.from(tar.get("package/b.bin") ?? []), CONTENT);
  for (const method of [0, 8] as const) {
    const zip = readZip(
      zipOf([
        ["package/a.txt", Buffer.from("a"), 0],
        ["package/b.bin", CONTENT, method],
      ]),
      wanted,
    );
    assert.deepEqual(Buffer.from(zip.get("package/b.bin") ?? []), CONTENT);
  }
});

test("an archive that is cut or turned over is an error and never anything else", () => {
  const whole = zipOf([["package/b.bin", CONTENT, 0]]);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
      const changed = Buffer.from(whole);
      changed[at] = value;
      for (const broken of [changed, whole.subarray(0, at)])
        try {
          readZip(broken, new Set(["package/b.bin"]));
        } catch (error) {
          const isSaid = error instanceof FormatError || (error instanceof Error && "code" in error);
          assert.ok(isSaid, String(error));
        }
    }),
  );
  assert.throws(() => readZip(Buffer.from("nothing of the kind, at length"), new Set()), FormatError);
});
