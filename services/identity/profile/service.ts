// Profile: the people of a household. Age limits and PINs are decided here, never by a page.
import { Profile } from "#contracts/profile";
import { User, type UserCreated, type UserDeleted } from "#contracts/user";
import {
  type Audit,
  audited,
  type Clients,
  type Clock,
  type Context,
  type Db,
  defineService,
  newId,
  on,
  problem,
  type Received,
  systemContext,
  toProblem,
  type Tx,
} from "#kernel";
import type { Cache } from "#kernel/ports/cache";
import {
  change,
  checkPin,
  create,
  firstName,
  mayManage,
  needsPin,
  type Profile as ProfileRow,
  type Wish,
} from "./domain.ts";
import { hashPin, provePin } from "./pin.ts";
import * as store from "./store.ts";

const uses = { user: User };

interface Parts {
  readonly db: Db<typeof Profile>;
  readonly call: Clients<typeof uses>;
  readonly audit: Audit;
  readonly cache: Cache;
  readonly clock: Clock;
}
type ProfileTx = Tx<typeof Profile>;

export default defineService({
  contract: Profile,
  uses,
  slo: { p99Ms: 50, availability: 0.9995 },
  ai: { feeds: "recommendation: who of a household watches", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  start: ({ db, call, audit, cache, clock }): Parts => ({ db, call, audit, cache, clock }),

  on: [on(User.events.created)(welcome), on(User.events.deleted)(forget)],

  rpc: (parts) => ({
    async list({ userId }, context) {
      assertOwn(context, userId);
      return { profiles: await parts.db.read(context, (tx) => store.list(tx, userId)) };
    },
    async get({ profileId }, context) {
      const profile = await parts.db.read(context, (tx) => store.find(tx, profileId));
      if (!profile) throw unknown(profileId);
      assertOwn(context, profile.userId);
      return { profile };
    },
    async create(request, context) {
      assertOwn(context, request.userId);
      if (request.userId === "") throw problem.invalid("user_id is missing");
      return { profile: await add(parts, context, request.userId, request) };
    },
    async update(request, context) {
      assertOwn(context, request.userId);
      return { profile: await update(parts, context, request) };
    },
    async delete({ userId, profileId }, context) {
      assertOwn(context, userId);
      await parts.db.tx(context, async (tx) => {
        const household = await store.lockAccount(tx, userId);
        const profile = household.find(({ id }) => id === profileId);
        if (!profile) throw unknown(profileId);
        assertMayManage(context, household, { profile, touchesLimits: true });
        if (household.length === 1)
          throw problem.precondition("an account keeps one profile: make another before you remove this one", {
            reason: "last_profile",
          });
        await store.remove(tx, profileId);
        tx.emit("updated", { userId, profileId, deleted: true });
      });
      return {};
    },
    async switch(request, context) {
      assertOwn(context, request.userId);
      return { profile: await enter(parts, context, request) };
    },
  }),

  ready: ({ db }) => db.ping(),
});

const unknown = (id: string) =>
  problem.notFound(`profile '${id.slice(0, 64)}' does not exist`, { reason: "profile_unknown" });

/** A household sees its own profiles; services act without a viewer. */
function assertOwn(context: Context, userId: string): void {
  if (context.viewer && context.viewer.userId !== userId)
    throw problem.denied("this is another household's profile", { reason: "not_yours" });
}

function assertMayManage(
  context: Context,
  household: readonly ProfileRow[],
  target: { readonly profile?: ProfileRow; readonly touchesLimits: boolean },
): void {
  if (context.viewer && !mayManage(household, context.viewer.profileId, target))
    throw problem.denied("switch to a profile with a PIN to change this", { reason: "pin_required" });
}

async function add({ db, clock }: Parts, context: Context, userId: string, wish: Wish): Promise<ProfileRow> {
  const createdAtMs = clock.nowMs();
  const id = newId("prf", createdAtMs);
  return db.tx(context, async (tx) => {
    const household = await store.lockAccount(tx, userId);
    // A kids profile opens nothing to anybody, but it takes one of five places.
    assertMayManage(context, household, { touchesLimits: true });
    const profile = create({ ...clean(wish), id, userId, createdAtMs }, household);
    await store.insert(tx, profile);
    tx.emit("created", { userId, profileId: id, isKids: profile.isKids });
    return profile;
  });
}

interface Change extends Wish {
  readonly userId: string;
  readonly profileId: string;
  readonly pin?: string | undefined;
  readonly removePin: boolean;
}

async function update({ db }: Parts, context: Context, request: Change): Promise<ProfileRow> {
  const { userId, profileId, pin, removePin } = request;
  if (pin !== undefined && removePin) throw problem.invalid("a PIN is either set or removed, not both");
  // Hashing takes long, so no transaction waits for it.
  const hash = pin === undefined ? (removePin ? null : undefined) : await hashPin(checkPin(pin));
  return db.tx(context, async (tx) => {
    const household = await store.lockAccount(tx, userId);
    const profile = household.find(({ id }) => id === profileId);
    if (!profile) throw unknown(profileId);
    const next = { ...change(profile, clean(request)), hasPin: hash === undefined ? profile.hasPin : hash !== null };
    const touchesLimits =
      hash !== undefined || next.isKids !== profile.isKids || next.ageRatingMax !== profile.ageRatingMax;
    assertMayManage(context, household, { profile, touchesLimits });
    await store.update(tx, next, hash);
    tx.emit("updated", { userId, profileId, deleted: false });
    return next;
  });
}

/** Lets a device show another profile, and announces it. */
async function enter(
  { db, audit, cache }: Parts,
  context: Context,
  request: {
    readonly userId: string;
    readonly fromProfileId: string;
    readonly toProfileId: string;
    readonly pin: string;
  },
): Promise<ProfileRow> {
  const { userId, fromProfileId, toProfileId, pin } = request;
  const [to, hash] = await db.tx(context, async (tx) => [
    await store.find(tx, toProfileId),
    await store.pinHash(tx, toProfileId),
  ]);
  if (!to || to.userId !== userId) throw unknown(toProfileId);
  if (hash !== undefined && needsPin(fromProfileId, to)) {
    const from = context.viewer ? `device ${context.viewer.deviceId}` : "";
    const attempt = { tenant: context.tenant, who: userId, what: "profile.prove_pin", on: to.id, from };
    await audited(audit, attempt, () => provePin(cache, context, { profileId: to.id, pin, hash }));
  }
  if (fromProfileId !== to.id)
    await db.tx(context, async (tx) => tx.emit("switched", { userId, fromProfileId, toProfileId: to.id }));
  return to;
}

/** The members of a request that a wish has, where an empty text means nothing was said. */
const clean = (wish: Wish): Wish => ({
  name: wish.name,
  isKids: wish.isKids,
  ageRatingMax: wish.ageRatingMax,
  language: wish.language || undefined,
  avatarShape: wish.avatarShape,
  avatarColor: wish.avatarColor || undefined,
});

/** Gives a new account its first profile, named after its owner. A redelivery finds it there. */
async function welcome({ call, clock }: Parts, tx: ProfileTx, events: readonly Received<UserCreated>[]): Promise<void> {
  for (const { data } of events) {
    if ((await store.lockAccount(tx, data.userId)).length > 0) continue;
    const user = await call.user
      .get({ userId: data.userId }, systemContext(tx.tenant, "profile", { clock }))
      .then((response) => response.user)
      .catch((error: unknown) => {
        // Gone again before we looked.
        if (toProblem(error).code === "not_found") return undefined;
        throw error;
      });
    if (!user) continue;
    const createdAtMs = clock.nowMs();
    const wish = { name: firstName(user.name), language: user.language || undefined };
    const profile = create({ ...wish, id: newId("prf", createdAtMs), userId: data.userId, createdAtMs }, []);
    await store.insert(tx, profile);
    tx.emit("created", { userId: data.userId, profileId: profile.id, isKids: false });
  }
}

async function forget(_: Parts, tx: ProfileTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) {
    for (const profile of await store.lockAccount(tx, data.userId)) {
      await store.remove(tx, profile.id);
      tx.emit("updated", { userId: data.userId, profileId: profile.id, deleted: true });
    }
  }
}
