import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openClickHouse } from "#adapters/analytics/clickhouse";
import { problem } from "#kernel/errors";
import type { Engine, EnginePlace } from "./engine.ts";
import { engineSecret } from "./secret.ts";

const USER = "marquee";
const SERVER = fileURLToPath(new URL("../adapters/analytics/chdb-server.ts", import.meta.url));
const urlOf = ({ port }: EnginePlace): string => `http://127.0.0.1:${port}`;

/**
 * No package registry has the server of ClickHouse in a version of this decade (docs/engines.md says what was looked at), so this
 * is the engine of ClickHouse without it: the library chdb behind the part of the HTTP interface that our adapter speaks.
 */
export const clickhouse: Engine = {
  name: "clickhouse",
  what: "analytics: ClickHouse's engine as the library chdb, behind a small HTTP front and not ClickHouse's own server",
  licence: "Apache-2.0",
  async install() {
    // The library comes with the product's own packages.
  },
  async command(at) {
    const folder = join(at.data, "clickhouse");
    await mkdir(folder, { recursive: true });
    return {
      program: process.execPath,
      args: [SERVER],
      env: {
        MARQUEE_CHDB_FOLDER: folder,
        MARQUEE_CHDB_PORT: String(at.port),
        MARQUEE_CHDB_USER: USER,
        MARQUEE_CHDB_PASSWORD: engineSecret(at.data),
      },
    };
  },
  async health(at) {
    const store = await openClickHouse({ url: urlOf(at), user: USER, password: engineSecret(at.data) });
    try {
      const { ok, detail } = await store.state();
      if (!ok) throw problem.unavailable(detail);
      return detail;
    } finally {
      await store.close();
    }
  },
  environment: (at) => ({
    MARQUEE_CLICKHOUSE_URL: urlOf(at),
    MARQUEE_CLICKHOUSE_USER: USER,
    MARQUEE_CLICKHOUSE_PASSWORD: engineSecret(at.data),
  }),
};
