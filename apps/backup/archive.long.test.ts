import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { type Entry, type Facts, pack, unpack } from "./archive.ts";
import { seal, unseal } from "./seal.ts";

const KEY = "sixteen letters or more";
const facts: Facts = {
  ...{ program: 1, createdAtMs: 1, hasMedia: true, hasLog: true },
  ...{ migrations: { user: ["0001_user.sql"] }, sequences: { "user.outbox_id_seq": 7 } },
};

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* entriesOf(files: readonly (readonly [string, Uint8Array])[]): AsyncGenerator<Entry> {
  for (const [name, bytes] of files) yield { name, content: pieces(bytes, 1_000) };
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

const packed = (files: readonly (readonly [string, Uint8Array])[]): Promise<Buffer> =>
  collect(pack(entriesOf(files), () => facts));

test("what was packed comes out as it was, however its bytes are cut", async () => {
  const file = fc.tuple(
    fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" }),
    fc.uint8Array({ maxLength: 5_000 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 5 }), fc.integer({ min: 1, max: 3_000 }), async (files, size) => {
      const named = files.map(([name, bytes], at) => [`${at}/${name}`, bytes] as const);
      const found: [string, Uint8Array][] = [];
      const manifest = await unpack(pieces(await packed(named), size), async ({ name, content }) => {
        found.push([name, new Uint8Array(await collect(content))]);
      });
      assert.deepEqual(found, named);
      assert.deepEqual(
        manifest.entries.map(({ name, bytes }) => [name, bytes]),
        named.map(([name, { length }]) => [name, length]),
      );
      assert.deepEqual({ ...manifest, entries: undefined }, { ...facts, entries: undefined });
    }),
    { numRuns: 40 },
  );
});

test("what is left unread of an entry is read over, and is verified all the same", async () => {
  const names: string[] = [];
  const bytes = await packed([
    ["a", randomBytes(5_000)],
    ["b", randomBytes(10)],
  ]);
  await unpack(pieces(bytes, 700), async ({ name, content }) => {
    names.push(name);
    for await (const _ of content) break;
  });
  assert.deepEqual(names, ["a", "b"]);
});

test("an archive that is cut off or changed is refused, wherever that is", async () => {
  const bytes = await packed([
    ["first", randomBytes(300)],
    ["second", randomBytes(300)],
  ]);
  for (let at = 0; at < bytes.length; at += 7) {
    await assert.rejects(unpack(pieces(bytes.subarray(0, at), 500)), /damaged/, `cut at ${at}`);
    // The manifest itself is guarded by the seal around.
    if (at >= bytes.lastIndexOf("manifest")) continue;
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0x80;
    await assert.rejects(unpack(pieces(changed, 500)), `changed at ${at}`);
  }
});

test("a sealed file opens with its key alone, at every length around a chunk", async () => {
  for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
    const plain = randomBytes(length);
    const sealed = await collect(seal(pieces(plain, 10_000), KEY));
    assert.deepEqual(await collect(unseal(pieces(sealed, 9_999), KEY)), plain);
    await assert.rejects(collect(unseal(pieces(sealed, 9_999), `${KEY}!`)), { reason: "wrong_key" });
  }
});

test("a sealed file that was changed, cut, or put together otherwise is refused", async () => {
  const sealed = await collect(seal(pieces(randomBytes(200_000), 50_000), KEY));
  const start = sealed.indexOf(10) + 1;
  const chunk = 65_536 + 16;
  const at = (number: number): Buffer => sealed.subarray(start + number * chunk, start + (number + 1) * chunk);
  const head = sealed.subarray(0, start);
  const flipped = (offset: number): Buffer => {
    const copy = Buffer.from(sealed);
    copy[offset] = (copy[offset] ?? 0) ^ 1;
    return copy;
  };
  const wrong = {
    "a bit of a chunk": flipped(start + chunk + 5),
    "a bit of the last tag": flipped(sealed.length - 1),
    "a number of the header": Buffer.concat([
      Buffer.from(head.toString().replace('"p":1', '"p":2')),
      sealed.subarray(start),
    ]),
    "the end missing": sealed.subarray(0, start + 2 * chunk),
    "a byte missing": sealed.subarray(0, -1),
    "chunks exchanged": Buffer.concat([head, at(1), at(0), at(2), at(3)]),
    "a chunk left out": Buffer.concat([head, at(0), at(2), at(3)]),
    "something behind": Buffer.concat([sealed, Buffer.from("x")]),
    "nothing at all": Buffer.alloc(0),
    "a header alone": head,
  };
  for (const [what, bytes] of Object.entries(wrong))
    await assert.rejects(collect(unseal(pieces(bytes, 40_000), KEY)), { code: "invalid_argument" }, what);
});

test("a file of another program or of a newer one is told apart, and a key that is too short is refused", async () => {
  const sealed = await collect(seal(pieces(Buffer.from("x"), 1), KEY));
  const newer = Buffer.from(sealed.toString("latin1").replace('"version":1', '"version":2'), "latin1");
  await assert.rejects(collect(unseal(pieces(newer, 100), KEY)), { reason: "newer_backup" });
  await assert.rejects(collect(unseal(pieces(Buffer.from("PK\u0003\u0004\n".repeat(300)), 100), KEY)), {
    reason: "no_backup",
  });
  await assert.rejects(collect(seal(pieces(Buffer.from("x"), 1), "too short")), /9 characters/);
});
