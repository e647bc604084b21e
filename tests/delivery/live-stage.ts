import { License } from "#contracts/license";
import { Live } from "#contracts/live";
import { Keys } from "#contracts/keys";
import { defineService, problem, type Service } from "#kernel";
import { listenHttp, sendProblem } from "#kernel/http";
import { silentLogger } from "#kernel/telemetry";
import keys from "../../services/content/keys/service.ts";
import live from "../../services/delivery/live/service.ts";
import { startTestHost, type TestHostOptions } from "../host.ts";

/** Says where licences would be; the keys themselves are the real service's. */
const license = defineService({
  contract: License,
  uses: {},
  slo: { p99Ms: 100, availability: 0.99 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: () => ({}),
  rpc: () => ({
    locate: async ({ sessionId, token }) => ({ clearkey: `https://licence.test/clearkey/${sessionId}?CAT=${token}` }),
  }),
  ready: async () => {},
});

/** Live and its keys on real engines and a real ffmpeg, behind the origin's listener. */
export async function openLiveStage(options: Partial<TestHostOptions> = {}, more: readonly Service[] = []) {
  const host = await startTestHost({ ...options, services: [live, keys, license, ...more] });
  const listener = await listenHttp({
    ...{ name: "origin", host: "127.0.0.1", port: 0, logger: silentLogger, metrics: host.metrics },
    mounts: host.host.http,
    fallback: (request, response) => sendProblem(request, response, problem.notFound("nothing is there")),
  });
  const url = `http://127.0.0.1:${listener.port}`;
  return {
    ...{ host, url, live: host.client(Live, "test"), keys: host.client(Keys, "live") },
    add: (channel: {
      readonly id: string;
      readonly name?: string;
      readonly ladder?: string[];
      readonly latency?: string;
    }) =>
      host
        .client(Live, "test")
        .add({ channel: { name: "Test channel", ...channel }, inputs: [{ kind: "demo" }] }, host.context()),
    get: (path: string) => fetch(`${url}${path}`, { signal: AbortSignal.timeout(20_000) }),
    async stop() {
      await listener.stop();
      await host.stop();
    },
  };
}
