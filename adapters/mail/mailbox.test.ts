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
