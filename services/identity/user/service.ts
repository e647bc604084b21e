// User: who people are. An account each, found by its e-mail address; other services keep what belongs to it.
import { Tenant } from "#contracts/tenant";
import { User } from "#contracts/user";
import {
  type Audit,
  audited,
  type Context,
  defineService,
  isUniqueViolation,
  newId,
  type Platform,
  problem,
} from "#kernel";
import { change, checkEmail, checkLanguage, checkName, type User as UserRow } from "./domain.ts";
import { erasePeople, type Erasing } from "./erase.ts";
import * as store from "./store.ts";

export const uses = { tenant: Tenant };

const ERASE_EVERY_MS = 10_000;

interface Parts extends Erasing {
  readonly audit: Audit;
  readonly counters: { readonly created: () => void; readonly deleted: () => void };
}

export default defineService({
  contract: User,
  uses,
  slo: { p99Ms: 50, availability: 0.9999 },
  ai: { feeds: "none: who a person is stays out of models", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, call, mail, erase, clock, logger, audit, metrics }: Platform<typeof User, typeof uses>): Parts {
    const created = metrics.counter("accounts_created_total", "Accounts that were made");
    const deleted = metrics.counter("accounts_deleted_total", "Accounts that were deleted");
    const counters = { created: () => created.inc(), deleted: () => deleted.inc() };
    return { db, call, mail, erase, clock, logger, audit, counters };
  },

  periodic: (parts) => [
    { name: "erase people who are gone", everyMs: ERASE_EVERY_MS, run: (signal) => erasePeople(parts, signal) },
  ],

  rpc: ({ db, clock, audit, counters }) => ({
    async create({ email: given, name, language }, context) {
      const email = checkEmail(given);
      const createdAtMs = clock.nowMs();
      const user: UserRow = {
        id: newId("usr", createdAtMs),
        email,
        name: checkName(name, email),
        language: checkLanguage(language),
        createdAtMs,
      };
      await db
        .tx(context, async (tx) => {
          await store.insert(tx, user);
          tx.emit("created", { userId: user.id, createdAtMs });
        })
        .catch((error: unknown) => {
          if (!isUniqueViolation(error)) throw error;
          throw problem.alreadyExists("an account has this e-mail address: sign in, or reset its password", {
            reason: "email_taken",
          });
        });
      counters.created();
      return { user: toMessage(user) };
    },
    async get({ userId }, context) {
      return { user: toMessage(found(await db.read(context, (tx) => store.find(tx, "id", userId)), userId)) };
    },
    async findByEmail({ email }, context) {
      const user = await db.read(context, (tx) => store.find(tx, "email", checkEmail(email)));
      if (!user) throw problem.notFound("nobody has this e-mail address", { reason: "user_unknown" });
      return { user: toMessage(user) };
    },
    async update({ userId, name, language }, context) {
      assertOwn(context, userId);
      const user = await db.tx(context, async (tx) => {
        const { next, changed } = change(found(await store.lock(tx, userId), userId), { name, language });
        if (changed.length > 0) {
          await store.update(tx, next);
          tx.emit("updated", { userId, changed });
        }
        return next;
      });
      return { user: toMessage(user) };
    },
    async delete({ userId }, context) {
      assertOwn(context, userId);
      const from = context.viewer ? `device ${context.viewer.deviceId}` : "";
      const attempt = { tenant: context.tenant, who: context.viewer?.userId ?? context.caller, what: "account.delete" };
      await audited(audit, { ...attempt, on: userId, from }, () =>
        db.tx(context, async (tx) => {
          if (!(await store.remove(tx, userId, clock.nowMs()))) return;
          tx.emit("deleted", { userId });
          tx.afterCommit(async () => counters.deleted());
        }),
      );
      return {};
    },
  }),

  ready: ({ db }) => db.ping(),
});

function found(user: UserRow | undefined, id: string): UserRow {
  if (!user) throw problem.notFound(`user '${id.slice(0, 64)}' does not exist`, { reason: "user_unknown" });
  return user;
}

/** People change their own account; operators and services act without a viewer. */
function assertOwn(context: Context, userId: string): void {
  if (context.viewer && context.viewer.userId !== userId)
    throw problem.denied("this is another person's account", { reason: "not_yours" });
}

const toMessage = (user: UserRow) => ({ ...user, createdAtMs: BigInt(user.createdAtMs) });
