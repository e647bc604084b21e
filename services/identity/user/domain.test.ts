import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { change, checkEmail, checkLanguage, checkName, normalizeEmail } from "./domain.ts";

test("addresses are one whatever their case and composition", () => {
  assert.equal(checkEmail(" Alex@Demo.TEST "), "alex@demo.test");
  assert.equal(checkEmail("rene\u0301@demo.test"), checkEmail("REN\u00c9@demo.test"));
});

test("normalising twice changes nothing more", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 60 }),
      (text) => normalizeEmail(normalizeEmail(text)) === normalizeEmail(text),
    ),
  );
});

test("what is no address is refused, and not repeated", () => {
  const wrong = [
    "",
    "alex",
    "alex@",
    "@demo.test",
    "alex@demo",
    "a b@demo.test",
    "a@b@demo.test",
    "a@demo..test",
    "a\n@demo.test",
    `${"a".repeat(65)}@demo.test`,
    `a@${"b".repeat(250)}.test`,
    "<a@demo.test>",
  ];
  for (const address of wrong)
    assert.throws(
      () => checkEmail(address),
      (error: Error & { reason?: string }) =>
        error.reason === "email_invalid" && (address === "" || !error.message.includes(address)),
      address,
    );
});

test("a name is trimmed; without one it is the first part of the address", () => {
  assert.equal(checkName("  Alex ", "a@demo.test"), "Alex");
  assert.equal(checkName("", "sam@demo.test"), "sam");
  assert.throws(() => checkName("a\u0000b", "a@demo.test"), { reason: "name_invalid" });
  assert.throws(() => checkName("x".repeat(101), "a@demo.test"), { reason: "name_invalid" });
});

test("languages are tags", () => {
  for (const tag of ["", "en", "pt-BR", "zh-Hant-TW"]) assert.equal(checkLanguage(tag), tag);
  for (const tag of ["english please", "e", "en_US"])
    assert.throws(() => checkLanguage(tag), { reason: "language_invalid" });
});

test("an update names what changed, and only that", () => {
  const user = { id: "u", email: "a@demo.test", name: "A", language: "en", createdAtMs: 1 };
  assert.deepEqual(change(user, { name: "A", language: "de" }).changed, ["language"]);
  assert.deepEqual(change(user, {}).changed, []);
});
