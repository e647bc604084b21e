import assert from "node:assert/strict";
import { test } from "node:test";
import { verify } from "@node-rs/argon2";
import { openPasswords } from "./passwords.ts";

test("a password is right, or wrong, or nobody's; hashes are argon2id with a salt of their own", async () => {
  const passwords = openPasswords();
  const [one, two] = await Promise.all([passwords.hash("correct horse"), passwords.hash("correct horse")]);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(one, two);
  assert.equal(await verify(one, "correct horse"), true);
  const verdicts = await Promise.all([
    passwords.verify(one, "correct horse"),
    passwords.verify(two, "correct horses"),
    passwords.verify(undefined, "correct horse"),
  ]);
  assert.deepEqual(verdicts, [true, false, false]);
});

test("a hash that is damaged is an error and not a wrong password, and the next one is looked at", async () => {
  const passwords = openPasswords();
  await assert.rejects(passwords.verify("$argon2id$nonsense", "x"));
  assert.equal(await passwords.verify(await passwords.hash("y"), "y"), true);
});
