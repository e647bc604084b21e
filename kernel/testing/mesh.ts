import type { AuditEvent } from "../audit.ts";
import type { DescService } from "@bufbuild/protobuf";
import { type Caller, callPolicy } from "../call-policy.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Client, Contract, Handlers } from "../contract.ts";
import { problem } from "../errors.ts";
import { type MeshIdentity, openMeshIdentity } from "../mesh.ts";
import type { Peers } from "../peers.ts";
import type { Secret, Secrets } from "../ports/secrets.ts";
import { openRemoteClient, type RemoteClient } from "../remote-client.ts";
import { listenRemote, type RemoteServer } from "../remote-server.ts";
import { localTransport } from "../rpc.ts";
import { type Metrics, openMetrics } from "../metrics.ts";
import { type Logger, silentLogger } from "../telemetry.ts";

/** Secrets in memory, for tests of what keeps one name in them: versions and races as the port promises. */
export function secretsInMemory(): Pick<Secrets, "get" | "put"> {
  const kept = new Map<string, Secret>();
  return {
    get: async (name) => kept.get(name),
    async put(name, value, options) {
      const version = kept.get(name)?.version ?? 0;
      if (options?.expectedVersion !== undefined && options.expectedVersion !== version)
        throw problem.aborted(`'${name}' has version ${version}`);
      kept.set(name, { version: version + 1, value });
      return version + 1;
    },
  };
}

export interface ServerOptions {
  readonly secrets: Pick<Secrets, "get" | "put">;
  readonly callers: readonly Caller[];
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly port?: number;
}

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly metrics: Metrics;
  readonly identity: MeshIdentity;
  readonly server: RemoteServer;
  /** What the audit log would hold. */
  readonly recorded: readonly AuditEvent[];
  stop(): Promise<void>;
}

/** A process that runs one service, as far as the wire can tell. */
export async function serveContract<S extends DescService>(
  contract: Contract<S>,
  handlers: Handlers<S>,
  options: ServerOptions,
): Promise<TestServer> {
  const { secrets, callers, clock = systemClock, logger = silentLogger } = options;
  const metrics = openMetrics();
  const recorded: AuditEvent[] = [];
  const audit = async (event: AuditEvent): Promise<void> => void recorded.push(event);
  const identity = await openMeshIdentity({ services: [contract.name], secrets, clock, logger });
  const offered = localTransport({ clock, metrics });
  offered.mount(contract, handlers);
  const server = await listenRemote({
    ...{ offered, identity, clock, logger, metrics, audit, mayCall: callPolicy(callers) },
    host: "127.0.0.1",
    port: options.port ?? 0,
  });
  return {
    ...{ server, identity, metrics, recorded, port: server.port, url: `https://127.0.0.1:${server.port}` },
    async stop() {
      await server.stop();
      await identity.stop();
    },
  };
}

export interface TestCaller {
  readonly remote: RemoteClient;
  readonly metrics: Metrics;
  readonly identity: MeshIdentity;
  client<S extends DescService>(contract: Contract<S>, caller?: string): Client<S>;
  stop(): Promise<void>;
}

/** A process that runs `services` and calls what is at `addresses`. */
export async function openCaller(options: {
  readonly services: readonly string[];
  readonly secrets: Pick<Secrets, "get" | "put">;
  readonly addresses: readonly string[] | Peers;
  readonly clock?: Clock;
}): Promise<TestCaller> {
  const { services, secrets, addresses, clock = systemClock } = options;
  const metrics = openMetrics();
  const identity = await openMeshIdentity({ services, secrets, clock, logger: silentLogger });
  const remote = openRemoteClient({
    ...{
      identity,
      clock,
      metrics,
      logger: silentLogger,
      peers: typeof addresses === "function" ? addresses : () => addresses,
    },
    random: () => 0,
  });
  const transport = localTransport({ clock, metrics, remote });
  return {
    ...{ remote, metrics, identity },
    client: (contract, caller = services[0] ?? "") => transport.client(contract, caller),
    async stop() {
      remote.close();
      await identity.stop();
    },
  };
}
