import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { audited, type AuditEvent, openAuditLog } from "./audit.ts";
import { Problem, problem } from "./errors.ts";

const EVENT = { tenant: "demo", who: "usr_1", what: "account.sign_in", on: "ada@mail.example", from: "203.0.113.7" };

async function within(work: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "marquee-audit-"));
  try {
    await work(join(folder, "logs/audit.log"));
  } finally {
    await rm(folder, { recursive: true });
  }
}
const linesOf = async (file: string): Promise<Record<string, string>[]> =>
  (await readFile(file, "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, string>);

test("an event is a line that is there when whoever acted is answered; earlier lines stay", () =>
  within(async (file) => {
    for (const outcome of ["ok", "unauthenticated"]) {
      const log = await openAuditLog({ file, now: () => new Date(0) });
      await log.of("auth")({ ...EVENT, outcome });
      assert.equal((await linesOf(file)).at(-1)?.["outcome"], outcome);
      await log.close();
    }
    const [first, second, ...rest] = await linesOf(file);
    assert.deepEqual(first, { time: "1970-01-01T00:00:00.000Z", service: "auth", ...EVENT, outcome: "ok" });
    assert.equal(second?.["outcome"], "unauthenticated");
    assert.equal(rest.length, 0);
    if (process.platform !== "win32") assert.equal((await stat(file)).mode & 0o777, 0o600);
  }));

test("many at once are all there, in their order, whole", () =>
  within(async (file) => {
    const log = await openAuditLog({ file });
    const record = log.of("auth");
    await Promise.all(Array.from({ length: 500 }, (_, i) => record({ ...EVENT, on: `${i}\n"`, outcome: "ok" })));
    assert.deepEqual(
      (await linesOf(file)).map((line) => line["on"]),
      Array.from({ length: 500 }, (_, i) => `${i}\n"`),
    );
    await log.close();
  }));

test("what cannot be recorded is told to whoever acted, and the state says so", () =>
  within(async (file) => {
    const log = await openAuditLog({ file });
    await log.close();
    await assert.rejects(log.of("auth")({ ...EVENT, outcome: "ok" }), { code: "unavailable" });
    assert.equal((await log.state()).ok, false);
  }));

test("work is recorded with what came of it", async () => {
  const events: AuditEvent[] = [];
  const audit = async (event: AuditEvent): Promise<void> => void events.push(event);
  assert.equal(await audited(audit, EVENT, async () => 7), 7);
  const refused = problem.denied("no", { reason: "credentials" });
  await assert.rejects(
    audited(audit, EVENT, async () => Promise.reject(refused)),
    refused,
  );
  assert.deepEqual(events, [
    { ...EVENT, outcome: "ok" },
    { ...EVENT, outcome: "permission_denied", reason: "credentials" },
  ]);
  let tries = 0;
  const broken = async (): Promise<void> => {
    tries += 1;
    throw problem.unavailable("the disk is full");
  };
  await assert.rejects(
    audited(broken, EVENT, async () => 7),
    (error) => error instanceof Problem && error.code === "unavailable",
  );
  assert.equal(tries, 1);
});
