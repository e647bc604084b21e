// The commands around a backup; what is in one, and that it makes a product again, is tested in tests/privacy.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { problem } from "#kernel";
import { startTestAdmin, type TestAdmin } from "../admin/testing.ts";
import { type Entry, pack } from "../backup/archive.ts";

const entry = resolve(import.meta.dirname, "../marquee.ts");
const asked: boolean[] = [];
let breaksOff = false;
let folder: string;
let product: TestAdmin;

async function* entries(): AsyncGenerator<Entry> {
  yield { name: "rows/user/users", content: bytes("{}") };
  if (breaksOff) throw problem.exhausted("the disk is full: free some space");
}
async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "marquee-backups-"));
  await writeFile(join(folder, "key"), "0123456789abcdef\n");
  product = await startTestAdmin({
    backup: ({ withMedia }) => {
      asked.push(withMedia);
      const about = { program: 99, createdAtMs: 0, hasMedia: withMedia, hasLog: true, migrations: {}, sequences: {} };
      return pack(entries(), () => about);
    },
  });
});
after(async () => {
  await product.stop();
  await rm(folder, { recursive: true });
});

function marquee(words: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = { ...process.env, MARQUEE_DATA: product.dataFolder, MARQUEE_PORT: "0", ...more };
  return new Promise<{ code: number; out: string; err: string }>((done) => {
    execFile(process.execPath, [entry, ...words], { env, cwd: folder }, (error, out, err) =>
      done({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

test("a backup is written whole, for its owner only, and over nothing that is there", async () => {
  const made = await marquee(["backup", "one", "--key-file", "key", "--json"]);
  assert.equal(made.code, 0, made.err);
  const said = JSON.parse(made.out) as { file: string; bytes: number; entries: number; hasMedia: boolean };
  const { size, mode } = await stat(join(folder, "one"));
  assert.deepEqual([said.bytes, said.entries, said.hasMedia, mode & 0o777], [size, 1, true, 0o600]);
  const before = await readFile(join(folder, "one"));
  const again = await marquee(["backup", "one", "--key-file", "key"]);
  assert.deepEqual([again.code, await readFile(join(folder, "one"))], [1, before]);
  assert.match(again.err, /exists already/);
  const small = await marquee(["backup", "two", "--key-file", "key", "--without-media"]);
  assert.match(small.out, /1 entries, of 1970-01-01T00:00:00\.000Z, without media/);
  assert.deepEqual(asked, [true, false]);
});

test("one that breaks off leaves nothing, and neither does one without a key or without a product", async () => {
  breaksOff = true;
  const broken = await marquee(["backup", "three", "--key-file", "key"]);
  breaksOff = false;
  assert.equal(broken.code, 1);
  assert.match(broken.err, /the disk is full/);
  const keyless = await marquee(["backup", "four", "--key-file", "none"]);
  assert.match(keyless.err, /openssl rand -base64 32 > none/);
  const alone = await marquee(["backup", "five", "--key-file", "key"], { MARQUEE_DATA: join(folder, "nowhere") });
  assert.deepEqual([alone.code, keyless.code], [2, 1]);
  assert.match(alone.err, /not running/);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => /three|four|five/.test(name)),
    [],
  );
});

test("a restore says what stands in its way and touches nothing", async () => {
  await mkdir(join(folder, "full/log"), { recursive: true });
  const data = join(folder, "fresh");
  for (const [words, env, text] of [
    [["restore", "none", "--key-file", "key"], {}, /there is no file/],
    [["restore", "key", "--key-file", "key"], {}, /no backup of Marquee/],
    [["restore", "one", "--key-file", "key"], {}, /program release 99.*newer/],
    [["restore", "one", "--key-file", "key"], { MARQUEE_DATA: join(folder, "full") }, /holds 1 files already/],
    [
      ["restore", "one", "--key-file", "key"],
      { MARQUEE_S3_BUCKET: "media" },
      /MARQUEE_S3_BUCKET names an engine elsewhere/,
    ],
  ] as const) {
    const { code, err } = await marquee(words, { MARQUEE_DATA: data, ...env });
    assert.equal(code, 1, err);
    assert.match(err, text);
  }
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith("fresh")),
    [],
  );
});
