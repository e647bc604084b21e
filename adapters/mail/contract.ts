import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Problem } from "#kernel/errors";
import type { Mail } from "#kernel/ports/mail";

/** A mail adapter under test, and what arrived where it sends to: whole messages as RFC 5322 text. */
export interface MailUnderTest {
  readonly mail: Mail;
  received(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What every mail adapter does. */
export function mailContract(name: string, open: () => Promise<MailUnderTest>): void {
  describe(`mail contract: ${name}`, () => {
    let opened: MailUnderTest;
    before(async () => {
      opened = await open();
    });
    after(() => opened.close());

    test("a message arrives with its recipient, subject and texts", async () => {
      await opened.mail.send({
        to: "alex@demo.test",
        subject: "Reset your password",
        text: "Follow https://example.test/reset",
        html: "<p>Follow <b>this</b></p>",
      });
      const messages = await opened.received();
      const message = messages.at(-1) ?? "";
      assert.match(message, /^To: alex@demo\.test\r?$/m);
      assert.match(message, /^Subject: Reset your password\r?$/m);
      assert.match(message, /^From: .*hello@demo\.test/m);
      assert.match(message, /Follow https:\/\/example\.test\/reset/);
      assert.match(message, /<p>Follow <b>this<\/b><\/p>/);
    });

    test("letters of every language arrive", async () => {
      await opened.mail.send({ to: "alex@demo.test", subject: "Stra\u00dfe \u6620\u753b", text: "ok" });
      const message = (await opened.received()).at(-1) ?? "";
      const encoded = [...message.matchAll(/=\?UTF-8\?B\?([^?]+)\?=/g)]
        .map((match) => Buffer.from(match[1] ?? "", "base64").toString())
        .join("");
      const quoted = [...message.matchAll(/=\?UTF-8\?Q\?([^?]+)\?=/g)]
        .map((match) => decodeURIComponent((match[1] ?? "").replaceAll("_", " ").replaceAll("=", "%")))
        .join("");
      assert.equal(encoded + quoted, "Stra\u00dfe \u6620\u753b");
    });

    test("addresses and subjects that would add headers or recipients are refused, and nothing is sent", async () => {
      const count = (await opened.received()).length;
      const isInvalid = (error: unknown) => error instanceof Problem && error.code === "invalid_argument";
      const addresses = [
        "a@b.test\r\nBcc: c@d.test",
        "a@b.test\nX: y",
        "a@b.test, c@d.test",
        "a@b.test;c@d.test",
        "A <a@b.test>",
        "a",
        "",
        "@",
        "a@b@c",
        `${"x".repeat(300)}@b.test`,
      ];
      for (const to of addresses)
        await assert.rejects(opened.mail.send({ to, subject: "s", text: "t" }), isInvalid, to);
      for (const subject of ["a\r\nBcc: c@d.test", "", "x".repeat(1000)])
        await assert.rejects(opened.mail.send({ to: "a@b.test", subject, text: "t" }), isInvalid);
      assert.equal((await opened.received()).length, count);
    });

    test("state says that it is well", async () => {
      assert.equal((await opened.mail.state()).ok, true);
    });
  });
}
