import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { randomNormal, seededRandom } from "#learning/random";

/** A network that answers probes, on loopback. */
export async function openNetwork(): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((_, response) => void response.end("ok")).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/**
 * Minutes of two networks whose trouble announces itself: throughput sinks for some minutes, then people suffer, then it is well again. A rule that
 * says "as before" is late at both ends.
 */
export async function seedMinutes(
  adminUrl: string,
  of: { readonly tenant: string; readonly region: string; readonly count: number; readonly lastMinute: number },
): Promise<void> {
  const random = seededRandom(11);
  const rows: (readonly [string, number, number, number])[] = [];
  for (const networkId of ["a", "b"]) {
    let left = 0;
    for (let minute = of.lastMinute - of.count; minute < of.lastMinute; minute += 1) {
      if (left === 0 && random() < 0.04) left = 10;
      const [isSinking, isBad] = [left > 6, left > 0 && left <= 6];
      const kbps = (isSinking ? 5_000 : isBad ? 3_000 : 12_000) * Math.exp(0.1 * randomNormal(random));
      rows.push([networkId, minute, kbps, isBad ? 0.1 + 0.3 * random() : random() < 0.1 ? 0.02 : 0]);
      left = Math.max(0, left - 1);
    }
  }
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const column = (at: number) => rows.map((row) => row[at]);
    await client.query(
      `INSERT INTO models.network_minutes (tenant, network_id, region, minute, beats, throughput_kbps, trouble_ratio, score_p25, latency_ms, is_up)
       SELECT $1, network, $2, minute, 30, kbps, trouble, 90, 20, true
         FROM unnest($3::text[], $4::int[], $5::float8[], $6::float8[]) AS of (network, minute, kbps, trouble)`,
      [of.tenant, of.region, column(0), column(1), column(2), column(3)],
    );
  } finally {
    await client.end();
  }
}
