import { createServer } from "node:net";

const FIRST = 20_000;
const COUNT = 10_000;
const TRIES_MAX = 100;

/**
 * The first of so many neighbouring ports that nobody has just now, for whoever must know an address before anybody listens there. It is none of those
 * that the system gives to connections as they are opened, which would take it again before it is used.
 */
export async function freeRange(count: number): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const first = FIRST + Math.floor(Math.random() * COUNT);
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} neighbouring ports are free between ${FIRST} and ${FIRST + COUNT}`);
}

export const freePort = (): Promise<number> => freeRange(1);

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
