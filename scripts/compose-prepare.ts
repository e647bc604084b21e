/**
 * `node scripts/compose-prepare.ts FOLDER`: what the engines of compose.yaml need besides being started. It makes the bucket, and Vault its keys,
 * its mount and a token, and opens Vault again whenever it was started anew, so it runs as long as they do. The keys lie in FOLDER: fit for
 * trying things out and for nothing else.
 */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { toProblem } from "#kernel/errors";
import { answerOf, type Engine } from "../engines/engine.ts";
import { s3 } from "../engines/s3.ts";
import { vault } from "../engines/vault.ts";

const AGAIN_MS = 5_000;
/** Said when all is prepared; the health check of compose.yaml looks for it. */
const READY = "ready";

const [folder = ""] = process.argv.slice(2);
const addressOf = (name: string): URL => new URL(process.env[name] ?? "");
const say = (line: string): void => console.log(line);

async function prepare(engine: Engine, { hostname: host, port }: URL): Promise<string> {
  const data = path.join(folder, engine.name);
  await mkdir(data, { recursive: true, mode: 0o700 });
  if (engine === s3)
    await writeFile(path.join(data, "secret"), process.env["AWS_SECRET_ACCESS_KEY"] ?? "", { mode: 0o600 });
  return answerOf(engine, { programs: "", data, host, port: Number(port), say });
}

let last = "";
for (;;) {
  const now = await Promise.all([
    prepare(s3, addressOf("MARQUEE_S3_ENDPOINT")),
    prepare(vault, addressOf("MARQUEE_VAULT_ADDR")),
  ]).then(
    async (versions) => {
      await writeFile(path.join(folder, READY), "");
      return `prepared: ${versions.join(", ")}`;
    },
    (error: unknown) => `not yet: ${toProblem(error).message}`,
  );
  if (now !== last) say(now);
  last = now;
  await pause(AGAIN_MS);
}
