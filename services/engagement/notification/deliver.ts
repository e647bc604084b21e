import { type Context, systemContext, toProblem } from "#kernel";
import { within } from "#kernel/within";
import { choiceOf, kindOf, PREFERENCES_DEFAULT, type Preferences, RATES, retryAtMs } from "./domain.ts";
import { quietUntilMs } from "./domain-quiet.ts";
import { mailOf, wordsOf } from "./domain-words.ts";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";

const BATCH_MAX = 64;
const AT_ONCE_MAX = 8;
/** Longer than all tries of a batch together, so that nothing is sent by two. */
const LEASE_MS = 180_000;
const MAIL_MS_MAX = 15_000;
const KEEP_MS = 90 * 86_400_000;
const SWEEP_MAX = 500;
/** Quiet hours put off by a day at most, on the longest day that there is. */
const AHEAD_MS_MAX = 26 * 3_600_000;

/** Sends what is due, in every tenant. */
export async function deliverDue(parts: Parts, signal: AbortSignal): Promise<void> {
  const context = systemContext("system", "notification", { signal, clock: parts.clock });
  const { tenants } = await parts.call.tenant.list({}, context);
  for (const { id: tenant } of tenants) {
    for (let count = BATCH_MAX; count === BATCH_MAX && !signal.aborted; )
      count = await deliverBatch(parts, tenant, signal);
  }
}

/** Old messages go, and what waits for a moment that no clock will soon show comes forward. */
export async function sweep(parts: Parts, signal: AbortSignal): Promise<void> {
  const { call, clock, db } = parts;
  const { tenants } = await call.tenant.list({}, systemContext("system", "notification", { signal, clock }));
  for (const { id: tenant } of tenants) {
    await db.tx({ tenant }, async (tx) => {
      await store.deleteBefore(tx, clock.nowMs() - KEEP_MS, SWEEP_MAX);
      await store.pullForward(tx, clock.nowMs() + AHEAD_MS_MAX, clock.nowMs());
    });
  }
}

async function deliverBatch(parts: Parts, tenant: string, signal: AbortSignal): Promise<number> {
  const { clock, db, logger } = parts;
  const lease = { nowMs: clock.nowMs(), leaseMs: LEASE_MS, max: BATCH_MAX };
  const waiting = await db.tx({ tenant }, (tx) => store.claim(tx, lease));
  const count = waiting.length;
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      const { channel, attempts } = next;
      await deliver(parts, tenant, next, signal).catch((error: unknown) =>
        logger.warn("a message could not be sent; it comes again when its lease ends", { channel, attempts, error }),
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE_MAX, count) }, worker));
  return count;
}

/** What becomes of a delivery: it was made, it is put off, or it is given up, and why. */
type Verdict =
  | { readonly kind: "sent" }
  | { readonly kind: "later"; readonly dueAtMs: number; readonly wasTried: boolean }
  | { readonly kind: "dropped"; readonly why: string };

async function deliver(parts: Parts, tenant: string, delivery: store.Delivery, signal: AbortSignal): Promise<void> {
  const { clock, counted, db } = parts;
  const { channel, profile_id: profileId, user_id: userId, template } = delivery;
  const context = systemContext(tenant, "notification", { signal, clock });
  const preferences =
    (await db.read({ tenant }, (tx) => store.preferencesOf(tx, [profileId]))).get(profileId) ?? PREFERENCES_DEFAULT;
  const verdict =
    (await refusal(parts, context, delivery, preferences)) ?? (await attempt(parts, context, delivery, preferences));
  await db.tx({ tenant }, async (tx) => {
    if (verdict.kind === "later") return store.postpone(tx, delivery, verdict);
    const isOurs = await store.finish(tx, delivery);
    if (!isOurs || verdict.kind !== "sent") return;
    const [kind, notificationId] = [kindOf(template), delivery.message_id];
    tx.emit("sent", { userId, profileId, notificationId, kind, template, channel, sentAtMs: clock.nowMs() });
  });
  counted(channel, verdict.kind === "dropped" ? verdict.why : verdict.kind);
}

