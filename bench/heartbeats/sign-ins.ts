/** Part of heartbeats.ts: a thread that signs people in with their password, as a browser without scripts does it. */
import { parentPort, workerData } from "node:worker_threads";
import { setTimeout as pause } from "node:timers/promises";
import { PASSWORD } from "../../tests/chaos/accounts.ts";

export interface SignInReport {
  readonly elapsedMs: number;
  readonly completed: number;
  /** Told to come back later, or too slow. */
  readonly refused: number;
  /** Not begun, because too many were under way: people would stand in line. */
  readonly skipped: number;
  readonly fault: string;
}

const UNDER_WAY_MAX = 150;
const DEADLINE_MS = 20_000;
const HOPS_MAX = 6;

const { url, emails, perS } = workerData as { url: string; emails: readonly string[]; perS: number };

async function signIn(email: string): Promise<void> {
  const jar = new Map<string, string>();
  const signal = AbortSignal.timeout(DEADLINE_MS);
  async function go(target: string, form?: Readonly<Record<string, string>>): Promise<string> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(new URL(target, url), {
      redirect: "manual",
      signal,
      headers: { cookie, origin: url },
      ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}),
    });
    await response.body?.cancel();
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      const at = pair.indexOf("=");
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = response.headers.get("location");
    if (location === null) throw new Error(`${target.split("?")[0]} answered ${response.status}`);
    return location;
  }
  const asked = await go(await go("/sign-in"));
  const interaction = new URL(asked, url).searchParams.get("interaction") ?? "";
  let next = await go("/sign-in", { interaction, email, password: PASSWORD });
  for (let hops = 0; hops < HOPS_MAX && !jar.has("marquee_access"); hops += 1) {
    const error = new URL(next, url).searchParams.get("error");
    if (error !== null) throw new Error(`refused: ${error}`);
    next = await go(next);
  }
  if (!jar.has("marquee_access")) throw new Error("no access token came");
}

async function run(): Promise<void> {
  const startedMs = performance.now();
  let isStopped = false;
  let underWay = 0;
  let completed = 0;
  let refused = 0;
  let skipped = 0;
  let fault = "";
  parentPort?.once("message", () => {
    isStopped = true;
  });
  for (let n = 0; !isStopped; n += 1) {
    await pause(Math.max(0, startedMs + (n * 1_000) / perS - performance.now()));
    if (underWay >= UNDER_WAY_MAX) {
      skipped += 1;
      continue;
    }
    underWay += 1;
    void signIn(emails[n % emails.length] ?? "")
      .then(
        () => {
          completed += 1;
        },
        (error: unknown) => {
          refused += 1;
          fault = String(error);
        },
      )
      .finally(() => {
        underWay -= 1;
      });
  }
  parentPort?.postMessage({
    elapsedMs: performance.now() - startedMs,
    completed,
    refused,
    skipped,
    fault,
  } satisfies SignInReport);
}

await run();
