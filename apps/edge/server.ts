import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { EdgeConfig } from "./config.ts";
import { openEdge } from "./edge.ts";
import type { Handler } from "./handler.ts";

export interface EdgeServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A token in the query and one in a cookie, CMCD, and what browsers add. */
const HEAD_BYTES_MAX = 24 * 1024;
const CONNECTIONS_MAX = 10_000;
const HEAD_TIMEOUT_MS = 10_000;
/** A client that takes nothing for so long is gone. */
const IDLE_TIMEOUT_MS = 60_000;

/** Starts an edge: its parts, and a listener on each address of its host. */
export async function startEdgeServer(config: EdgeConfig, nowMs?: () => number): Promise<EdgeServer> {
  const edge = await openEdge(config, nowMs);
  const servers: Stoppable[] = [];
  try {
    let port = config.port;
    for (const address of addressesOf(config.host)) {
      const stoppable = await createListener(config, edge.handle);
      const isOptional = address === "::1";
      const isListening = await listen(stoppable.server, port, address, isOptional);
      if (!isListening) continue;
      servers.push(stoppable);
      port = (stoppable.server.address() as AddressInfo).port;
    }
    return {
      port,
      async close() {
        await Promise.all(servers.map((server) => server.stop()));
        await edge.close();
      },
    };
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    await edge.close();
    throw error;
  }
}

/** Browsers try both addresses of localhost; not every machine has the second one. */
const addressesOf = (host: string): readonly string[] => (host === "localhost" ? ["127.0.0.1", "::1"] : [host]);

interface Stoppable {
  readonly server: Server | Http2SecureServer;
  stop(): Promise<void>;
}

async function createListener({ tls }: EdgeConfig, handle: Handler): Promise<Stoppable> {
  const limits = { maxHeaderSize: HEAD_BYTES_MAX, headersTimeout: HEAD_TIMEOUT_MS, requestTimeout: HEAD_TIMEOUT_MS };
  if (tls === undefined) {
    // Connections that nobody uses are ended by the timeout below, without one of their own that is set anew with each request; and nobody
    // reads the bodies of requests for media. With a crowd at a channel the two are some percent of all work.
    const lean = { keepAliveTimeout: 0, optimizeEmptyRequests: true };
    const server = createServer({ ...limits, ...lean, noDelay: true }, handle);
    server.maxConnections = CONNECTIONS_MAX;
    server.setTimeout(IDLE_TIMEOUT_MS);
    return {
      server,
      async stop() {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
  }
  const [cert, key] = await Promise.all([readFile(tls.certFile), readFile(tls.keyFile)]);
  const server = createSecureServer(
    { cert, key, allowHTTP1: true, minVersion: "TLSv1.2", ...limits, settings: { maxConcurrentStreams: 128 } },
    handle,
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.setTimeout(IDLE_TIMEOUT_MS);
  const sockets = new Set<{ destroy(): unknown }>();
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  // A handshake that fails is the client's affair.
  server.on("sessionError", () => {});
  return {
    server,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** False where an optional address is not one of this machine. */
function listen(server: Server | Http2SecureServer, port: number, host: string, isOptional: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (isOptional && (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT")) resolve(false);
      else reject(error);
    };
    server.once("error", onError);
    server.listen({ port, host }, () => {
      server.removeListener("error", onError);
      resolve(true);
    });
  });
}
