import { setTimeout as pause } from "node:timers/promises";
import { assertTenant } from "./context.ts";
import type { EventType } from "./contract.ts";
import { deadLetterTopic } from "./dead-letters.ts";
import type { Topics } from "./events.ts";
import { loadMarks } from "./inbox.ts";
import { roleOf } from "./migrate.ts";
import type { EventLog } from "./ports/log.ts";
import { modelMarks, topicsOf } from "./read-models.ts";
import type { Service } from "./service.ts";
import { identifier, inTransaction, type Pool } from "./sql.ts";

/**
 * Takes people out of what the kernel keeps for services: topics of the log with their dead letters, and remembered answers.
 *
 * Records go when everybody has handled them. The event that says that somebody is gone is such a record, and each service
 * removes its own rows because of it. Resolves false, having erased nothing, while events of these people are in an outbox or a consumer is
 * behind; then it is to be asked again.
 */
export type Erase = (of: { readonly tenant: string; readonly people: readonly string[] }) => Promise<boolean>;

export interface EraserOptions {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly topics: Topics;
  /** Every service of the product, wherever it runs. */
  readonly declared: readonly Pick<Service, "contract" | "consumes" | "readModels">[];
  /** So long consumers are waited for before the caller is told to come again. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 3_000;
const LOOK_EVERY_MS = 50;

export function openEraser({ log, pool, topics, declared, patienceMs = PATIENCE_MS }: EraserOptions): Erase {
  const names = topics.specs.flatMap(({ name }) => [name, deadLetterTopic(name)]);

  /** The services that have ever run: one without a schema keeps nothing and hears nothing. */
  async function present(): Promise<typeof declared> {
    const all = declared.map(({ contract }) => contract.name);
    const { rows } = await pool.query<{ nspname: string }>("SELECT nspname FROM pg_namespace WHERE nspname = ANY($1)", [
      all,
    ]);
    const found = new Set(rows.map(({ nspname }) => nspname));
    return declared.filter(({ contract }) => found.has(contract.name));
  }

  async function isOnItsWay(services: typeof declared, people: readonly string[]): Promise<boolean> {
    for (const { contract } of services) {
      const { rows } = await as(contract.name, "", (client) =>
        client.query<{ is_waiting: boolean }>(
          `SELECT EXISTS (SELECT FROM ${identifier(contract.name)}.outbox, unnest($1::text[]) AS person
             WHERE key = person OR position(convert_to(person, 'UTF8') IN value) > 0) AS is_waiting`,
          [people],
        ),
      );
      if (rows[0]?.is_waiting) return true;
    }
    return false;
  }

  /** Whether every consumer of a topic has handled what lies before these offsets. */
  async function isHandled(
    services: typeof declared,
    topic: string,
    ends: ReadonlyMap<number, number>,
  ): Promise<boolean> {
    const behind = [...ends].filter(([, end]) => end > 0);
    if (behind.length === 0) return true;
    for (const { service, marksName } of services.flatMap((one) => followersOf(one, topic))) {
      const marks = await loadMarks(pool, service, marksName, [...ends.keys()]);
      for (const [partition, end] of behind) {
        // Below the first offset: it is being made anew.
        const mark = Math.max(marks.get(partition) ?? 0, 0);
        if (mark >= end) continue;
        // Behind a mark there may be nothing left: its retention is over, or it was erased.
        const [next] = await log.read(topic, new Map([[partition, mark]]), 1);
        if (next && next.offset < end) return false;
      }
    }
    return true;
  }

  /** Who of a service follows a topic: its consumers, and each of its read models. */
  function followersOf(
    { contract: { name: service }, consumes, readModels }: (typeof declared)[number],
    topic: string,
  ): { readonly service: string; readonly marksName: string }[] {
    const isOf = (events: readonly EventType[]): boolean => topicsOf(events, topics).includes(topic);
    const models = readModels.filter(({ events }) => isOf(events)).map(({ name }) => modelMarks(name, topic));
    return [...(isOf(consumes) ? [topic] : []), ...models].map((marksName) => ({ service, marksName }));
  }

  const as = <T>(service: string, setup: string, work: Parameters<typeof inTransaction<T>>[2]): Promise<T> =>
    inTransaction(pool, `SET LOCAL ROLE ${identifier(roleOf(service))}${setup}`, work);

  return async ({ tenant: given, people }) => {
    const tenant = assertTenant(given);
    const services = await present();
    const deadlineMs = performance.now() + patienceMs;
    const isLate = async (): Promise<boolean> => {
      // Consumers run in real time, whatever clock the services have.
      if (performance.now() < deadlineMs) await pause(LOOK_EVERY_MS);
      return performance.now() >= deadlineMs;
    };
    while (await isOnItsWay(services, people)) if (await isLate()) return false;
    if (log.erases) {
      // First how far to look, then whether everybody has got there.
      const ends = new Map<string, ReadonlyMap<number, number>>();
      for (const name of names) ends.set(name, await log.offsets(name));
      for (const { name } of topics.specs)
        while (!(await isHandled(services, name, ends.get(name) ?? new Map()))) if (await isLate()) return false;
      for (const [name, until] of ends) await log.erase(name, people, until);
    }
    for (const { contract } of services)
      await as(contract.name, `; SET LOCAL marquee.tenant TO '${tenant}'`, (client) =>
        client.query(
          `DELETE FROM ${identifier(contract.name)}.idempotency USING unnest($1::text[]) AS person
             WHERE position(person IN response::text) > 0`,
          [people],
        ),
      );
    return true;
  };
}
