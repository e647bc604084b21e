/**
 * Part of api.ts: requests over HTTP/1.1 from a process of its own, on bare sockets, so that it takes as little as possible of the cores that it
 * shares with the server. Closed: every connection asks again as soon as it is answered, which finds the most that the server does.
 * Open: requests are due at a fixed rate whatever the answers take, and latency counts from the moment when one was due.
 */
import { connect, type Socket } from "node:net";

export interface Ask {
  /** The row that it counts for, where several are asked at once. */
  readonly of?: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Run {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly durationS: number;
  /** Requests a second; null asks again and again. */
  readonly perS: number | null;
  /** Sent in turn. */
  readonly asks: readonly Ask[];
  /** Every answer has one of these, else it counts as refused (503 or 429 that says when to come back) or failed. */
  readonly statuses: readonly number[];
}

export interface Tally {
  good: number;
  refused: number;
}

export interface Report {
  /** All that came, whatever they said. */
  readonly answered: number;
  readonly refused: number;
  readonly failed: number;
  readonly elapsedS: number;
  /** Of those that were neither refused nor failed. */
  readonly latenciesMs: readonly number[];
  /** By the name of the ask. */
  readonly tallies: Readonly<Record<string, Tally>>;
  /** The first answer that was not as expected. */
  readonly fault: string;
}

const FAULT_CHARACTERS_MAX = 300;
const NO_ANSWER_MS = 20_000;

const bytesOf = ({ method, path, headers, body }: Ask, host: string): Buffer => {
  const lines = Object.entries({ host, "content-length": String(Buffer.byteLength(body)), ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n${body}`);
};

/** Nine of these in a request stand for a number that is larger each time. */
const COUNTER = "#########";

/** Where the answer at the beginning of `text` ends, or -1 while some of it is missing. Bodies are counted or chunked. */
function endOf(text: string): number {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return -1;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2))?.[1];
  if (length !== undefined) return text.length >= head + 4 + Number(length) ? head + 4 + Number(length) : -1;
  const last = text.indexOf("0\r\n\r\n", head + 4);
  return last < 0 ? -1 : last + 5;
}

async function generate({ host, port, connections, durationS, perS, asks, statuses }: Run): Promise<Report> {
  const prepared = asks.map((ask) => {
    const bytes = bytesOf(ask, host);
    return { bytes, counterAt: bytes.indexOf(COUNTER), of: ask.of ?? "" };
  });
  const latenciesMs: number[] = [];
  const due: number[] = [];
  const idle: ((dueMs: number) => void)[] = [];
  const tallies: Record<string, Tally> = Object.fromEntries(prepared.map(({ of }) => [of, { good: 0, refused: 0 }]));
  let [at, answered, failed, fault] = [0, 0, 0, ""];
  const beganMs = performance.now();
  const isOver = (): boolean => performance.now() - beganMs > durationS * 1_000;

  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket: Socket = connect({ host, port, noDelay: true });
      await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
      return socket;
    }),
  );

  /** One connection's life: takes what is due, or in a closed run whatever comes next. */
  function serve(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      let text = "";
      let dueMs = 0;
      let isAsking = false;
      let asked = "";
      const fail = (why: string): void => {
        failed += 1;
        fault ||= why.slice(0, FAULT_CHARACTERS_MAX);
        resolve();
      };
      const send = (whenMs: number): void => {
        dueMs = whenMs;
        isAsking = true;
        const one = prepared[at++ % prepared.length];
        if (!one) return;
        const { bytes, counterAt } = one;
        asked = one.of;
        // A copy, because the socket may still hold what was written before.
        const sent = counterAt < 0 ? bytes : Buffer.from(bytes);
        if (counterAt >= 0) sent.write(String(at).padEnd(COUNTER.length), counterAt, "latin1");
        socket.write(sent);
      };
      const next = (): void => {
        if (perS === null) {
          if (isOver()) resolve();
          else send(performance.now());
          return;
        }
        const first = due.shift();
        if (first !== undefined) send(first);
        else if (isOver()) resolve();
        else idle.push((whenMs) => (whenMs < 0 ? resolve() : send(whenMs)));
      };
      // Bytes as characters, so that lengths are those of the wire.
      socket.setEncoding("latin1");
      socket.on("data", (chunk: string) => {
        text += chunk;
        const end = endOf(text);
        if (end < 0) return;
        isAsking = false;
        answered += 1;
        const status = Number(text.slice(9, 12));
        const tally = tallies[asked];
        if (statuses.includes(status)) {
          latenciesMs.push(performance.now() - dueMs);
          if (tally) tally.good += 1;
        } else if ((status === 503 || status === 429) && /\r\nretry-after: \d/i.test(text.slice(0, end))) {
          if (tally) tally.refused += 1;
        } else {
          failed += 1;
          fault ||= text.slice(0, end).slice(-FAULT_CHARACTERS_MAX);
        }
        text = text.slice(end);
        next();
      });
      socket.once("error", (error) => fail(error.message));
      socket.once("close", () => fail("the server closed the connection"));
      socket.setTimeout(NO_ANSWER_MS, () => {
        if (isAsking) fail("no answer came");
      });
      next();
    });
  }

  const serving = sockets.map(serve);
  if (perS !== null) {
    for (let n = 0; n < perS * durationS; ) {
      const nowMs = performance.now();
      for (; n < perS * durationS && beganMs + (n * 1_000) / perS <= nowMs; n += 1) {
        const whenMs = beganMs + (n * 1_000) / perS;
        const free = idle.shift();
        if (free) free(whenMs);
        else due.push(whenMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    while (due.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const free of idle.splice(0)) free(-1);
  }
  await Promise.all(serving);
  const elapsedS = (performance.now() - beganMs) / 1_000;
  for (const socket of sockets) socket.removeAllListeners("close").destroy();
  const refused = Object.values(tallies).reduce((sum, tally) => sum + tally.refused, 0);
  return { answered, refused, failed, elapsedS, latenciesMs, tallies, fault };
}

process.on("message", (run: Run) => void generate(run).then((report) => process.send?.(report)));
process.on("disconnect", () => process.exit());
