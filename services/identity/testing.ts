// TEMPORARY stand-in for kernel/testing.ts.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { topics } from "../../contracts/topics.ts";
import { openEmbeddedCache } from "../../adapters/cache/embedded.ts";
import { openEmbeddedLog } from "../../adapters/log/embedded.ts";
import { openEmbeddedRegistry } from "../../adapters/log/registry.ts";
import { openEmbeddedPostgres } from "../../adapters/postgres/embedded.ts";
import { openFileSecrets } from "../../adapters/secrets/file.ts";
import { readConfig } from "../../kernel/config.ts";
import { startHost } from "../../kernel/host.ts";
import { systemContext } from "../../kernel/context.ts";
import { openMetrics, silentLogger } from "../../kernel/telemetry.ts";
import type { Service, HttpMount } from "../../kernel/service.ts";

export async function startTestHost({ services, env = {} }: { services: Service[]; env?: Record<string, string> }) {
  const root = await mkdtemp(join(tmpdir(), "marquee-ident-"));
  await chmod(root, 0o755);
  const postgres = await openEmbeddedPostgres({ folder: join(root, "pg"), log: () => {} });
  const log = await openEmbeddedLog({ folder: join(root, "log") });
  const registry = await openEmbeddedRegistry({ folder: join(root, "reg") });
  let nowMs = Date.now();
  let offset = 0;
  const clock = {
    nowMs: () => Date.now() + offset,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        const t = setTimeout(resolve, ms);
        signal?.addEventListener("abort", () => {
          clearTimeout(t);
          resolve();
        });
      }),
    advance: async (ms: number) => {
      offset += ms;
    },
  };
  const cache = openEmbeddedCache({ clock: { now: () => clock.nowMs() } });
  const secrets = await openFileSecrets({ folder: join(root, "secrets") });
  const mails: { to: string; subject: string; text: string }[] = [];
  let mounts: readonly HttpMount[] = [];
  const server = createServer((request, response) => {
    const mount = mounts.find((m) => (request.url ?? "").startsWith(m.prefix));
    if (!mount) {
      response.statusCode = 404;
      response.end();
      return;
    }
    Promise.resolve(mount.handle(request, response)).catch((e) => {
      console.error("HTTP", e);
      response.statusCode = 500;
      response.end();
    });
  });
  await new Promise<void>((r) => server.listen(0, "127.0.0.1", r));
  const port = (server.address() as AddressInfo).port;
  const loud = process.env["LOUD"] ? { debug() {}, info() {}, warn: console.warn, error: console.error } : silentLogger;
  const never = (): never => {
    throw new Error("not in this test");
  };
  const adapters = {
    postgres,
    log,
    registry,
    cache,
    secrets,
    mail: {
      send: async (m: { to: string; subject: string; text: string }) => void mails.push(m),
      state: async () => ({ ok: true, detail: "" }),
    },
    objects: {} as never,
    jobs: {} as never,
    transcoder: {} as never,
  };
  const host = await startHost({
    services,
    topics,
    adapters,
    config: readConfig({ MARQUEE_TENANT: "demo", ...env }),
    addresses: { publicUrl: `http://localhost:${port}`, originUrl: "http://localhost:1", edges: [] },
    clock,
    metrics: openMetrics(),
    logger: () => loud,
    transport: { roundTrip: true },
  });
  mounts = host.http;
  void nowMs;
  void never;
  return {
    host,
    clock,
    adapters,
    mails,
    publicUrl: `http://localhost:${port}`,
    client: ((contract) => host.client(contract, "test")) as <S extends import("@bufbuild/protobuf").DescService>(
      c: import("../../kernel/contract.ts").Contract<S>,
    ) => import("../../kernel/contract.ts").Client<S>,
    context: (options: { tenant?: string; viewer?: Partial<import("../../kernel/context.ts").Viewer> } = {}) => ({
      ...systemContext(options.tenant ?? "demo", "test", { clock, deadlineMs: 60_000 }),
      viewer: options.viewer
        ? { userId: "", profileId: "", tier: "basic", deviceId: "", entitlements: [], ...options.viewer }
        : null,
    }),
    drained: () => host.drained(),
    async stop() {
      await host.stop();
      server.closeAllConnections();
      server.close();
      await log.close();
      await registry.close();
      await cache.close();
      await secrets.close();
      await postgres.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
