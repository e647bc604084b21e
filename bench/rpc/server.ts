/** The process that is called by bench/rpc.ts: entitlement on real engines, the same contract with nothing behind it, and plain Connect. */
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Catalog } from "#contracts/catalog";
import { Entitlement } from "#contracts/entitlement";
import { Profile } from "#contracts/profile";
import { User } from "#contracts/user";
import { callPolicy } from "#kernel/call-policy";
import { systemClock } from "#kernel/clock";
import { openMeshIdentity } from "#kernel/mesh";
import { listenRemote } from "#kernel/remote-server";
import type { Offered } from "#kernel/rpc";
import { openMetrics } from "#kernel/metrics";
import { silentLogger } from "#kernel/telemetry";
import { serveContract } from "../../kernel/testing/mesh.ts";
import catalog from "../../services/content/catalog/service.ts";
import entitlement from "../../services/identity/entitlement/service.ts";
import profile from "../../services/identity/profile/service.ts";
import subscription from "../../services/identity/subscription/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import { startTestHost } from "../../tests/host.ts";
import { answerOf, TITLES } from "./shared.ts";

let offered: Offered | undefined;
const host = await startTestHost({
  services: [tenant, user, profile, subscription, entitlement, catalog],
  roundTrip: false,
  onMounted: async (given) => void (offered = given),
});
if (!offered) throw new Error("the host mounted nothing");
const { secrets } = host.adapters;
const callers = [{ name: "web", uses: { entitlement: Entitlement } }];
const identity = await openMeshIdentity({
  ...{ services: ["entitlement"], secrets, clock: systemClock },
  logger: silentLogger,
});
const real = await listenRemote({
  ...{ offered, identity, mayCall: callPolicy(callers), host: "127.0.0.1", port: 0, clock: systemClock },
  ...{ logger: silentLogger, audit: async () => undefined, metrics: openMetrics() },
});
const empty = await serveContract(
  Entitlement,
  {
    check: async () => ({}),
    checkMany: async ({ contentIds }) => answerOf(contentIds),
    claims: async () => ({}),
  },
  { secrets, callers },
);
const { ca, cert, key } = identity.tls();
const plain = createSecureServer(
  { ca: [...ca], cert, key, requestCert: true, minVersion: "TLSv1.3" },
  connectNodeAdapter({
    ...{ grpc: true, grpcWeb: false, connect: false, acceptCompression: [] },
    routes: (router) => router.service(Entitlement.rpc, { checkMany: ({ contentIds }) => answerOf(contentIds) }),
  }),
);
await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));

const context = () => host.context();
const { user: made } = await host
  .client(User, "bench")
  .create({ email: "bench@demo.test", name: "Bench", language: "en" }, context());
const userId = made?.id ?? "";
await host.settled();
const { profiles } = await host.client(Profile, "bench").list({ userId }, context());
for (const id of TITLES)
  await host
    .client(Catalog, "bench")
    .add({ title: { id, kind: "film", title: id, publication: "published" } }, context());

process.on("message", async (asked) => {
  if (asked === "cpu") return void process.send?.({ cpu: process.cpuUsage() });
  await real.stop();
  await empty.stop();
  plain.close();
  await identity.stop();
  await host.stop();
  process.exit(0);
});
process.send?.({
  ready: {
    ...{ secretsFolder: `${host.folder}/secrets`, userId, profileId: profiles[0]?.id ?? "" },
    ports: { real: real.port, empty: empty.port, plain: (plain.address() as AddressInfo).port },
  },
});