/** Why it is not sent now, if it is not: too late, not wanted any more, quiet hours, or too many already. */
async function refusal(
  { cache, clock }: Parts,
  { tenant }: Context,
  { channel, attempts, template, profile_id: profileId, expires_at_ms: expiresAtMs }: store.Delivery,
  preferences: Preferences,
): Promise<Verdict | undefined> {
  const nowMs = clock.nowMs();
  if (nowMs >= expiresAtMs) return { kind: "dropped", why: "late" };
  if (!choiceOf(preferences, kindOf(template))[channel]) return { kind: "dropped", why: "unwanted" };
  const dueAtMs = quietUntilMs(preferences.quiet, nowMs, preferences.zone);
  if (dueAtMs >= expiresAtMs) return { kind: "dropped", why: "quiet" };
  if (dueAtMs > nowMs) return { kind: "later", dueAtMs, wasTried: false };
  if (attempts > 1) return undefined;
  const { max, windowMs } = RATES[channel];
  const count = await cache.increment(`${tenant}/rate/${channel}/${profileId}`, 1, windowMs);
  return count > max ? { kind: "dropped", why: "too_many" } : undefined;
}

async function attempt(
  parts: Parts,
  context: Context,
  delivery: store.Delivery,
  preferences: Preferences,
): Promise<Verdict> {
  const nowMs = parts.clock.nowMs();
  const again = (askedForMs: number): Verdict => {
    const dueAtMs = retryAtMs(delivery.attempts, nowMs, askedForMs);
    return dueAtMs === undefined || dueAtMs >= delivery.expires_at_ms
      ? { kind: "dropped", why: "failed" }
      : { kind: "later", dueAtMs, wasTried: true };
  };
  try {
    const verdict = await send(parts, context, delivery, preferences);
    return typeof verdict === "number" ? again(verdict) : verdict;
  } catch (error) {
    const fault = toProblem(error);
    if (fault.code === "not_found") return { kind: "dropped", why: "gone" };
    parts.logger.warn("a message could not be sent", { channel: delivery.channel, attempts: delivery.attempts, error });
    return fault.code === "invalid_argument" ? { kind: "dropped", why: "refused" } : again(0);
  }
}

/** Hands a message over; a number says after how long it may be tried again. */
async function send(
  { addresses, call, clock, db, mail, push }: Parts,
  context: Context,
  delivery: store.Delivery,
  { zone }: Preferences,
): Promise<Verdict | number> {
  const { channel, message_id: id, profile_id: profileId, user_id: userId, template, about } = delivery;
  const [{ user }, { profile }] = await Promise.all([
    call.user.get({ userId }, context),
    call.profile.get({ profileId }, context),
  ]);
  const language = profile?.language || user?.language || "en";
  const words = wordsOf(template, about, { language, zone });
  const path = `/n/${id}`;
  if (channel === "email") {
    const urls = { open: addresses.publicUrl + path, account: `${addresses.publicUrl}/account` };
    const message = { to: user?.email ?? "", ...mailOf(words, language, urls) };
    await within(MAIL_MS_MAX, "the mail server", context.signal, mail.send(message));
    return { kind: "sent" };
  }
  const devices = await db.read(context, (tx) => store.subscriptionsOf(tx, [profileId]));
  const device = devices.find(({ device_id }) => device_id === delivery.device_id);
  if (!device) return { kind: "dropped", why: "gone" };
  // A push service keeps one message of a topic, so that one which is sent again takes the place of itself. Topics are base64url, 32 at most.
  const how = { ttlMs: delivery.expires_at_ms - clock.nowMs(), topic: id.replace("ntf_", "") };
  const outcome = await push.send(device, Buffer.from(JSON.stringify({ id, ...words, path })), how);
  if (outcome.kind === "again") return outcome.afterMs;
  if (outcome.kind === "gone") await db.tx(context, (tx) => store.unsubscribe(tx, userId, device.device_id));
  return outcome.kind === "taken" ? { kind: "sent" } : { kind: "dropped", why: outcome.kind };
}
