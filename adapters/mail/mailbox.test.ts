import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { mailContract } from "./contract.ts";
import { openMailbox } from "./mailbox.ts";

const root = await mkdtemp(join(tmpdir(), "marquee-mail-"));
after(() => rm(root, { recursive: true, force: true }));
const from = "Marquee <hello@demo.test>";

async function readAll(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
}

mailContract("mailbox", async () => {
  const folder = join(root, "contract");
  return { mail: await openMailbox({ folder, from }), received: () => readAll(folder), close: async () => undefined };
});

test("messages to one address are erased, those to others stay", async () => {
  const folder = join(root, "erased");
  const mail = await openMailbox({ folder, from });
  for (const to of ["ada@b.test", "ada@b.test.example", "bob@b.test", "ada@b.test"])
    await mail.send({ to, subject: "hello", text: "To: ada@b.test" });
  await mail.erase("ada@b.test");
  const left = (await readAll(folder)).map((message) => /^To: (.*)\r$/m.exec(message)?.[1]);
  assert.deepEqual(left, ["ada@b.test.example", "bob@b.test"]);
});

test("the newest messages are kept, for their owner only", async () => {
  const folder = join(root, "bounded");
  const mail = await openMailbox({ folder, from, messagesMax: 3 });
  for (let n = 0; n < 5; n += 1) await mail.send({ to: "a@b.test", subject: `number ${n}`, text: "t" });
  const messages = await readAll(folder);
  assert.deepEqual(
    messages.map((message) => /Subject: (.*)\r/.exec(message)?.[1]),
    ["number 2", "number 3", "number 4"],
  );
  for (const name of await readdir(folder)) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
});
