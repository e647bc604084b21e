/**
 * A slow road to a server: a TCP proxy whose speed can be changed while connections are open. The server's address stays what it is
 * (tokens name it); the browser is told to take this road by a host mapping.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface Road {
  readonly port: number;
  /** For all connections together, towards the browser; null: as fast as it goes. */
  setKbps(kbps: number | null): void;
  /** What each answer takes longer. */
  setDelayMs(ms: number): void;
  close(): Promise<void>;
}

/** About what a network sends at once, so that a slow road is slow all the time and not in bursts. */
const PIECE_BYTES = 1_200;

export async function openRoad(host: string, port: number): Promise<Road> {
  let rateKbps: number | null = null;
  let freeAtMs = 0;
  let delayMs = 0;
  const sockets = new Set<Socket>();

  /** Resolves when it is these bytes' turn. */
  async function turn(bytes: number): Promise<void> {
    if (rateKbps === null) return;
    const nowMs = performance.now();
    const atMs = Math.max(nowMs, freeAtMs);
    freeAtMs = atMs + (bytes * 8) / rateKbps;
    await pause(atMs - nowMs);
  }

  async function carry(from: Socket, to: Socket): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      if (delayMs > 0) await pause(delayMs);
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const piece = chunk.subarray(at, at + PIECE_BYTES);
        await turn(piece.length);
        if (to.destroyed) return;
        to.write(piece);
      }
    }
    to.end();
  }

  const server = createServer((near) => {
    const far = connect({ host, port, noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      // A broken end breaks the other one, as it would without us between them.
      socket.on("error", () => {});
    }
    near.once("close", () => far.destroy());
    far.once("error", () => near.resetAndDestroy());
    near.pipe(far);
    carry(far, near).catch(() => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    setKbps(kbps) {
      rateKbps = kbps;
      freeAtMs = 0;
    },
    setDelayMs(ms) {
      delayMs = ms;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
