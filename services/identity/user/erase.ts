import type { User } from "#contracts/user";
import { type Platform, systemContext } from "#kernel";
import type { uses } from "./service.ts";
import * as store from "./store.ts";

export type Erasing = Pick<Platform<typeof User, typeof uses>, "db" | "call" | "mail" | "erase" | "clock" | "logger">;

const ERASE_MAX = 100;
/** Access tokens are good for a quarter of an hour after the account is gone, and what is done with them takes its way through the log. */
const LATE_MS = 60 * 60_000;

/**
 * Erases people who are gone: mail that is kept here, then their records, when everybody has heard that they are gone. An hour
 * later it is said once more, for what came late, and records are erased again. Then nothing names them here either.
 */
export async function erasePeople(parts: Erasing, signal: AbortSignal): Promise<void> {
  const context = systemContext("system", "user", { signal, clock: parts.clock });
  const { tenants } = await parts.call.tenant.list({}, context);
  for (const { id: tenant } of tenants) {
    if (signal.aborted) return;
    await eraseIn(parts, tenant).catch((error: unknown) =>
      parts.logger.warn("people who are gone could not be erased; it will be tried again", { tenant, error }),
    );
  }
}

async function eraseIn({ db, mail, erase, clock }: Erasing, tenant: string): Promise<void> {
  const lateMs = clock.nowMs() - LATE_MS;
  const open = await db.tx({ tenant }, (tx) => store.openErasures(tx, lateMs, ERASE_MAX));
  const at = (step: store.ErasureStep): readonly store.Erasure[] => open.filter((erasure) => erasure.step === step);
  for (const { email } of at("asked")) await mail.erase(email);
  // Those whose time has come are in "erased", and only asked for when it has.
  for (const { userId } of at("erased"))
    await db.tx({ tenant }, async (tx) => {
      if (await store.moveErasure(tx, userId, "repeated")) tx.emit("deleted", { userId });
    });
  const people = open.map(({ userId }) => userId);
  if (people.length === 0 || !(await erase({ tenant, people }))) return;
  await db.tx({ tenant }, async (tx) => {
    for (const { userId } of at("asked")) await store.moveErasure(tx, userId, "erased");
    for (const { userId } of [...at("erased"), ...at("repeated")]) await store.closeErasure(tx, userId);
  });
}
