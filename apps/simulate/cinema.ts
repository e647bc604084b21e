/** The running product as viewers have it: its web API, as a page asks it, with a token for each persona. */
import { z } from "zod";
import { Auth } from "#contracts/auth";
import { Home } from "#contracts/web";
import { Why } from "#contracts/web/recommendations";
import { problem } from "#kernel";
import type { AdminClient } from "../cli/client.ts";
import type { Cinema } from "./course.ts";
import { DURATION_S, emailOf, idOf, learn, placeOf } from "./people.ts";

export interface CinemaOptions {
  readonly client: AdminClient;
  /** The product's public address. */
  readonly url: string;
  readonly run: string;
  readonly personas: number;
}

const API = "/api/web/v1";
const ANSWER_MS_MAX = 15_000;
const TRIES = 3;
const TRY_AGAIN_MS = 1_000;
/** A token is asked for anew when it has so little time left. */
const TOKEN_LEFT_MS = 60_000;
const Started = z.object({ sessionId: z.string() });

export function openCinema({ client, url, run, personas }: CinemaOptions): Cinema {
  const tokens: { readonly value: string; readonly expiresAtMs: number }[] = [];
  async function tokenOf(persona: number): Promise<string> {
    const known = tokens[persona];
    if (known && known.expiresAtMs - Date.now() > TOKEN_LEFT_MS) return known.value;
    const { accessToken, expiresAtMs } = await client.of(Auth).issueToken({ email: emailOf(persona) });
    tokens[persona] = { value: accessToken, expiresAtMs: Number(expiresAtMs) };
    return accessToken;
  }
  async function ask(persona: number, method: "GET" | "POST", path: string, body?: object): Promise<unknown> {
    if (persona >= personas) throw problem.internal(`there is no persona ${persona}`);
    const authorization = `Bearer ${await tokenOf(persona)}`;
    const request = {
      method,
      headers: { authorization, "content-type": "application/json", "x-marquee": "simulation" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    };
    for (let tries = 1; ; tries += 1) {
      const answer = await fetch(new URL(`${API}${path}`, url), {
        ...request,
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      const text = await answer.text();
      if (answer.ok) return text === "" ? undefined : JSON.parse(text);
      // Only what changes nothing may be said twice.
      const mayAgain = method === "GET" && (answer.status === 429 || answer.status >= 500) && tries < TRIES;
      if (!mayAgain)
        throw problem.unavailable(`${method} ${path} was answered ${answer.status}: ${text.slice(0, 300)}`);
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    }
  }
  return {
    async look(persona) {
      const { rails, partial } = Home.parse(await ask(persona, "GET", "/home"));
      return {
        rails: rails.map(({ kind, about, cards }) => ({
          kind,
          about: about ? placeOf(run, about.id) : null,
          titles: cards.map(({ id }) => placeOf(run, id)),
        })),
        isPartial: partial,
      };
    },
    async watch(persona, title, share, tile) {
      const contentId = idOf(run, title);
      if (tile) await ask(persona, "POST", "/recommendations/clicks", { contentId, ...tile });
      const device = { id: `simulated-${persona}`, type: "web", name: "Simulated" };
      const { sessionId } = Started.parse(await ask(persona, "POST", "/playback/sessions", { contentId, device }));
      const end = { positionS: Math.round(share * DURATION_S), durationS: DURATION_S, sequence: 1 };
      await ask(persona, "POST", `/playback/sessions/${sessionId}/stop`, end);
    },
    async why(persona, title) {
      const { reasons } = Why.parse(await ask(persona, "GET", `/titles/${idOf(run, title)}/why`));
      return reasons.flatMap(({ kind, about }) => (kind === "watched" && about ? [placeOf(run, about.id)] : []));
    },
    learn: () => learn(client),
  };
}
