import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { access, link, readFile, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { type Config, problem } from "#kernel";
import { type Manifest, unpack } from "../backup/archive.ts";
import { assertPassphrase, seal, unseal } from "../backup/seal.ts";
import type { Cli, ExitCode } from "./cli.ts";
import { plain } from "./terminal.ts";

/** Engines of somebody else, whose data a restore does not touch. */
const ENGINES = [
  "MARQUEE_POSTGRES_URL",
  "MARQUEE_KAFKA_BROKERS",
  "MARQUEE_SCHEMA_REGISTRY_URL",
  "MARQUEE_S3_BUCKET",
  "MARQUEE_SEARCH_URL",
  "MARQUEE_UNLEASH_URL",
  "MARQUEE_VAULT_ADDR",
] as const satisfies readonly (keyof Config)[];

/** `marquee backup`: the running product as one encrypted file, which is read back before it gets its name. */
export async function makeBackup(
  cli: Cli,
  given: string,
  options: { readonly keyFile: string; readonly withoutMedia: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const file = cli.path(given);
  const key = await readKey(cli, options.keyFile);
  await assertFree(file);
  const draft = `${file}.${randomUUID().slice(0, 8)}.draft`;
  try {
    const bytes = await cli.client.backup({ withMedia: !options.withoutMedia });
    await pipeline(seal(bytes, key), createWriteStream(draft, { mode: 0o600, flags: "wx", flush: true }));
    if (!options.json) cli.terminal.note("written; reading it back");
    const manifest = await unpack(unseal(createReadStream(draft), key));
    // Not by renaming, which would replace what somebody else put there meanwhile.
    await link(draft, file);
    const { size } = await stat(file);
    report(cli, options.json, file, manifest, size);
    if (!manifest.hasLog && !options.json)
      cli.terminal.note("The event log is on Kafka and not in the backup: it has means of its own.");
    return 0;
  } finally {
    await rm(draft, { force: true });
  }
}

/** `marquee restore`: a data folder made of a backup, while no product runs on it. */
export async function restoreBackup(
  cli: Cli,
  given: string,
  options: { readonly keyFile: string; readonly json: boolean },
): Promise<ExitCode> {
  const file = cli.path(given);
  const key = await readKey(cli, options.keyFile);
  const elsewhere = ENGINES.filter((name) => cli.config[name] !== undefined);
  if (elsewhere.length > 0)
    throw problem.precondition(
      `a restore makes a data folder, and ${elsewhere.join(", ")} ${elsewhere.length > 1 ? "name" : "names"} an engine elsewhere: restore without, or by the means of that engine`,
    );
  const { size } = await stat(file).catch(() => {
    throw problem.notFound(`there is no file '${plain(file)}'`);
  });
  const { restore } = await import("../backup/restore.ts");
  const { services } = await import("../services.ts");
  const manifest = await restore({
    open: () => unseal(createReadStream(file), key),
    folder: cli.dataFolder,
    services,
    say: (line) => {
      if (!options.json) cli.terminal.note(line);
    },
  });
  report(cli, options.json, file, manifest, size);
  if (!options.json) cli.terminal.note(`${cli.dataFolder} is ready: npm start`);
  return 0;
}

async function readKey(cli: Cli, given: string): Promise<string> {
  const path = cli.path(given);
  const text = await readFile(path, "utf8").catch(() => {
    throw problem.notFound(
      `there is no key file '${plain(path)}': make one with (umask 077; openssl rand -base64 32 > ${plain(given)}), and keep it elsewhere than the backup`,
    );
  });
  return assertPassphrase(text.trim());
}

async function assertFree(file: string): Promise<void> {
  const isTaken = await access(file).then(
    () => true,
    () => false,
  );
  if (isTaken) throw problem.alreadyExists(`'${plain(file)}' exists already: choose another name`);
}

function report(cli: Cli, json: boolean, file: string, manifest: Manifest, bytes: number): void {
  const { createdAtMs, hasMedia, hasLog, entries } = manifest;
  const createdAt = new Date(createdAtMs).toISOString();
  if (json) cli.terminal.out(JSON.stringify({ file, bytes, createdAt, hasMedia, hasLog, entries: entries.length }));
  else
    cli.terminal.out(
      `${plain(file)}  ${(bytes / 1e6).toFixed(1)} MB, ${entries.length} entries, of ${createdAt}${hasMedia ? "" : ", without media"}`,
    );
}
