import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { maskText, openLogger, openMetrics } from "./telemetry.ts";

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
    ["film.2.0 has 3 parts: core::map", "film.2.0 has 3 parts: core::map"],
  ] as const) {
    assert.equal(maskText(said), written);
  }
});

test("ids of people become pseudonyms that stay the same within the process", () => {
  const [user, other] = ["usr_01jwyr7t3b6kq0v4m8n2p5s9xa", "usr_01jwyr7t3b6kq0v4m8n2p5s9xb"];
  const line = maskText(`user '${user}' does not exist`);
  assert.match(line, /^user 'usr~[0-9a-f]{12}' does not exist$/);
  assert.equal(line, maskText(`user '${user}' does not exist`));
  assert.notEqual(line, maskText(`user '${other}' does not exist`));
  assert.match(maskText("profile prf_01jwyr7t3b6kq0v4m8n2p5s9xa"), /^profile prf~[0-9a-f]{12}$/);
  assert.equal(maskText("session ses_01jwyr of vod_01jwyr"), "session ses_01jwyr of vod_01jwyr");
});

test("a log line is one JSON object and holds no secret, wherever it was put", async () => {
  const folder = await mkdtemp(join(tmpdir(), "marquee-log-"));
  const file = join(folder, "logs/x.log");
  const log = openLogger({ level: "info", file })("session");
  const cause = Object.assign(new Error("no route to ada@mail.example"), { cause: new Error("Bearer abc") });
  log.debug("not written");
  log.warn("hello bob@mail.example", {
    user_id: "usr_1",
    password: "hunter2",
    nested: { apiKey: "hunter2", refreshTokens: ["hunter2"], pin: 1234, deep: [{ cookie: "hunter2" }] },
    note: "10.1.2.3",
    error: cause,
  });
  let text = "";
  for (let tries = 0; tries < 200 && text === ""; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    text = await readFile(file, "utf8").catch(() => "");
  }
  await rm(folder, { recursive: true });
  assert.doesNotMatch(text, /hunter2|1234|ada@|bob@|10\.1\.2\.3|abc|not written/);
  const line = JSON.parse(text) as Record<string, unknown>;
  assert.equal(line["level"], "WARN");
  assert.equal(line["service"], "session");
  assert.equal(line["user_id"], maskText("usr_1"));
  assert.equal(line["message"], "hello <email>");
  assert.equal((line["attributes"] as { nested: { pin: unknown } }).nested.pin, "<secret>");
});

test("a metric that is asked for twice is one metric", async () => {
  const metrics = openMetrics();
  metrics.counter("starts_total", "Starts").inc();
  metrics.counter("starts_total", "Starts").inc();
  assert.match(await metrics.registry.metrics(), /^marquee_starts_total 2$/m);
});
