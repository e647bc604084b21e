/**
 * A player without a picture: starts sessions, beats, reads media, makes acquaintances, as fast as it is answered, and remembers
 * every answer that it got. What was answered was promised.
 */
import { setTimeout as pause } from "node:timers/promises";
import { User } from "#contracts/user";
import type { AdminClient } from "../../apps/cli/client.ts";
import { type Account, accessToken } from "./accounts.ts";

const BEAT_EVERY_MS = 40;
const SESSION_EVERY_BEATS = 40;
const USER_EVERY_BEATS = 20;
const REQUEST_MS_MAX = 5_000;

interface Acknowledged {
  readonly users: string[];
  /** Every session that was given. */
  readonly sessionIds: string[];
  /** Every beat that was taken, as `session/sequence`. */
  readonly beatIds: string[];
  /** The living session: each start on the same device replaces the one before. */
  sessionId: string | null;
  sequence: number;
  positionS: number;
  beats: number;
  sessions: number;
  segments: number;
}

export interface Viewer {
  readonly acknowledged: Readonly<Acknowledged>;
  /** What went wrong last; the product being dead is part of it. */
  fault(): string;
  /** Begins, or goes on where it was stopped. */
  play(): void;
  /** Resolves when nothing is under way. */
  pause(): Promise<void>;
  /** One beat that moves nothing: false where the platform does not know the session any more. */
  isKnown(): Promise<boolean>;
  /** The next segment, as a player reads ahead whatever becomes of its beats. */
  mediaOnly(): Promise<void>;
  /** A fresh sign-in. */
  signIn(): Promise<void>;
}

interface Started {
  readonly sessionId: string;
  readonly manifests: { readonly hls: string };
}

export function openViewer(admin: AdminClient, url: string, account: Account, contentId: string): Viewer {
  const acknowledged: Acknowledged = {
    users: [],
    sessionIds: [],
    beatIds: [],
    sessionId: null,
    sequence: -1,
    positionS: -1,
    beats: 0,
    sessions: 0,
    segments: 0,
  };
  let token = "";
  let segments: string[] = [];
  let isPlaying = false;
  let running = Promise.resolve();
  let turn = 0;
  let people = 0;
  let fault = "";

  async function post(path: string, body: unknown): Promise<Response> {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "x-marquee": "web" };
    const signal = AbortSignal.timeout(REQUEST_MS_MAX);
    return fetch(`${url}/api/web/v1/playback/sessions${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
      signal,
    });
  }

  async function start(): Promise<void> {
    const device = { id: `chaos-${account.userId}`, type: "web", name: "Chaos" };
    const answer = await post("", { contentId, device });
    if (answer.status !== 201) throw new Error(`a start was answered ${answer.status}: ${await answer.text()}`);
    const { sessionId, manifests } = (await answer.json()) as Started;
    Object.assign(acknowledged, { sessionId, sequence: -1, sessions: acknowledged.sessions + 1 });
    acknowledged.sessionIds.push(sessionId);
    segments = await segmentsOf(manifests.hls);
  }

  async function beat(sequence: number, positionS: number): Promise<boolean> {
    const answer = await post(`/${acknowledged.sessionId}/heartbeats`, beatOf(sequence, positionS));
    if (answer.status !== 200) throw new Error(`a beat was answered ${answer.status}: ${await answer.text()}`);
    const { ended } = (await answer.json()) as { ended: boolean };
    if (!ended) {
      acknowledged.sequence = sequence;
      acknowledged.positionS = positionS;
      acknowledged.beats += 1;
      acknowledged.beatIds.push(`${acknowledged.sessionId}/${sequence}`);
    }
    return !ended;
  }

  async function step(): Promise<void> {
    turn += 1;
    if (acknowledged.sessionId === null || turn % SESSION_EVERY_BEATS === 0) await start();
    if (turn % USER_EVERY_BEATS === 0) {
      people += 1;
      const { user } = await admin
        .of(User)
        .create({ email: `guest-${people}-${account.userId}@chaos.test`, name: "Guest", language: "en" });
      if (user) acknowledged.users.push(user.id);
    }
    // Positions only grow, so that the last one that was answered is also the largest.
    // A session that was silent for too long is over, and a player begins a new one.
    if (!(await beat(acknowledged.sequence + 1, Math.max(0, acknowledged.positionS) + 0.01)))
      acknowledged.sessionId = null;
    await readSegment();
  }

  async function readSegment(): Promise<void> {
    const segment = segments[turn % Math.max(1, segments.length)];
    if (segment === undefined) return;
    const media = await fetch(segment, { signal: AbortSignal.timeout(REQUEST_MS_MAX) });
    if ((await media.arrayBuffer()).byteLength > 0 && media.ok) acknowledged.segments += 1;
  }

  async function run(): Promise<void> {
    while (isPlaying) {
      // The product is dead now and then: that is the point, and what is not answered was not promised.
      await step().catch((error: unknown) => {
        fault = String(error);
      });
      await pause(BEAT_EVERY_MS);
    }
  }

  return {
    acknowledged,
    fault: () => fault,
    play() {
      if (isPlaying) return;
      isPlaying = true;
      running = run();
    },
    async pause() {
      isPlaying = false;
      await running;
    },
    isKnown: () => beat(acknowledged.sequence + 1, Math.max(0, acknowledged.positionS)),
    async mediaOnly() {
      turn += 1;
      await readSegment().catch((error: unknown) => {
        fault = String(error);
      });
    },
    async signIn() {
      token = await accessToken(admin, account.email);
    },
  };
}

/** The addresses of a media playlist's segments: the first rung's. */
export async function segmentsOf(mainUrl: string): Promise<string[]> {
  const read = async (url: string): Promise<string> => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(REQUEST_MS_MAX) });
    if (!answer.ok) throw new Error(`a playlist was answered ${answer.status}`);
    return answer.text();
  };
  const addresses = (text: string, base: string): string[] =>
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => new URL(line.trim(), base).href);
  const [media] = addresses(await read(mainUrl), mainUrl);
  if (media === undefined) throw new Error("the main playlist names no rung");
  return addresses(await read(media), media);
}

export const beatOf = (sequence: number, positionS: number) => ({
  ...{ sequence, positionS, durationS: 60, state: "playing", cdnId: "edge-a", videoStartTimeMs: 300 },
  ...{
    rebufferCount: 0,
    rebufferDurationMs: 0,
    bitrateKbps: 300,
    averageBitrateKbps: 300,
    bitrateMaxKbps: 300,
    bitrateSwitches: 0,
  },
  ...{
    width: 320,
    height: 180,
    resolutionDrops: 0,
    droppedFrames: 0,
    decodedFrames: 100,
    throughputKbps: 20_000,
    bufferS: 24,
    errors: [],
  },
});
