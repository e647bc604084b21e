/**
 * An edge beside nginx serving the same files: segments and gigabits a second, with access tokens enforced. Bar: at least 30 % of
 * nginx, for segments of sound (96 KB) and of pictures (1.1 MB); and a cold edge asks the origin once an object, whatever 200
 * clients ask for at the same time.
 *
 * Both have one process and one load generator, and take turns. nginx sends files with sendfile, which is its best.
 * The generator is wrk where it is installed, and a small one of ours where it is not.
 *
 *   node bench/edge.ts
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startEdge } from "../apps/edge/start.ts";
import { freePort } from "#kernel/testing/ports";
import { edgeOptions, get, newKey, newToken, openTestOrigin, type TestOrigin } from "../apps/edge/testing.ts";
import { type Measure, median, table, writeResults } from "./harness.ts";
import { load } from "./load.ts";

const ROUNDS = 7;
const ROUND_S = 2;
const CONNECTIONS = 32;
const SEGMENTS = 20;
const CLIENTS = 200;
const SIZES = { audio: 96_000, video: 1_100_000 } as const;
type Kind = keyof typeof SIZES;

const pathOf = (kind: Kind, number: number): string =>
  `/vod/film/r1/${kind}/seg-${String(number).padStart(7, "0")}.m4s`;

async function startNginx(root: string, port: number): Promise<ChildProcess | undefined> {
  const program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].find((path) => existsSync(path));
  if (program === undefined) return undefined;
  const config = `
daemon off; worker_processes 1; pid ${root}/nginx.pid; error_log ${root}/error.log; ${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000; open_file_cache max=1000;
  client_body_temp_path ${root}/t1; proxy_temp_path ${root}/t2; fastcgi_temp_path ${root}/t3; uwsgi_temp_path ${root}/t4; scgi_temp_path ${root}/t5;
  server { listen 127.0.0.1:${port}; root ${root}/www; } }`;
  await writeFile(join(root, "nginx.conf"), config);
  const child = spawn(program, ["-p", root, "-c", join(root, "nginx.conf"), "-e", join(root, "error.log")], {
    stdio: "ignore",
  });
  for (let tries = 0; tries < 100; tries += 1) {
    const isUp = await get(`http://127.0.0.1:${port}`, "/").then(
      () => true,
      () => false,
    );
    if (isUp) return child;
    await delay(20);
  }
  child.kill();
  throw new Error("nginx did not start");
}

/** 200 clients ask a cold edge for the same objects at the same time. Returns the most that the origin was asked for one. */
async function coalescing(origin: TestOrigin, baseUrl: string, token: string): Promise<number> {
  const paths = Array.from({ length: SEGMENTS }, (_, index) => pathOf("video", index + 1));
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const path = paths[client % 4] ?? "";
      const got = await get(baseUrl, `${path}?CAT=${token}`);
      if (got.status !== 200 || got.body.length !== SIZES.video)
        throw new Error(`${path}: ${got.status}, ${got.body.length} bytes`);
    }),
  );
  for (const path of paths) await get(baseUrl, `${path}?CAT=${token}`);
  return Math.max(...paths.map((path) => origin.counts.get(path) ?? 0));
}

export async function run(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "bench-edge-"));
  const origin = await openTestOrigin();
  const key = newKey();
  origin.keys = [key];
  for (const kind of ["audio", "video"] as const) {
    for (let number = 1; number <= SEGMENTS; number += 1) {
      const [path, body] = [pathOf(kind, number), randomBytes(SIZES[kind])];
      origin.objects.set(path, body);
      await mkdir(dirname(join(root, "www", path)), { recursive: true });
      await writeFile(join(root, "www", path), body);
    }
  }
  const { options, remove } = await edgeOptions(origin, { memoryBytesMax: 128_000_000, cacheBytesMax: 256_000_000 });
  const edge = await startEdge(options);
  const nginxPort = await freePort();
  const nginx = await startNginx(root, nginxPort);
  try {
    const token = await newToken({
      key,
      baseUrl: options.baseUrl,
      nowS: Math.floor(Date.now() / 1_000),
      expS: Math.floor(Date.now() / 1_000) + 3_600,
    });
    const asked = await coalescing(origin, options.baseUrl, token);
    const measures: Measure[] = [
      {
        name: "edge.origin.requests-per-object",
        value: asked,
        unit: "requests",
        bar: 1,
        better: "lower",
        samples: [asked],
      },
    ];
    for (const kind of ["audio", "video"] as const) {
      const paths = Array.from({ length: SEGMENTS }, (_, index) => pathOf(kind, index + 1));
      const targets = {
        edge: { baseUrl: options.baseUrl, query: `?CAT=${token}&CMCD=bl%3D12000%2Cot%3Dv` },
        nginx: { baseUrl: `http://127.0.0.1:${nginxPort}`, query: "" },
      };
      const rates: Record<"edge" | "nginx", number[]> = { edge: [], nginx: [] };
      for (let round = 0; round <= ROUNDS; round += 1) {
        for (const name of nginx ? (["edge", "nginx"] as const) : (["edge"] as const)) {
          const { baseUrl, query } = targets[name];
          const rate = await load({
            baseUrl,
            paths: paths.map((path) => path + query),
            connections: CONNECTIONS,
            durationS: ROUND_S,
            folder: root,
          });
          // The first round warms both up.
          if (round > 0) rates[name].push(rate);
        }
      }
      const gbits = (rate: number): number => (rate * SIZES[kind] * 8) / 1e9;
      for (const name of ["nginx", "edge"] as const) {
        if (rates[name].length === 0) continue;
        measures.push({
          name: `edge.${kind}.${name}`,
          value: median(rates[name]),
          unit: "segments/s",
          bar: null,
          samples: rates[name],
        });
        measures.push({
          name: `edge.${kind}.${name}.rate`,
          value: gbits(median(rates[name])),
          unit: "Gbit/s",
          bar: null,
          samples: rates[name].map(gbits),
        });
      }
      if (!nginx) continue;
      const ratios = rates.edge.map((rate, index) => rate / (rates.nginx[index] ?? Number.NaN));
      measures.push({ name: `edge.${kind}.ratio`, value: median(ratios), unit: "ratio", bar: 0.3, samples: ratios });
    }
    if (!nginx)
      process.stdout.write(
        "nginx is not installed (apt-get install nginx-light), so there is nothing to compare with\n",
      );
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("edge", measures);
  } finally {
    nginx?.kill();
    await edge.stop();
    await origin.close();
    await remove();
    await rm(root, { recursive: true, force: true });
  }
}

if (import.meta.main) await run();
