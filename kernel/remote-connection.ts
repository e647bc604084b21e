import { isIP } from "node:net";
import type { SecureClientSessionOptions } from "node:http2";
import type { PeerCertificate } from "node:tls";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { Clock } from "./clock.ts";
import { type Problem, problem } from "./errors.ts";
import { type MeshIdentity, servicesOf } from "./mesh.ts";
import { HEADERS_BYTES_MAX, MESSAGE_BYTES_MAX } from "./remote-wire.ts";

/** The one HTTP/2 connection to an address: opened when needed, kept alive, opened again when it broke. */
export interface Connection {
  readonly transport: Transport;
  /** Resolves when a process is there that proved to run the service; rejects with `unavailable`, and then nothing was sent. */
  ready(service: string): Promise<void>;
  close(): void;
}

export interface ConnectionOptions {
  /** Such as `https://10.0.0.3:7001`. */
  readonly address: string;
  readonly identity: MeshIdentity;
  readonly clock: Clock;
}

const PING_MS = 20_000;
const PING_TIMEOUT_MS = 5_000;
const CONNECT_MS_MAX = 3_000;
const SESSION_MEMORY_MB = 64;

export function openConnection({ address, identity, clock }: ConnectionOptions): Connection {
  const { hostname } = new URL(address);
  /** What the process at the other end proved to run, when it was last connected to. */
  let peer: ReadonlySet<string> = new Set();
  const options: SecureClientSessionOptions = {
    minVersion: "TLSv1.3",
    // Addresses change and names are the network's; who a process is stands in its certificate.
    checkServerIdentity(_, certificate: PeerCertificate) {
      peer = new Set(servicesOf(certificate.subjectaltname));
      return peer.size > 0 ? undefined : new Error("the certificate names no service of ours");
    },
    ...(isIP(hostname.replaceAll(/[[\]]/g, "")) ? {} : { servername: hostname }),
    settings: { enablePush: false, maxHeaderListSize: HEADERS_BYTES_MAX },
    maxSessionMemory: SESSION_MEMORY_MB,
  };
  // The options are read when a connection is opened: those that are open keep the certificate that they were opened with.
  const takeCertificate = (): void => {
    const { ca, cert, key } = identity.tls();
    Object.assign(options, { ca: [...ca], cert, key });
  };
  takeCertificate();
  identity.onReplaced(takeCertificate);
  const manager = new Http2SessionManager(
    address,
    { pingIntervalMs: PING_MS, pingTimeoutMs: PING_TIMEOUT_MS, pingIdleConnection: false },
    options,
  );
  const transport = createGrpcTransport({
    baseUrl: address,
    sessionManager: manager,
    // Between processes of one network a core costs more than the bytes that it would save.
    acceptCompression: [],
    readMaxBytes: MESSAGE_BYTES_MAX,
    writeMaxBytes: MESSAGE_BYTES_MAX,
  });
  let connecting: Promise<void> | undefined;

  async function connect(): Promise<void> {
    const late = new AbortController();
    const tooLong = clock.sleep(CONNECT_MS_MAX, late.signal).then(
      () => {
        // A connection that is there by now may carry calls already.
        if (manager.state() === "connecting")
          manager.abort(new Error(`no connection within ${CONNECT_MS_MAX / 1_000} s`));
      },
      () => {},
    );
    const state = await manager.connect();
    late.abort();
    await tooLong;
    if (state === "error") throw unreachable(address, manager.error());
  }

  return {
    transport,
    async ready(service) {
      const state = manager.state();
      // One that was silent for long is verified by the library, as part of the next request.
      if (state === "closed" || state === "error" || state === "connecting") {
        connecting ??= connect().finally(() => (connecting = undefined));
        await connecting;
      }
      if (peer.has(service)) return;
      throw problem.unavailable(
        `the process at ${address} runs ${[...peer].join(", ")} and not '${service}': correct MARQUEE_PEERS`,
        { reason: "wrong_address" },
      );
    },
    close: () => manager.abort(),
  };
}

function unreachable(address: string, cause: unknown): Problem {
  for (let each: unknown = cause; each instanceof Error; each = each.cause) {
    const code = "code" in each && typeof each.code === "string" ? each.code : "";
    if (/CERT|^ERR_(SSL|TLS)|^UNABLE_TO|names no service of ours/.test(`${code} ${each.message}`)) {
      return problem.unavailable(
        `the process at ${address} cannot prove that it is one of ours (${each.message}): do both use the same secrets?`,
        { reason: "untrusted_peer", cause },
      );
    }
  }
  return problem.unavailable(`nothing answers at ${address}`, { reason: "unreachable", cause });
}
