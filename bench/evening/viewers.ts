/**
 * Part of evening.ts: viewers in a process of their own, each on a connection of its own. Each starts at a time of the first part of the evening, beats
 * every ten seconds, zaps to another film every five minutes or so and exchanges its media tokens every four. Whatever is due is asked at
 * that time, however long other answers take, and latency counts from then.
 */
import { connect, type Socket } from "node:net";

export interface Guest {
  readonly token: string;
  readonly deviceId: string;
}

export interface Evening {
  readonly port: number;
  readonly guests: readonly Guest[];
  readonly films: readonly string[];
  readonly durationS: number;
  /** Guests arrive within so many seconds. */
  readonly arrivalS: number;
}

export interface Kept {
  readonly startMs: readonly number[];
  readonly beatMs: readonly number[];
  readonly refreshes: number;
  readonly stops: number;
  readonly failed: number;
  /** The first answer that was not as it should be. */
  readonly fault: string;
}

const BEAT_S = 10;
const ZAP_S = 300;
const REFRESH_S = 240;
const STEP_MS = 5;
const NO_ANSWER_MS = 30_000;
/** Addresses of loopback to come from: each has 28,000 ports to give. */
const FROM = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];
const API = "/api/web/v1/playback/sessions";

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Asks one thing after the other on one connection. */
function openAsker(port: number, from: string) {
  let text = "";
  let answered: ((answer: Answer) => void) | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const socket: Socket = connect({ host: "127.0.0.1", port, localAddress: from, noDelay: true });
  socket.setEncoding("latin1");
  const end = (why: string): void => answered?.({ status: 0, body: why });
  socket.on("error", (error) => end(error.message));
  socket.on("close", () => end("the server closed the connection"));
  socket.on("data", (chunk: string) => {
    text += chunk;
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return;
    const said = text.startsWith("HTTP/1.1 204")
      ? "0"
      : /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2))?.[1];
    // Behind an answer that does not say how long it is nothing could be read.
    if (said === undefined) return end("an answer without its length");
    const length = Number(said);
    if (text.length < head + 4 + length) return;
    const answer = { status: Number(text.slice(9, 12)), body: text.slice(head + 4, head + 4 + length) };
    text = text.slice(head + 4 + length);
    answered?.(answer);
  });
  const send = (method: string, path: string, token: string, body: string): Promise<Answer> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => end("no answer came"), NO_ANSWER_MS);
      answered = (answer) => {
        clearTimeout(timer);
        answered = undefined;
        resolve(answer);
      };
      socket.write(
        `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\nx-marquee: web\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    });
  return {
    ask(method: string, path: string, token: string, body: string): Promise<Answer> {
      const next = last.then(() => send(method, path, token, body));
      last = next;
      return next;
    },
    close: () => void socket.removeAllListeners("close").destroy(),
  };
}

interface Due {
  readonly atMs: number;
  readonly act: (dueMs: number) => void;
}

/** What is due, by the step of time in which it is. */
function openAgenda() {
  const slots = new Map<number, Due[]>();
  let at = Math.floor(performance.now() / STEP_MS);
  return {
    add(atMs: number, act: Due["act"]): void {
      const slot = Math.max(at, Math.floor(atMs / STEP_MS));
      const list = slots.get(slot);
      if (list) list.push({ atMs, act });
      else slots.set(slot, [{ atMs, act }]);
    },
    run(): void {
      const now = Math.floor(performance.now() / STEP_MS);
      while (at < now) {
        const list = slots.get(at) ?? [];
        slots.delete(at);
        at += 1;
        for (const { atMs, act } of list) act(atMs);
      }
    },
  };
}

async function spend({ port, guests, films, durationS, arrivalS }: Evening): Promise<Kept> {
  const kept = { startMs: [] as number[], beatMs: [] as number[], refreshes: 0, stops: 0, failed: 0, fault: "" };
  const agenda = openAgenda();
  const beganMs = performance.now();
  const endMs = beganMs + durationS * 1_000;
  const closing: (() => void)[] = [];
  let underWay = 0;

  function watch(guest: Guest, index: number): void {
    const asker = openAsker(port, FROM[index % FROM.length] ?? "127.0.0.1");
    closing.push(asker.close);
    let session = "";
    let sequence = 0;
    let zapMs = 0;
    let refreshMs = 0;

    async function ask(expected: number, method: string, path: string, body: object): Promise<string | undefined> {
      underWay += 1;
      const { status, body: text } = await asker.ask(method, path, guest.token, JSON.stringify(body));
      underWay -= 1;
      if (status === expected) return text;
      kept.failed += 1;
      kept.fault ||= `${method} ${path}: ${status} ${text.slice(0, 200)}`;
      return undefined;
    }

    async function start(dueMs: number): Promise<void> {
      const film = films[Math.floor(Math.random() * films.length)] ?? "";
      const device = { id: guest.deviceId, type: "web", name: "Evening" };
      const text = await ask(201, "POST", API, { contentId: film, device });
      kept.startMs.push(performance.now() - dueMs);
      if (text === undefined) return agenda.add(performance.now() + 1_000, (again) => void start(again));
      session = (JSON.parse(text) as { sessionId: string }).sessionId;
      sequence = 0;
      zapMs = dueMs + ZAP_S * 1_000 * (0.5 + Math.random());
      refreshMs = dueMs + REFRESH_S * 1_000;
      agenda.add(dueMs + BEAT_S * 1_000, (at) => void beat(at));
    }

    async function beat(dueMs: number): Promise<void> {
      if (dueMs > endMs) return;
      if (dueMs >= zapMs) {
        if (
          (await ask(204, "POST", `${API}/${session}/stop`, { positionS: sequence * BEAT_S, sequence })) !== undefined
        )
          kept.stops += 1;
        return start(dueMs);
      }
      if (dueMs >= refreshMs) {
        refreshMs += REFRESH_S * 1_000;
        if ((await ask(200, "POST", `${API}/${session}/token`, {})) !== undefined) kept.refreshes += 1;
      }
      sequence += 1;
      const text = await ask(200, "POST", `${API}/${session}/heartbeats`, beatOf(sequence));
      if (text !== undefined && (JSON.parse(text) as { ended: boolean }).ended) {
        kept.failed += 1;
        kept.fault ||= `session ${session} was ended by somebody else`;
        return start(performance.now());
      }
      if (text !== undefined) kept.beatMs.push(performance.now() - dueMs);
      agenda.add(dueMs + BEAT_S * 1_000, (at) => void beat(at));
    }
    agenda.add(beganMs + (index * arrivalS * 1_000) / guests.length, (at) => void start(at));
  }

  // A guest's connection is opened when it comes, as those of people are.
  for (const [index, guest] of guests.entries())
    agenda.add(beganMs + (index * arrivalS * 1_000) / guests.length - STEP_MS, () => watch(guest, index));
  while (performance.now() < endMs || underWay > 0) {
    agenda.run();
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
  for (const close of closing) close();
  return kept;
}

const beatOf = (sequence: number) => ({
  ...{ sequence, positionS: sequence * BEAT_S, durationS: 7_200, state: "playing", cdnId: "edge-a" },
  ...{ videoStartTimeMs: 300, rebufferCount: 0, rebufferDurationMs: 0, bitrateKbps: 300, averageBitrateKbps: 300 },
  ...{ bitrateMaxKbps: 300, bitrateSwitches: 0, width: 320, height: 180, resolutionDrops: 0, droppedFrames: 0 },
  ...{ decodedFrames: 100, throughputKbps: 20_000, bufferS: 24, errors: [] },
});

process.on("message", (evening: Evening) => void spend(evening).then((kept) => process.send?.(kept)));
process.on("disconnect", () => process.exit());
