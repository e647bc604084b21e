/**
 * Part of api.ts: the least that a server could do, in a process of its own. `echo` answers with a given number of bytes, which bounds reads.
 * `start` also signs a token (ES256) and writes a row, in one statement for all that came meanwhile, which bounds starts.
 */
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { openBatch } from "#kernel/batch";

export interface LimitOptions {
  readonly what: "echo" | "start";
  readonly bytes: number;
  readonly postgresUrl: string;
}

const ROWS_AT_ONCE_MAX = 500;

async function serve({ what, bytes, postgresUrl }: LimitOptions): Promise<void> {
  const filler = "x".repeat(bytes);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 2 });
  if (what === "start") await pool.query("CREATE TABLE IF NOT EXISTS public.limit_of_starts (id text, body text)");
  const insert = openBatch<string, boolean>({
    itemsMax: ROWS_AT_ONCE_MAX,
    waitingMax: 100_000,
    async run(_, bodies) {
      const ids = bodies.map(() => randomUUID());
      await pool.query("INSERT INTO public.limit_of_starts SELECT * FROM unnest($1::text[], $2::text[])", [
        ids,
        bodies,
      ]);
      return bodies.map(() => true);
    },
  });
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const answer = (): void => void response.writeHead(200, { "content-type": "application/json" }).end(filler);
      if (what === "echo") return answer();
      JSON.parse(body);
      sign("sha256", Buffer.from(body), { key: privateKey, dsaEncoding: "ieee-p1363" });
      void insert("", body).then(answer);
    });
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
}

process.on("message", (options: LimitOptions) => void serve(options));
process.on("disconnect", () => process.exit());
