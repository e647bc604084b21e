import { Analytics, type Snapshot, type Table } from "#contracts/analytics";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { plain, table } from "./terminal.ts";

const LIMIT_MAX = 100;

/** `marquee lake tables`: what is in the data lake, and where engines find it. */
export async function listTables(cli: Cli, { json }: { readonly json: boolean }): Promise<ExitCode> {
  const { tables, erasuresPending } = await cli.client.of(Analytics).listTables({});
  if (json) {
    for (const one of tables) cli.terminal.out(JSON.stringify(toJsonTable(one)));
    return 0;
  }
  if (tables.length === 0) cli.terminal.note("The lake is empty: events come into it within a minute.");
  else {
    const rows = tables.map((one) => [
      ...[one.name, String(one.rows), String(one.files), megabytes(one.sizeBytes), time(one.updatedAtMs)],
      plain(one.metadataLocation),
    ]);
    const head = ["TABLE", "ROWS", "FILES", "SIZE", "UPDATED", "METADATA"];
    // An address that was cut is none, so the table is as wide as it has to be.
    for (const line of table(head, rows, Number.MAX_SAFE_INTEGER)) cli.terminal.out(line);
  }
  if (erasuresPending > 0n)
    cli.terminal.note(
      `Events of ${erasuresPending} deleted accounts are still to be removed; this is tried every minute.`,
    );
  return 0;
}

/** `marquee lake snapshots`: the past of a table that can be read, the newest first. */
export async function listSnapshots(
  cli: Cli,
  name: string,
  { json, limit }: { readonly json: boolean; readonly limit: string },
): Promise<ExitCode> {
  const snapshotsLimit = Number(limit);
  if (!Number.isInteger(snapshotsLimit) || snapshotsLimit < 1 || snapshotsLimit > LIMIT_MAX)
    throw problem.invalid(`--limit ${plain(limit)} is none: write a number from 1 to ${LIMIT_MAX}`);
  const { snapshots } = await cli.client.of(Analytics).getTable({ name, snapshotsLimit });
  if (json) {
    for (const one of snapshots) cli.terminal.out(JSON.stringify(toJsonSnapshot(one)));
    return 0;
  }
  const rows = snapshots.map((one) => [
    ...[String(one.id), time(one.committedAtMs), one.operation],
    ...[one.addedRows, one.removedRows, one.rows, one.files].map(String),
  ]);
  const head = ["SNAPSHOT", "COMMITTED", "OPERATION", "ADDED", "REMOVED", "ROWS", "FILES"];
  for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  return 0;
}

const time = (ms: bigint): string => new Date(Number(ms)).toISOString().replace(/\.\d+Z$/, "Z");
const megabytes = (bytes: bigint): string => `${(Number(bytes) / 1_000_000).toFixed(1)} MB`;

const toJsonTable = (one: Table) => ({
  name: one.name,
  metadataLocation: one.metadataLocation,
  version: Number(one.version),
  snapshotId: Number(one.snapshotId),
  rows: Number(one.rows),
  files: Number(one.files),
  sizeBytes: Number(one.sizeBytes),
  updatedAt: time(one.updatedAtMs),
});

const toJsonSnapshot = (one: Snapshot) => ({
  id: Number(one.id),
  sequenceNumber: Number(one.sequenceNumber),
  committedAt: time(one.committedAtMs),
  operation: one.operation,
  addedRows: Number(one.addedRows),
  removedRows: Number(one.removedRows),
  rows: Number(one.rows),
  files: Number(one.files),
});
