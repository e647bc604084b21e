import { randomBytes } from "node:crypto";
import { type Context, problem, toProblem } from "#kernel";
import { checkPassword, networkOf } from "./domain.ts";
import { endAll } from "./grants.ts";
import { digest, isWithin } from "./guard.ts";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";

const TOKEN_MS = 30 * 60_000;
const HOUR_S = 3_600;
const MAILS_PER_ADDRESS_MAX = 3;
const MAILS_PER_NETWORK_MAX = 20;
/** Mails under way; more are dropped, because a flood of them is somebody's mischief. */
const UNDER_WAY_MAX = 50;

/** Sends a reset mail if somebody has the address. It answers before it looks, so that neither the answer nor its time tells. */
export function forgotPassword(
  parts: Parts,
  context: Context,
  request: { readonly email: string; readonly ip: string },
): void {
  const { background, logger } = parts;
  if (background.size >= UNDER_WAY_MAX) {
    logger.warn("a password reset was dropped: too many are under way");
    return;
  }
  const work = send(parts, { ...context, viewer: null, signal: new AbortController().signal }, request)
    .catch((error: unknown) => logger.warn("a password reset could not be mailed", { error }))
    .finally(() => background.delete(work));
  background.add(work);
}

async function send(
  parts: Parts,
  context: Context,
  { email, ip }: { readonly email: string; readonly ip: string },
): Promise<void> {
  const { addresses, cache, call, clock, db, mail } = parts;
  const mayGo = await Promise.all([
    isWithin(cache, context, {
      what: "reset-address",
      who: email.trim().toLowerCase(),
      max: MAILS_PER_ADDRESS_MAX,
      windowS: HOUR_S,
    }),
    isWithin(cache, context, {
      what: "reset-network",
      who: networkOf(ip),
      max: MAILS_PER_NETWORK_MAX,
      windowS: HOUR_S,
    }),
  ]);
  if (mayGo.includes(false)) return;
  const { user } = await call.user.findByEmail({ email }, context).catch((error: unknown) => {
    const { code } = toProblem(error);
    if (code === "not_found" || code === "invalid_argument") return { user: undefined };
    throw error;
  });
  if (!user) return;
  const token = randomBytes(32).toString("base64url");
  await db.tx(context, (tx) => store.saveReset(tx, user.id, digest(token), clock.nowMs() + TOKEN_MS));
  await mail.send({
    to: user.email,
    subject: "Choose a new password",
    text: [
      `Hello ${user.name},`,
      "",
      "somebody asked for a new password for your Marquee account. If it was you, open this page within half an hour:",
      "",
      `${addresses.publicUrl}/reset-password?token=${token}`,
      "",
      "It works once, and signs you out on all devices. If it was not you, do nothing: your password stays as it is.",
      "",
    ].join("\n"),
  });
}

/** Sets the password of whoever got the mail, and signs the account out everywhere. */
export async function resetPassword(
  parts: Parts,
  context: Context,
  request: { readonly token: string; readonly password: string },
): Promise<void> {
  const { clock, db, passwords } = parts;
  const password = checkPassword(request.password);
  const passwordHash = await passwords.hash(password);
  const nowMs = clock.nowMs();
  await db.tx(context, async (tx) => {
    const userId = await store.takeReset(tx, digest(request.token.slice(0, 200)), nowMs);
    if (userId === undefined)
      throw problem.precondition("this link was used or is too old: ask for another one", { reason: "expired" });
    await endAll(tx, userId, "password_reset");
    await store.saveCredential(tx, { userId, passwordHash, isEmailProven: true, changedAtMs: nowMs });
  });
}

/** Sets a password for an operator; an account that had one is signed out everywhere. */
export async function setPassword(
  parts: Parts,
  context: Context,
  request: { readonly userId: string; readonly password: string },
): Promise<void> {
  const { call, clock, db, passwords } = parts;
  const { userId } = request;
  const password = checkPassword(request.password);
  await call.user.get({ userId }, context);
  const passwordHash = await passwords.hash(password);
  await db.tx(context, async (tx) => {
    if (await store.credential(tx, userId)) await endAll(tx, userId, "password_reset");
    await store.saveCredential(tx, { userId, passwordHash, isEmailProven: true, changedAtMs: clock.nowMs() });
  });
}
