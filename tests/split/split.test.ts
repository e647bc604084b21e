import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { freePort } from "#kernel/testing/ports";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openFileSecrets } from "#adapters/secrets/file";
import { Entitlement } from "#contracts/entitlement";
import { Profile } from "#contracts/profile";
import { Subscription } from "#contracts/subscription";
import { User } from "#contracts/user";
import { systemContext } from "#kernel/context";
import { startGuardian } from "#kernel/guardian";
import type { PostgresServer } from "#kernel/ports/postgres";
import type { Secrets } from "#kernel/ports/secrets";
import { openCaller, type TestCaller } from "../../kernel/testing/mesh.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";
import { openTestPostgres } from "../../kernel/testing/postgres.ts";

/** Entitlement asks the accounts for plans and profiles, and the catalogue for titles: two cells, and this test as a third process. */
const ACCOUNTS = ["user", "profile", "subscription", "catalog", "tenant"];

const guardian = startGuardian();
const folder = await makeTestFolder("split");
let postgres: PostgresServer;
let secrets: Secrets;
let ports: readonly [number, number];
let web: TestCaller;
const running = new Set<ChildProcess>();

/** Starts a cell and resolves when it answers calls. */
async function startCell(names: readonly string[], port: number, peers: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "cell.ts"), ...names], {
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      MARQUEE_PORT: "0",
      MARQUEE_DATA: join(folder, names[0] ?? ""),
      MARQUEE_POSTGRES_URL: postgres.adminUrl,
      MARQUEE_POSTGRES_RUNTIME_URL: postgres.runtimeUrl,
      MARQUEE_RPC_PORT: String(port),
      MARQUEE_PEERS: peers,
      SPLIT_SECRETS: join(folder, "secrets"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  guardian.add(child.pid ?? 0);
  running.add(child);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (/^ready$/m.test(output)) resolve();
      });
    }
    child.once("exit", () => reject(new Error(`the cell ended:\n${output}`)));
  });
  return child;
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  const ended = child.exitCode ?? child.signalCode ?? new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
  running.delete(child);
  guardian.remove(child.pid ?? 0);
}

const context = () => systemContext("demo", "web");
const startAccounts = () => startCell(ACCOUNTS, ports[0], "");
const startEntitlement = () => startCell(["entitlement"], ports[1], `*=https://127.0.0.1:${ports[0]}`);

before(async () => {
  postgres = await openTestPostgres(folder, guardian);
  secrets = await openFileSecrets({ folder: join(folder, "secrets") });
  ports = [await freePort(), await freePort()];
  // It makes the authority, before any cell needs it.
  web = await openCaller({
    ...{ services: ["web"], secrets },
    addresses: (service) => [`https://127.0.0.1:${ports[service === "entitlement" ? 1 : 0]}`],
  });
});

after(async () => {
  await web.stop();
  for (const child of [...running]) await end(child, "SIGTERM");
  await secrets.close();
  await postgres.stop();
  guardian.stop();
  await rm(folder, { recursive: true, force: true });
});

test("a call goes through two processes, as it would through one", async () => {
  await startAccounts();
  await startEntitlement();
  const { user } = await web.client(User).create({ email: "ada@demo.test", name: "Ada", language: "en" }, context());
  assert.ok(user);
  await web.client(Subscription).change({ userId: user.id, tier: "premium" }, context());
  const claims = await web.client(Entitlement).claims({ userId: user.id }, context());
  assert.equal(claims.tier, "premium");
  assert.ok(claims.entitlements.length > 0);
  const viewer = { userId: user.id, profileId: "", tier: "premium", deviceId: "tv", entitlements: [] };
  const { profile } = await web
    .client(Profile)
    .create({ userId: user.id, name: "Ada", language: "en" }, { ...context(), viewer });
  assert.ok(profile);
  // The catalogue, behind entitlement, asks which profile is watching.
  const { decisions } = await web
    .client(Entitlement)
    .checkMany(
      { userId: user.id, profileId: profile.id, contentIds: ["vod_nothing"] },
      { ...context(), viewer: { ...viewer, profileId: profile.id } },
    );
  assert.deepEqual(
    decisions.map(({ contentId, allowed, reason }) => ({ contentId, allowed, reason })),
    [{ contentId: "vod_nothing", allowed: false, reason: "unknown" }],
  );
  await assert.rejects(web.client(User).create({ email: "ada@demo.test", name: "Ada" }, context()), {
    code: "already_exists",
  });
});

test("what does not declare a call is refused by a process that runs the callee", async () => {
  const addresses = [`https://127.0.0.1:${ports[0]}`];
  const bookmark = await openCaller({ services: ["bookmark"], secrets, addresses });
  await assert.rejects(bookmark.client(User).get({ userId: "usr_1" }, context()), {
    code: "permission_denied",
    reason: "undeclared_call",
  });
  await bookmark.stop();
});

test("a process that is killed is found again when it is back, by those who held a connection to it", async () => {
  const accounts = [...running].find((child) => child.spawnargs.includes("subscription"));
  assert.ok(accounts);
  await end(accounts, "SIGKILL");
  await assert.rejects(web.client(Entitlement).claims({ userId: "usr_nobody" }, context()), { code: "unavailable" });
  await startAccounts();
  // Entitlement may still leave its callee alone for a moment; then it asks again.
  const untilMs = performance.now() + 20_000;
  for (;;) {
    const answer = await web
      .client(Entitlement)
      .claims({ userId: "usr_nobody" }, context())
      .catch((error: unknown) => error);
    if (!(answer instanceof Error)) break;
    if (performance.now() > untilMs) throw answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

test("a process that is told to stop ends what runs and goes", async () => {
  for (const child of [...running]) {
    await end(child, "SIGTERM");
    assert.equal(child.exitCode, 0);
  }
});
