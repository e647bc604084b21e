import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Addresses, type Config, isLoopback, problem } from "#kernel";
import type { Tls } from "#kernel/http";
import { parseEdges, parseOrigin } from "#kernel/peers";

/** Where everything of one product listens. */
export interface Places {
  readonly addresses: Addresses;
  /** What sockets bind to. */
  readonly bind: string;
  readonly publicPort: number;
  readonly edgePorts: readonly [number, number];
  /** Plain HTTP on loopback for ourselves: origin, token endpoint, rendering. */
  readonly originPort: number;
  readonly adminPort: number;
  /** Where other processes call us, when there are any. */
  readonly rpcPort: number;
  /** The operators' pages, on loopback, from the first time that somebody asks for a link. */
  readonly consolePort: number;
  readonly tls: (Tls & { readonly certFile: string; readonly keyFile: string }) | undefined;
}

export async function placesOf(config: Config): Promise<Places> {
  const { MARQUEE_HOST: host, MARQUEE_PORT: port } = config;
  const [publicPort = 0, edgeA = 0, edgeB = 0, originPort = 0, adminPort = 0, rpcPort = 0, consolePort = 0] =
    port === 0 ? await freePorts(7) : [0, 1, 2, 3, 4, 5, 6].map((n) => port + n);
  const isLocal = isLoopback(host);
  const tls = isLocal && !config.MARQUEE_TLS_CERT ? undefined : await readTls(config);
  const scheme = tls ? "https" : "http";
  // Two names for one machine: cookies and connections of the two networks stay apart, as they would be in the world.
  const [nameA, nameB] = isLocal ? ["localhost", "127.0.0.1"] : [host, host];
  return {
    bind: isLocal ? "localhost" : "0.0.0.0",
    publicPort,
    edgePorts: [edgeA, edgeB],
    originPort,
    adminPort,
    rpcPort: config.MARQUEE_RPC_PORT ?? rpcPort,
    consolePort,
    tls,
    addresses: {
      publicUrl: config.MARQUEE_PUBLIC_URL
        ? parseOrigin(config.MARQUEE_PUBLIC_URL)
        : `${scheme}://${host}:${publicPort}`,
      originUrl: config.MARQUEE_ORIGIN_URL ? parseOrigin(config.MARQUEE_ORIGIN_URL) : `http://127.0.0.1:${originPort}`,
      edges: config.MARQUEE_EDGES
        ? parseEdges(config.MARQUEE_EDGES)
        : [
            { id: "edge-a", baseUrl: `${scheme}://${nameA}:${edgeA}` },
            { id: "edge-b", baseUrl: `${scheme}://${nameB}:${edgeB}` },
          ],
    },
  };
}

/** The certificate by path, or the one that `marquee cert` made. Its authority is trusted by this process, which calls itself. */
async function readTls(config: Config): Promise<NonNullable<Places["tls"]>> {
  const folder = join(config.MARQUEE_DATA, "tls");
  const certFile = config.MARQUEE_TLS_CERT ?? join(folder, "server.crt");
  const keyFile = config.MARQUEE_TLS_KEY ?? join(folder, "server.key");
  const [cert, key] = await Promise.all([readFile(certFile, "utf8"), readFile(keyFile, "utf8")]).catch(
    (error: unknown) => {
      throw problem.precondition(
        `'${config.MARQUEE_HOST}' needs HTTPS, because browsers play protected films only there, and '${certFile}' cannot be read. Make a certificate: ./marquee cert ${config.MARQUEE_HOST} - or name yours in MARQUEE_TLS_CERT and MARQUEE_TLS_KEY`,
        { cause: error },
      );
    },
  );
  const authority = await readFile(join(folder, "ca.crt"), "utf8").catch(() => undefined);
  if (authority) setDefaultCACertificates([...getCACertificates("default"), authority]);
  return { cert, key, certFile, keyFile };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
