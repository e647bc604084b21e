// The service of features with somebody who says that people watch, for tests that kill it.
import { Session } from "#contracts/session";
import { defineService, type Platform, problem } from "#kernel";
import features from "../../services/discovery/features/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";

export const PROFILES = 20;
const redelivery = { firstMs: 10, maxMs: 100 };

export async function startFeatures(
  folder: string,
): Promise<{ readonly host: TestHost; readonly watch: (count: number) => Promise<void> }> {
  let say: Platform<typeof Session>["facts"] | undefined;
  const player = defineService({
    ...{ contract: Session, uses: {}, slo: { p99Ms: 1, availability: 0.999 } },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: ({ facts }: Platform<typeof Session>) => (say = facts),
    rpc: () => new Proxy({}, { get: () => () => Promise.reject(problem.internal("not part of the test")) }) as never,
    ready: async () => {},
  });
  const host = await startTestHost({ services: [tenant, player, features], folder, redelivery });
  return {
    host,
    /** So many sessions end, of all profiles in turn. */
    async watch(count) {
      const endedAtMs = Date.now();
      const sessions = Array.from({ length: count }, (_, n) => ({
        ...{ userId: `usr_${n % PROFILES}`, profileId: `prf_${n % PROFILES}`, sessionId: "s", contentId: "vod_1" },
        ...{ deviceId: "d", deviceType: "web", startedAtMs: endedAtMs - 60_000, endedAtMs, sequence: 1 },
        ...{ positionS: 60, durationS: 600, presentedS: 60, reason: "asked" },
      }));
      await say?.("stopped", sessions, { tenant: "demo" });
    },
  };
}
