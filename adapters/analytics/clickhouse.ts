import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { Analytics } from "#kernel/ports/analytics";
import type { AdapterState } from "#kernel/ports/state";
import { describe } from "./faults.ts";
import { createAnalytics } from "./store.ts";

export interface ClickHouseOptions {
  /** `https://host:8443/database`, without user and password. */
  readonly url: string;
  readonly user: string;
  /** A secret: never log it. */
  readonly password: string;
}

const CONNECTIONS_MAX = 8;
/** The store sets the deadline of each call; this one only ends what it forgot. */
const REQUEST_TIMEOUT_MS = 120_000;
const PING_MS = 5_000;

/** ClickHouse by its address. Rejects when it cannot be reached now. */
export async function openClickHouse(options: ClickHouseOptions): Promise<Analytics> {
  const at = `ClickHouse at ${new URL(options.url).host}`;
  const client = clientOf(options);
  try {
    await versionOf(client);
  } catch (error) {
    await client.close();
    throw describe(at, error, false, PING_MS);
  }
  return createAnalytics({
    at,
    use: (work) => work(client),
    state: () => stateOf(at, client),
    close: () => client.close(),
  });
}

export const clientOf = ({ url, user, password }: ClickHouseOptions): ClickHouseClient =>
  createClient({
    url,
    username: user,
    password,
    application: "marquee",
    max_open_connections: CONNECTIONS_MAX,
    request_timeout: REQUEST_TIMEOUT_MS,
    // Its own log would go to standard output; errors reach whoever called.
    log: { level: ClickHouseLogLevel.OFF },
  });

async function versionOf(client: ClickHouseClient): Promise<string> {
  const found = await client.query({
    query: "SELECT version() AS version",
    format: "JSONEachRow",
    abort_signal: AbortSignal.timeout(PING_MS),
  });
  const [row] = await found.json<{ version: string }>();
  return row?.version ?? "";
}

export async function stateOf(at: string, client: ClickHouseClient): Promise<AdapterState> {
  try {
    return { ok: true, detail: `${at}, version ${await versionOf(client)}` };
  } catch (error) {
    return { ok: false, detail: describe(at, error, false, PING_MS).message };
  }
}
