import { trace } from "@opentelemetry/api";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { problem, toProblem } from "./errors.ts";
import type { AdapterState } from "./ports/state.ts";

/**
 * The audit log: what operators did and what concerns security, apart from all other logs, and with what those must not hold (ARCH-001
 * section 9: "Full PII available only in audit logs"). One line of JSON for each event, appended and on the disk before whoever acted is answered.
 */
export interface AuditEvent {
  readonly tenant: string;
  /** The id of an account, `operator`, or empty where nobody said. */
  readonly who: string;
  /** What was tried, in the form `noun.verb`. */
  readonly what: string;
  /** To whom or to what. */
  readonly on: string;
  /** The address that it came from, or `socket`; empty where the caller did not say. */
  readonly from: string;
  /** `ok`, or the code of the Problem. */
  readonly outcome: string;
  /** Words of the code, such as the reason of a refusal. Never a secret. */
  readonly reason?: string;
}

/** Resolves when the event is on the disk; rejects as `unavailable` when it cannot be written, and whoever acted is told so. */
export type Audit = (event: AuditEvent) => Promise<void>;

export interface AuditLog {
  of(service: string): Audit;
  state(): Promise<AdapterState>;
  close(): Promise<void>;
}

/** More than this waits only while the disk does not answer. */
const WAITING_MAX = 10_000;
const TEXT_LENGTH_MAX = 300;

interface Waiting {
  readonly line: string;
  resolve(): void;
  reject(error: unknown): void;
}

/** Only its owner reads the file. What comes while one write is on its way goes to the disk with the next one, together. */
export async function openAuditLog(options: { readonly file: string; readonly now?: () => Date }): Promise<AuditLog> {
  const { file, now = () => new Date() } = options;
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, "a", 0o600);
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let failure: unknown;
  let isClosed = false;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await handle.appendFile(batch.map(({ line }) => line).join(""));
        await handle.datasync();
        failure = undefined;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        failure = error;
        const refused = problem.unavailable("this cannot be recorded in the audit log, so it is not done", {
          cause: error,
        });
        for (const { reject } of batch) reject(refused);
      }
    }
    writing = undefined;
  }

  function append(line: string): Promise<void> {
    if (isClosed || waiting.length >= WAITING_MAX)
      return Promise.reject(problem.unavailable("the audit log takes nothing more"));
    return new Promise((resolve, reject) => {
      waiting.push({ line, resolve, reject });
      writing ??= drain();
    });
  }

  return {
    of: (service) => (event) => {
      const traceId = trace.getActiveSpan()?.spanContext().traceId;
      const { tenant, who, what, on, from, outcome, reason } = event;
      const members = { tenant, service, who, what, on, from, outcome, ...(reason === undefined ? {} : { reason }) };
      const bounded = Object.entries(members).map(([name, text]) => [name, text.slice(0, TEXT_LENGTH_MAX)]);
      const line = {
        time: now().toISOString(),
        ...Object.fromEntries(bounded),
        ...(traceId ? { trace_id: traceId } : {}),
      };
      return append(`${JSON.stringify(line)}\n`);
    },
    async state() {
      if (isClosed) return { ok: false, detail: "the audit log is closed" };
      return failure === undefined
        ? { ok: true, detail: "append-only, synced" }
        : { ok: false, detail: `the audit log cannot be written: ${failure instanceof Error ? failure.message : "?"}` };
    },
    async close() {
      isClosed = true;
      await writing;
      await handle.close();
    },
  };
}

/** Runs `work` and records what came of it, also where it fails. */
export async function audited<T>(
  audit: Audit,
  event: Omit<AuditEvent, "outcome" | "reason">,
  work: () => Promise<T>,
): Promise<T> {
  const result = await work().catch(async (error: unknown) => {
    const { code, reason } = toProblem(error);
    await audit({ ...event, outcome: code, reason });
    throw error;
  });
  await audit({ ...event, outcome: "ok" });
  return result;
}
