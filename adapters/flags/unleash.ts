import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem, problem } from "#kernel/errors";
import type { Flags } from "#kernel/ports/flags";
import { EMPTY, readDocument } from "./document.ts";
import { openEngine } from "./engine.ts";
import { readLastKnown, writeLastKnown } from "./last-known.ts";
import { ruleOf } from "./rules.ts";
import { APP_NAME, unleashClient } from "./unleash-client.ts";
import { openUsage } from "./usage.ts";
import { valueOf } from "./values.ts";

export interface UnleashOptions {
  /** Of the client API: `https://unleash.example.org/api`. */
  readonly url: string;
  readonly token: string;
  /** Where the last known features are kept. */
  readonly file: string;
  /** How often it is asked, and told of use. */
  readonly everyMs?: number;
  /** Hears when Unleash went away, and when it came back. */
  readonly log: (line: string) => void;
}

/** The polling interval of ARCH-001. */
const EVERY_MS = 60_000;
const STRATEGIES = [
  ...["default", "userWithId", "gradualRolloutUserId", "gradualRolloutSessionId", "gradualRolloutRandom"],
  ...["flexibleRollout", "remoteAddress", "applicationHostname"],
];

/**
 * Flags of an Unleash server, evaluated here. It is asked every minute, by ETag; what it said last is kept on disk and holds for as long as
 * Unleash is away, over restarts too. Only an Unleash that refuses us while nothing is known yet is an error: that is a setting, not an outage.
 */
export async function openUnleashFlags(options: UnleashOptions): Promise<Flags> {
  const { url, file, log, everyMs = EVERY_MS } = options;
  const instanceId = randomUUID();
  const client = unleashClient({ url, token: options.token, instanceId });
  const usage = openUsage(client, instanceId);
  const stopping = new AbortController();
  const kept = await readLastKnown(file, url);
  let known = kept?.document;
  let engine = openEngine(known ?? EMPTY);
  let etag = kept?.etag;
  let knownAtMs = kept?.savedAtMs ?? 0;
  let failure: string | undefined;

  async function refresh(): Promise<void> {
    const answer = await client.features(etag);
    knownAtMs = Date.now();
    if (!answer.isNew) return;
    known = readDocument(answer.body, known);
    engine = openEngine(known);
    etag = answer.etag;
    await writeLastKnown(file, { url, etag, savedAtMs: knownAtMs, body: answer.body }).catch((error: unknown) =>
      log(`flags: they cannot be kept in ${file}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  async function look(): Promise<unknown> {
    try {
      await refresh();
      if (failure !== undefined) log(`flags: Unleash at ${client.host} answers again`);
      failure = undefined;
      return undefined;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (failure === undefined) log(`flags: ${known ? "the last known ones hold" : "defaults hold"}: ${said}`);
      failure = said;
      return error;
    }
  }

  const fault = await look();
  if (known === undefined && fault instanceof Problem && !fault.retryable) throw fault;
  const started = new Date().toISOString();
  const register = {
    appName: APP_NAME,
    instanceId,
    sdkVersion: APP_NAME,
    strategies: STRATEGIES,
    started,
    interval: everyMs,
  };
  // Figures are for those who look at Unleash; without them everything works.
  void client.post("register", register).catch(() => undefined);
  const polling = (async () => {
    for (;;) {
      await sleep(everyMs, undefined, { signal: stopping.signal });
      await look();
      await usage.report().catch(() => undefined);
    }
  })().catch(() => undefined);

  const refuse = (): Promise<never> =>
    Promise.reject(
      problem.precondition(`flags are kept in Unleash at ${client.host}: change them there`, { reason: "elsewhere" }),
    );
  return {
    evaluate(flag, context) {
      const evaluation = valueOf(engine, flag, context);
      if (evaluation.reason === "DEFAULT") return evaluation;
      usage.count(flag.name, evaluation.value !== false, evaluation.variant);
      return failure === undefined ? evaluation : { ...evaluation, reason: "STALE" };
    },
    rules: () => known?.features.map((feature) => ruleOf(feature, known?.segments ?? [])) ?? [],
    put: refuse,
    remove: refuse,
    async state() {
      const what = `flags of Unleash at ${client.host}`;
      if (known === undefined)
        return { ok: false, detail: `${what}: nothing is known yet and defaults hold: ${failure}` };
      const since = new Date(knownAtMs).toISOString();
      if (failure !== undefined) return { ok: true, detail: `${what}: those of ${since} hold: ${failure}` };
      return { ok: true, detail: `${what}, ${known.features.length} of ${since}` };
    },
    async close() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await polling;
      await usage.report().catch(() => undefined);
    },
  };
}
