// What is counted is counted once, whatever dies when: the process, or a transaction after the cache has its copy.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Features } from "#contracts/features";
import { makeTestFolder } from "../../kernel/testing/folder.ts";
import type { TestHost } from "../host.ts";
import { PROFILES, startFeatures } from "./features-stage.ts";
import { sqlAsOwner } from "./viewers.ts";

const KILLS = 4;
const TOPIC = "playback.sessions";
const folder = await makeTestFolder("features-kill");
after(() => rm(folder, { recursive: true, force: true }));

/** How many sessions ended, of each profile, as the log has it. */
async function ended({ adapters: { log } }: TestHost): Promise<number[]> {
  const counts = new Array<number>(PROFILES).fill(0);
  for (const partition of (await log.offsets(TOPIC)).keys())
    for (let offset = 0; ; ) {
      const records = await log.read(TOPIC, new Map([[partition, offset]]), 1_000);
      for (const { key } of records) counts[Number(key.slice(4))] = (counts[Number(key.slice(4))] ?? 0) + 1;
      const last = records.at(-1);
      if (!last) break;
      offset = last.offset + 1;
    }
  return counts;
}

async function counted(host: TestHost): Promise<readonly number[]> {
  const keys = Array.from({ length: PROFILES }, (_, n) => `prf_${n}`);
  const asked = { features: ["user_viewing_history:sessions_total"], keys };
  return (await host.client(Features, "test").getOnlineFeatures(asked, host.context())).numbers;
}

test("kill -9 while people watch: each session counts once", { timeout: 240_000 }, async () => {
  for (let kill = 0; kill < KILLS; kill += 1) {
    const victim = spawn(process.execPath, [join(import.meta.dirname, "features-victim.ts"), folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    victim.stdout.on("data", (chunk) => (said += String(chunk)));
    while (!said.includes("begins")) await pause(5);
    await pause(300 + Math.random() * 700);
    victim.kill("SIGKILL");
    await once(victim, "exit");
  }
  const { host } = await startFeatures(folder);
  try {
    await host.settled();
    const expected = await ended(host);
    assert.ok(
      expected.every((count) => count > 10),
      "people watched",
    );
    assert.deepEqual(await counted(host), expected);
  } finally {
    await host.stop();
  }
});

test("a transaction that fails when the cache has its copy already counts once when it comes again", async () => {
  const { host, watch } = await startFeatures(folder);
  try {
    const before = await counted(host);
    // Commits fail twice as a serialisation does; what a sequence has given is not taken back.
    await sqlAsOwner(
      host.adapters.postgres.adminUrl,
      `CREATE SEQUENCE features.fuse;
       CREATE FUNCTION features.blow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
         BEGIN IF nextval('features.fuse') <= 2 THEN RAISE EXCEPTION 'blown' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$;
       CREATE CONSTRAINT TRIGGER blow AFTER UPDATE ON features.states DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION features.blow()`,
    );
    await watch(PROFILES);
    await host.settled();
    assert.deepEqual(
      await counted(host),
      before.map((count) => count + 1),
    );
  } finally {
    await host.stop();
  }
});
