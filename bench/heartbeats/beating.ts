/** Part of heartbeats.ts: sessions that beat at a fixed rate, whatever the answers take. */
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { beatOf } from "../../tests/chaos/viewer.ts";

export interface Beats {
  /** From the moment when a beat was due, so that a late start counts as latency. */
  readonly latenciesMs: readonly number[];
  readonly failed: number;
}

export interface Beating {
  run(perS: number, forS: number): Promise<Beats>;
}

const DEADLINE_MS = 15_000;

export async function openBeating(url: string, tokens: readonly string[], contentId: string): Promise<Beating> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const { hostname, port } = new URL(url);

  function post(path: string, token: string, body: unknown): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "x-marquee": "web" };
      const sent = request(
        {
          hostname,
          port,
          path: `/api/web/v1/playback/sessions${path}`,
          method: "POST",
          headers,
          agent,
          timeout: DEADLINE_MS,
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
          response.once("error", reject);
        },
      );
      sent.once("timeout", () => sent.destroy(new Error(`no answer within ${DEADLINE_MS} ms`)));
      sent.once("error", reject);
      sent.end(JSON.stringify(body));
    });
  }

  const sessions: { token: string; id: string; sequence: number }[] = [];
  for (const [n, token] of tokens.entries()) {
    const { status, text } = await post("", token, {
      contentId,
      device: { id: `bench-${n}`, type: "web", name: "Bench" },
    });
    if (status !== 201) throw new Error(`a session was refused with ${status}: ${text}`);
    sessions.push({ token, id: (JSON.parse(text) as { sessionId: string }).sessionId, sequence: 0 });
  }
  let turn = 0;

  return {
    async run(perS, forS) {
      const latenciesMs: number[] = [];
      let failed = 0;
      const under: Promise<void>[] = [];
      const beganMs = performance.now();
      for (let n = 0; n < perS * forS; n += 1) {
        const dueMs = beganMs + (n * 1_000) / perS;
        await pause(Math.max(0, dueMs - performance.now()));
        const session = sessions[turn++ % sessions.length];
        if (!session) continue;
        const { id, token, sequence } = session;
        session.sequence += 1;
        const sent = post(`/${id}/heartbeats`, token, beatOf(sequence, sequence / 10)).then(
          ({ status, text }) => {
            latenciesMs.push(performance.now() - dueMs);
            if (status !== 200 || text.includes('"ended":true')) failed += 1;
          },
          () => {
            failed += 1;
          },
        );
        under.push(sent);
      }
      await Promise.all(under);
      return { latenciesMs, failed };
    },
  };
}
