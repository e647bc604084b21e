import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { newId } from "./ids.ts";
import { maskText, openMask } from "./mask.ts";
import { openPseudonyms } from "./pseudonyms.ts";
import { openLogger } from "./telemetry.ts";

test("text loses what tells of a person or opens a door", () => {
  for (const [said, written] of [
    ["mail to ada.l+tv@mail.example.org failed", "mail to <email> failed"],
    ["from 203.0.113.7:443", "from <ip>:443"],
    ["from 2001:db8::7f, again", "from <ip>, again"],
    ["[::ffff:203.0.113.7]", "[<ip>]"],
    ["at 127.0.0.1 and ::1", "at 127.0.0.1 and ::1"],
    ["at 12:34:56 on 2026-11-01T12:34:56.789Z", "at 12:34:56 on 2026-11-01T12:34:56.789Z"],
    ["GET /vod/x?steer=1&CAT=0YRDoQEm-_.x", "GET /vod/x?steer=1&CAT=<token>"],
    ["Authorization: Bearer abc.def", "Authorization: Bearer <token>"],
    ["got eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here", "got <token> here"],
    ["refresh_token=r1&code=c", "refresh_token=<secret>&code=c"],
    [["postgres://svc", "hunter2@db:5432/x"].join(":"), "postgres://<secret>@db:5432/x"],
    ["jürgen@müller.example wrote", "<email> wrote"],
    ["/watch?who=ada%40mail.example&x=1", "/watch?who=<email>&x=1"],
    ['{"refresh_token":"r1","n":1}', '{"refresh_token":"<secret>","n":1}'],
    ["cookie: a=b; c=d", "cookie: <secret>"],
    ["reset with JfQ3o0Yxw9zBvK1dN5sR7uT2mC4hL6gP8aE0iWqXyZk", "reset with <token>"],
    [
      "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
    [
      "at file:///srv/node_modules/@bufbuild/protobuf/dist/x.js:12:34",
      "at file:///srv/node_modules/@bufbuild/protobuf/dist/x.js:12:34",
    ],
    ["account usr_01kabcdefghjkmnpqrstvwxyz0 is gone", "account usr~ is gone"],
    ["film.2.0 has 3 parts: core::map", "film.2.0 has 3 parts: core::map"],
  ] as const) {
    assert.equal(maskText(said), written);
  }
});

/** Something personal, as what must never be written, in the ways that it comes in text. */
const word = fc.stringMatching(/^[a-z]{5,12}$/);
const email = fc
  .tuple(fc.stringMatching(/^[a-z][a-z0-9.+_-]{4,16}[a-z0-9]$/), fc.domain())
  .map(([local, domain]) => `${local}@${domain}`);
const token = fc.uint8Array({ minLength: 32, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString("base64url"));
const person = fc.constantFrom("usr", "prf", "dev").map((prefix) => newId(prefix));
const address = fc.oneof(
  fc.ipV4().filter((ip) => !ip.startsWith("127.") && ip !== "0.0.0.0"),
  fc.ipV6().filter((ip) => /[1-9a-f]/i.test(ip) && !ip.endsWith("::1") && ip.split(":").length > 5 && !/\.\d/.test(ip)),
);
const personal: fc.Arbitrary<{ readonly hidden: string; readonly said: string }> = fc.oneof(
  email.map((hidden) => ({ hidden, said: hidden })),
  email.map((hidden) => ({ hidden: hidden.split("@")[0] ?? hidden, said: `?to=${encodeURIComponent(hidden)}&n=1` })),
  address.map((hidden) => ({ hidden, said: hidden })),
  person.map((hidden) => ({ hidden, said: hidden })),
  token.map((hidden) => ({ hidden, said: `Bearer ${hidden}` })),
  token.map((hidden) => ({ hidden, said: `CAT=${hidden}` })),
  token.map((hidden) => ({ hidden, said: `refresh_token=${hidden}&x=1` })),
  token.map((hidden) => ({ hidden, said: JSON.stringify({ password: hidden }) })),
  token.map((hidden) => ({ hidden, said: `eyJhbGciOiJSUzI1NiJ9.${hidden}.${hidden}` })),
);
const text = fc
  .tuple(
    fc.array(fc.oneof(word, fc.constantFrom("(", "'", "at ", ": ", "<", "[", '"', ", ", ""))),
    personal,
    fc.array(word),
  )
  .map(([before, { hidden, said }, after]) => ({ hidden, said: `${before.join(" ")} ${said} ${after.join(" ")}` }));

/** Where it may lie: in the message, in a member, deep inside, as a member's name, in an error or its cause, far behind in long text. */
const line = fc.tuple(text, fc.constantFrom("message", "member", "deep", "key", "error", "cause", "long"), word);
const memberOf = (said: string, where: string, name: string): unknown => {
  if (where === "member") return said;
  if (where === "deep") return [{ [name]: { [name]: [said] } }];
  if (where === "key") return { [said]: name };
  if (where === "error") return new Error(said);
  if (where === "cause") return new Error(name, { cause: new Error(said) });
  return `${"x".repeat(1_950)} ${said}`;
};

/** Members whose name says what they hold; their values are anything. */
const named = fc.tuple(
  fc.constantFrom(
    "name",
    "displayName",
    "profile_name",
    "deviceName",
    "email",
    "ip",
    "remoteAddress",
    "password",
    "clientSecret",
    "apiKey",
    "pin",
    "cookie",
  ),
  fc.stringMatching(/^[A-Z][a-z]{6,14} [A-Z][a-z]{6,14}$/),
);
const ids = fc.tuple(
  fc.constantFrom("user_id", "userId", "profileId", "deviceId", "viewer_id"),
  fc.stringMatching(/^[a-z0-9-]{12,24}$/),
);

test("nothing personal comes out of the logger, wherever it lies", async () => {
  const folder = await mkdtemp(join(tmpdir(), "marquee-log-"));
  const file = join(folder, "x.log");
  const pseudonyms = openPseudonyms();
  await pseudonyms.load({ get: async () => ({ version: 1, value: { key: "c2VjcmV0" } }), put: async () => 1 });
  const log = openLogger({ level: "info", file, pseudonyms })("test");
  const hidden: string[] = [];
  const write = (message: string, attributes: Readonly<Record<string, unknown>>, secret: string): void => {
    log.info(message, attributes);
    hidden.push(secret);
  };
  fc.assert(
    fc.property(line, named, ids, ([{ hidden: secret, said }, where, name], [member, value], [idMember, id]) => {
      if (where === "message") write(said, {}, secret);
      else write("something happened", { [where]: memberOf(said, where, name) }, secret);
      write("somebody did something", { [member]: value }, value);
      write("somebody did something", { user_id: id, nested: { [idMember]: [id] } }, id);
    }),
    { numRuns: 2_000 },
  );
  let lines: string[] = [];
  // The log is written behind our back: what is read is whole when it has as many lines as were written.
  for (let tries = 0; tries < 500 && lines.length < hidden.length; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    lines = (await readFile(file, "utf8").catch(() => "")).split("\n").slice(0, -1);
  }
  await rm(folder, { recursive: true });
  assert.equal(lines.length, hidden.length);
  for (const [i, secret] of hidden.entries()) {
    const written = lines[i] ?? "";
    assert.ok(!written.includes(secret), `'${secret}' came out: ${written}`);
    // Also what JSON makes of it.
    assert.ok(!JSON.stringify(JSON.parse(written)).toLowerCase().includes(secret.toLowerCase()), written);
  }
});

test("the same person has the same name, in text and in members, and another one with another key", async () => {
  const named = async (key: string) => {
    const pseudonyms = openPseudonyms();
    await pseudonyms.load({ get: async () => ({ version: 1, value: { key } }), put: async () => 1 });
    return openMask(pseudonyms);
  };
  const id = newId("usr");
  const [one, other] = [await named("b25l"), await named("b3RoZXI=")];
  const name = one.value("userId", id);
  assert.match(String(name), /^usr~[0-9a-f]{16}$/);
  assert.equal(one.text(`account ${id}`), `account ${String(name)}`);
  assert.notEqual(other.value("userId", id), name);
});
