// Auth: signs people and devices in. OAuth 2.0 and OpenID Connect under /oauth/, passwords, devices, keys.
import type Provider from "oidc-provider";
import { Auth } from "#contracts/auth";
import { Profile, type ProfileUpdated } from "#contracts/profile";
import { User, type UserDeleted } from "#contracts/user";
import { defineService, on, type Received, systemContext } from "#kernel";
import { openBrokers, type Brokers } from "./brokered.ts";
import * as devices from "./devices.ts";
import { REFRESH_TOKEN_S } from "./domain.ts";
import { endAll } from "./grants.ts";
import { handle } from "./http.ts";
import { issueToken } from "./issue.ts";
import { openKeys, publicJwks } from "./keys.ts";
import * as oidc from "./oidc-store.ts";
import { assertInternal, assertOwn, type AuthTx, type Parts as SharedParts, uses } from "./parts.ts";
import { openPasswords } from "./passwords.ts";
import { issuerOf, makeProvider, PREFIX } from "./provider.ts";
import { openRecord, type Record } from "./record.ts";
import { forgotPassword, resetPassword, setPassword } from "./reset.ts";
import { signIn, signUp } from "./sign-in.ts";
import * as store from "./store.ts";

const SWEEP_EVERY_MS = 10 * 60_000;
const SWEEP_ROWS_MAX = 1_000;
const ROTATE_EVERY_MS = 60 * 60_000;
const FORGOTTEN_AFTER_MS = 180 * 86_400_000;

interface Parts extends SharedParts {
  readonly brokers: Brokers;
  readonly record: Record;
}

export default defineService({
  contract: Auth,
  uses,
  slo: { p99Ms: 100, availability: 0.9999 },
  ai: { feeds: "fraud models: sign-ins and their methods", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  async start({ db, call, cache, mail, clock, logger, config, addresses, secrets, audit, metrics }): Promise<Parts> {
    const keys = openKeys(secrets, clock);
    const shared = { db, call, cache, mail, clock, logger, config, addresses, audit };
    let made: { readonly version: number; readonly provider: Provider } | undefined;
    const provider = async (): Promise<Provider> => {
      const ring = await keys.load();
      if (made?.version !== ring.version) made = { version: ring.version, provider: makeProvider(shared, ring) };
      return made.provider;
    };
    const parts: SharedParts = { ...shared, keys, passwords: openPasswords(), provider, background: new Set() };
    return { ...parts, brokers: openBrokers(parts), record: openRecord(audit, metrics) };
  },

  on: [on(User.events.deleted)(forgetUsers), on(Profile.events.updated)(forgetProfiles)],

  http: (parts) => [
    { listener: "public", prefix: PREFIX, handle: (request, response) => handle(parts, request, response) },
  ],

  periodic: (parts) => [
    { name: "auth-sweep", everyMs: SWEEP_EVERY_MS, run: (signal) => sweep(parts, signal) },
    { name: "auth-rotate", everyMs: ROTATE_EVERY_MS, run: () => parts.keys.rotateWhenDue() },
  ],

  rpc: (parts) => ({
    async signIn(request, context) {
      const attempt = { what: "account.sign_in", who: request.email, ip: request.ip };
      return parts.record.signIn("password", context, attempt, async () => ({
        continueUrl: await signIn(parts, context, request),
      }));
    },
    async signUp(request, context) {
      const attempt = { what: "account.sign_up", who: request.email, ip: request.ip };
      return parts.record.signIn("sign_up", context, attempt, async () => ({
        continueUrl: await signUp(parts, context, request),
      }));
    },
    beginBrokered: (request, context) => parts.brokers.begin(context, request),
    async finishBrokered(request, context) {
      const attempt = { what: "account.sign_in", who: "", on: `account at ${request.provider}` };
      return parts.record.signIn(request.provider, context, attempt, async () => ({
        continueUrl: await parts.brokers.finish(context, request),
      }));
    },
    async forgotPassword(request, context) {
      const attempt = { what: "account.forgot_password", who: request.email, ip: request.ip };
      await parts.record.other(context, attempt, async () => forgotPassword(parts, context, request));
      return {};
    },
    async resetPassword(request, context) {
      const attempt = { what: "account.reset_password", who: "" };
      await parts.record.other(context, attempt, () => resetPassword(parts, context, request));
      return {};
    },
    async jwks() {
      const jwks = publicJwks(await parts.keys.load());
      return { jwksJson: JSON.stringify(jwks), issuer: issuerOf(parts.addresses.publicUrl) };
    },
    async chooseProfile(request, context) {
      assertOwn(context, request.userId);
      await devices.chooseProfile(parts, context, request);
      return {};
    },
    async listDevices({ userId }, context) {
      assertOwn(context, userId);
      const found = await devices.listDevices(parts, context, userId);
      return {
        devices: found.map(({ id, name, type, lastSeenAtMs }) => ({
          id,
          name,
          type,
          lastSeenAtMs: BigInt(lastSeenAtMs),
        })),
      };
    },
    async removeDevice(request, context) {
      assertOwn(context, request.userId);
      const attempt = { what: "device.remove", who: request.userId, on: request.deviceId };
      await parts.record.other(context, attempt, () => devices.removeDevice(parts, context, request));
      return {};
    },
    checkUserCode: async (request, context) => ({ deviceName: await devices.checkUserCode(parts, context, request) }),
    async confirmUserCode(request, context) {
      assertOwn(context, request.userId);
      const attempt = { what: "device.sign_in", who: request.userId, on: "device with a code" };
      await parts.record.signIn("device", context, attempt, () => devices.confirmUserCode(parts, context, request));
      return {};
    },
    async issueToken(request, context) {
      assertInternal(context);
      return issueToken(parts, context, request);
    },
    async rotateKeys(_, context) {
      assertInternal(context);
      return { kid: (await parts.keys.rotate()).keys[0]?.jwk.kid ?? "" };
    },
    async setPassword(request, context) {
      assertInternal(context);
      await setPassword(parts, context, request);
      return {};
    },
  }),

  async ready({ db, keys }) {
    await db.ping();
    await keys.load();
  },
  async stop({ background }) {
    await Promise.all(background);
  },
});

/** Removes what time has ended, for every tenant, in portions. */
async function sweep({ call, clock, config, db }: Parts, signal: AbortSignal): Promise<void> {
  const asked = systemContext(config.MARQUEE_TENANT, "auth", { clock, signal });
  const { tenants } = await call.tenant.list({}, asked);
  for (const { id: tenant } of tenants) {
    const nowMs = clock.nowMs();
    await db.tx({ tenant }, (tx) =>
      store.sweep(tx, {
        nowMs,
        signedOutBeforeMs: nowMs - REFRESH_TOKEN_S * 1_000,
        forgottenBeforeMs: nowMs - FORGOTTEN_AFTER_MS,
      }),
    );
    let swept = SWEEP_ROWS_MAX;
    while (swept === SWEEP_ROWS_MAX && !signal.aborted)
      swept = await db.tx({ tenant }, (tx) => oidc.sweep(tx, nowMs, SWEEP_ROWS_MAX));
  }
}

async function forgetUsers(_: Parts, tx: AuthTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) {
    await endAll(tx, data.userId, "removed");
    await store.removeUser(tx, data.userId);
  }
}

async function forgetProfiles(_: Parts, tx: AuthTx, events: readonly Received<ProfileUpdated>[]): Promise<void> {
  for (const { data } of events) if (data.deleted) await store.forgetProfile(tx, data.userId, data.profileId);
}
