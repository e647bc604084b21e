import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from "oidc-provider";
import { clientOf } from "./clients.ts";
import { endGrant } from "./grants.ts";
import * as oidc from "./oidc-store.ts";
import type { LogoutReason } from "./domain.ts";
import type { AuthTx, Parts } from "./parts.ts";
import { scope } from "./scope.ts";
import * as store from "./store.ts";

type Stored = Pick<Parts, "db" | "clock" | "audit">;

/**
 * The OpenID provider's storage, on PostgreSQL and for the tenant of the moment. Two of its operations are where rules live: a
 * token is consumed once however many present it together, and the end of a grant is the end of its device's sign-in.
 */
export function openAdapter(parts: Stored): AdapterFactory {
  return (model) => (model === "Client" ? clients : stored(parts, model));
}

function stored({ db, clock, audit }: Stored, model: string): Adapter {
  const inTx = <T>(work: (tx: AuthTx) => Promise<T>): Promise<T> => db.tx(scope().context, work);
  /** Ends a sign-in and records it; whose it was is known only when it has ended. */
  async function end(tx: AuthTx, grantId: string, reason: LogoutReason): Promise<void> {
    const who = await endGrant(tx, grantId, reason);
    if (who === "") return;
    const what = reason === "reuse" ? "account.token_reuse" : "account.sign_out";
    tx.afterCommit(() => audit({ tenant: tx.tenant, who, what, on: "sign-in", from: "", outcome: "ok", reason }));
  }

  return {
    upsert: (id, payload, expiresInS) =>
      inTx((tx) => oidc.upsert(tx, model, id, payload, expiryOf(payload, expiresInS, clock.nowMs()))),
    find: (id) => inTx((tx) => oidc.find(tx, model, id)),
    findByUserCode: (userCode) => inTx((tx) => oidc.findBy(tx, model, "user_code", userCode)),
    findByUid: (uid) => inTx((tx) => oidc.findBy(tx, model, "uid", uid)),
    destroy: (id) => inTx((tx) => (model === "Grant" ? end(tx, id, scope().reason) : oidc.remove(tx, model, id))),
    revokeByGrantId: (grantId) => inTx((tx) => oidc.removeByGrant(tx, model, grantId)),
    async consume(id) {
      const isFirst = await inTx((tx) => consume(tx, model, id, clock.nowMs(), end));
      if (!isFirst) throw new errors.InvalidGrant(`${model} was used before`);
    },
  };
}

/**
 * Marks a code or refresh token as used. Whoever comes second has a copy, and nobody can tell which of the two is the
 * thief, so the whole family ends (RFC 9700 section 4.14.2). The provider looks too, but two at the same moment both pass its look.
 */
async function consume(
  tx: AuthTx,
  model: string,
  id: string,
  nowMs: number,
  end: (tx: AuthTx, grantId: string, reason: LogoutReason) => Promise<void>,
): Promise<boolean> {
  const isFirst = await oidc.consume(tx, model, id, Math.floor(nowMs / 1_000));
  const grantId = (await oidc.find(tx, model, id))?.grantId ?? "";
  if (!isFirst) {
    await end(tx, grantId, "reuse");
    return false;
  }
  if (model === "RefreshToken") {
    const device = await store.touchDevice(tx, grantId, nowMs);
    if (device) tx.emit("tokenRefreshed", { userId: device.userId, deviceId: device.id });
  }
  return true;
}

const expiryOf = (payload: AdapterPayload, expiresInS: number | undefined, nowMs: number): number =>
  payload.exp === undefined ? nowMs + (expiresInS ?? 0) * 1_000 : payload.exp * 1_000;

const none = async (): Promise<undefined> => undefined;

/** Our clients are part of the program; only their addresses depend on the tenant. */
const clients: Adapter = {
  find: async (id) => clientOf(id, scope().origins),
  upsert: none,
  findByUserCode: none,
  findByUid: none,
  consume: none,
  destroy: none,
  revokeByGrantId: none,
};
