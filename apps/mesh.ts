import type { AuditLog } from "#kernel/audit";
import { type Config, isLoopback, type Logger, type Metrics, systemClock } from "#kernel";
import { callPolicy } from "#kernel/call-policy";
import { openMeshIdentity } from "#kernel/mesh";
import { openPeers } from "#kernel/peers";
import type { Secrets } from "#kernel/ports/secrets";
import { openRemoteClient, type RemoteClient } from "#kernel/remote-client";
import { listenRemote, type RemoteServer } from "#kernel/remote-server";
import type { Offered } from "#kernel/rpc";
import type { Places } from "./addresses.ts";
import { callers } from "./callers.ts";
import { type Cell, identitiesOf } from "./cell.ts";

export interface Mesh {
  readonly remote: RemoteClient;
  /** Begins to answer other processes. */
  readonly listen: (offered: Offered) => Promise<void>;
  /** Takes no new calls, while those that run may still make calls of their own. */
  stopListening(): Promise<void>;
  stop(): Promise<void>;
}

export interface MeshParts {
  readonly cell: Cell;
  readonly config: Config;
  readonly places: Pick<Places, "rpcPort">;
  readonly secrets: Secrets;
  readonly logger: (service: string) => Logger;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

/** How a cell reaches the rest of the product, and is reached by it. */
export async function openMesh({ cell, config, places, secrets, logger, audit, metrics }: MeshParts): Promise<Mesh> {
  const log = logger("mesh");
  const shared = { clock: systemClock, logger: log, metrics };
  const identity = await openMeshIdentity({ services: identitiesOf(cell), secrets, clock: systemClock, logger: log });
  const remote = openRemoteClient({
    ...shared,
    identity,
    peers: openPeers(config.MARQUEE_PEERS, config.MARQUEE_PEER_TEMPLATE),
  });
  let server: RemoteServer | undefined;
  return {
    remote,
    async listen(offered) {
      if (offered.contracts.length === 0) return;
      server = await listenRemote({
        ...{ ...shared, audit: audit.of("mesh"), offered, identity, mayCall: callPolicy(callers) },
        host: config.MARQUEE_RPC_HOST ?? (isLoopback(config.MARQUEE_HOST) ? "127.0.0.1" : "0.0.0.0"),
        port: places.rpcPort,
      });
    },
    async stopListening() {
      await server?.stop();
      server = undefined;
    },
    async stop() {
      await server?.stop();
      remote.close();
      await identity.stop();
    },
  };
}
