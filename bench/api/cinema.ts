/** Part of api.ts and overload.ts: the whole product with films and people who watch them, what these ask, and the processes that ask it. */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { accessToken, makeAccount } from "../../tests/chaos/accounts.ts";
import { importClip, makeClip, untilComplete } from "../../tests/chaos/clips.ts";
import { openStage, type Product, type Stage } from "../../tests/chaos/product.ts";
import type { Ask, Report, Run } from "./generator.ts";

const VIEWERS = 200;
const FILMS = 4;
export const API = "/api/web/v1";

export interface Viewer {
  readonly token: string;
  readonly deviceId: string;
  readonly sessionId: string;
}

const headersOf = ({ token }: Pick<Viewer, "token">) => ({
  ...{ authorization: `Bearer ${token}`, "content-type": "application/json", "x-marquee": "web" },
});

export const startOf = (viewer: Omit<Viewer, "sessionId">): Ask => ({
  ...{ of: "start", method: "POST", path: `${API}/playback/sessions`, headers: headersOf(viewer) },
  body: JSON.stringify({ contentId: "film-0", device: { id: viewer.deviceId, type: "web", name: "Bench" } }),
});
export const beatOf = (viewer: Viewer): Ask => ({
  ...{ of: "beat", method: "POST", path: `${API}/playback/sessions/${viewer.sessionId}/heartbeats` },
  headers: headersOf(viewer),
  // The generator writes a number that grows in place of the hashes.
  body: JSON.stringify({
    ...{ sequence: 0, positionS: 3.5, durationS: 8, state: "playing", cdnId: "edge-a", videoStartTimeMs: 300 },
    ...{ rebufferCount: 0, rebufferDurationMs: 0, bitrateKbps: 300, averageBitrateKbps: 300, bitrateMaxKbps: 300 },
    ...{ bitrateSwitches: 0, width: 320, height: 180, resolutionDrops: 0, droppedFrames: 0, decodedFrames: 100 },
    ...{ throughputKbps: 20_000, bufferS: 24, errors: [] },
  }).replace('"sequence":0', '"sequence":#########'),
});
export const readOf =
  (place: string) =>
  (viewer: Viewer): Ask => ({
    ...{ of: place, method: "GET", path: `${API}${place}`, headers: headersOf(viewer), body: "" },
  });

export const fetchOf = ({ method, headers, body }: Ask): RequestInit => ({
  method,
  headers,
  ...(method === "POST" ? { body: body.replace("#########", "1") } : {}),
});

/** One message to a process of the bench, and its one answer. */
export function tell<T>(child: ChildProcess, message: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process of the bench ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (answer) => {
      child.off("exit", ended);
      resolve(answer as T);
    });
    child.send(message);
  });
}

/** Each run has a generator of its own, whose heap no other run has filled. Throws where an answer was neither good nor a refusal. */
export async function run(options: Run): Promise<Report> {
  const child = fork(path.join(import.meta.dirname, "generator.ts"), { execArgv: [], serialization: "advanced" });
  try {
    const report = await tell<Report>(child, options);
    if (report.failed > 0) throw new Error(`${report.failed} of ${report.answered} requests failed: ${report.fault}`);
    return report;
  } finally {
    child.kill("SIGKILL");
  }
}

export interface Cinema {
  readonly stage: Stage;
  readonly product: Product;
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Each is in the middle of a film. */
  readonly viewers: readonly Viewer[];
  close(): Promise<void>;
}

async function watch(url: string, viewer: Omit<Viewer, "sessionId">): Promise<string> {
  const start = startOf(viewer);
  const answer = await fetch(new URL(start.path, url), fetchOf(start));
  if (answer.status !== 201) throw new Error(`a session was refused with ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { sessionId: string }).sessionId;
}

export async function openCinema(env: Readonly<Record<string, string>> = {}): Promise<Cinema> {
  const stage = await openStage();
  try {
    const product = stage.start(env);
    const url = await product.ready();
    const clip = path.join(stage.folder, "clip.mp4");
    await makeClip(clip, { width: 320, height: 180, rate: 12, durationS: 8, grain: 0 });
    const films = Array.from({ length: FILMS }, (_, n) => `film-${n}`);
    for (const film of films) await importClip(stage.admin, clip, film);
    await untilComplete(stage.admin, films, 180_000);
    const viewers: Viewer[] = [];
    for (let n = 0; n < VIEWERS; n += 1) {
      const { email } = await makeAccount(stage.admin, `viewer-${n}@bench.test`, { password: null });
      const viewer = { token: await accessToken(stage.admin, email), deviceId: `bench-${n}` };
      viewers.push({ ...viewer, sessionId: await watch(url, viewer) });
    }
    const { hostname, port } = new URL(url);
    return {
      ...{ stage, product, url, host: hostname, port: Number(port), viewers },
      async close() {
        await product.stop();
        await stage.close();
      },
    };
  } catch (error) {
    await stage.close();
    throw error;
  }
}
