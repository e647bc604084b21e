import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { SMTPServer } from "smtp-server";
import { Problem } from "#kernel/errors";
import { mailContract } from "./contract.ts";
import { openSmtpMail } from "./smtp.ts";

const received: string[] = [];
const server = new SMTPServer({
  authOptional: true,
  allowInsecureAuth: true,
  disabledCommands: ["STARTTLS"],
  onAuth(auth, _session, done) {
    if (auth.username === "marquee" && auth.password === "it's right") done(null, { user: auth.username });
    else done(new Error("wrong"));
  },
  onRcptTo(address, _session, done) {
    if (address.address.startsWith("nobody")) done(Object.assign(new Error("no such user"), { responseCode: 550 }));
    else if (address.address.startsWith("later")) done(Object.assign(new Error("try later"), { responseCode: 451 }));
    else done();
  },
  onData(stream, _session, done) {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      received.push(Buffer.concat(chunks).toString());
      done();
    });
  },
});
server.on("error", () => undefined);
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.server.address() as AddressInfo;
after(() => new Promise<void>((resolve) => server.close(() => resolve())));
const from = "Marquee <hello@demo.test>";
const open = (user = "") => openSmtpMail({ url: `smtp://${user}127.0.0.1:${port}`, from });
const message = (to: string) => ({ to, subject: "s", text: "t" });
const isProblem = (code: string) => (error: unknown) =>
  error instanceof Problem && error.code === code && !/right|wrong/.test(error.message);

mailContract("smtp", async () => ({
  mail: open("marquee:it's%20right@"),
  received: async () => received,
  close: async () => undefined,
}));

test("a refused recipient is the caller's fault, a server that is busy is not", async () => {
  await assert.rejects(open().send(message("nobody@demo.test")), isProblem("invalid_argument"));
  await assert.rejects(open().send(message("later@demo.test")), isProblem("unavailable"));
});

test("a wrong password is told without the password", async () => {
  const mail = open("marquee:wr0ng@");
  await assert.rejects(mail.send(message("a@demo.test")), isProblem("failed_precondition"));
  const state = await mail.state();
  assert.equal(state.ok, false);
  assert.doesNotMatch(state.detail, /wr0ng/);
});

test("a server that is not there is reported, and nonsense is refused", async () => {
  const mail = openSmtpMail({ url: "smtp://127.0.0.1:1", from });
  await assert.rejects(mail.send(message("a@demo.test")), isProblem("unavailable"));
  assert.equal((await mail.state()).ok, false);
  assert.throws(() => openSmtpMail({ url: "http://127.0.0.1", from }), isProblem("invalid_argument"));
  assert.throws(() => openSmtpMail({ url: "mail", from }), isProblem("invalid_argument"));
});
