// What the tests of the identity services share: a host with the services that a sign-in touches, and a browser without a window. They
// stand here because they run several services together, which a service's own tests may not.
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { mock } from "node:test";
import { decodeJwt, type JWTPayload } from "jose";
import { Auth } from "#contracts/auth";
import { Catalog } from "#contracts/catalog";
import { Entitlement } from "#contracts/entitlement";
import { Profile } from "#contracts/profile";
import { Subscription } from "#contracts/subscription";
import { Tenant } from "#contracts/tenant";
import { User } from "#contracts/user";
import { type Contract, defineService, type HttpMount, on, problem, type Received, type Tx } from "#kernel";
import entitlement from "../../services/identity/entitlement/service.ts";
import profile from "../../services/identity/profile/service.ts";
import subscription from "../../services/identity/subscription/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHostOptions } from "../host.ts";
import user from "../../services/identity/user/service.ts";
import { CLIENTS, RESOURCE } from "../../services/identity/auth/domain.ts";
import auth from "../../services/identity/auth/service.ts";

export const PASSWORD = "correct horse battery";
export const SCOPE = "openid profile email offline_access api";

const never = async (): Promise<never> => {
  throw problem.unavailable("no catalogue in this test");
};

export interface Heard {
  readonly event: string;
  readonly deviceId: string;
  /** How somebody signed in, or why somebody was signed out. */
  readonly word: string;
}

/** Entitlement needs a catalogue to call; signing in never asks it anything. This one listens to what auth announces. */
function emptyCatalog(heard: Heard[]) {
  const note =
    <E>(word: (data: E) => Heard) =>
    async (_: object, __: Tx<typeof Catalog>, events: readonly Received<E>[]): Promise<void> => {
      for (const { data } of events) heard.push(word(data));
    };
  return defineService({
    contract: Catalog,
    uses: {},
    slo: { p99Ms: 1, availability: 1 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: () => ({}),
    on: [
      on(Auth.events.login)(note(({ deviceId, method }) => ({ event: "login", deviceId, word: method }))),
      on(Auth.events.logout)(note(({ deviceId, reason }) => ({ event: "logout", deviceId, word: reason }))),
      on(Auth.events.tokenRefreshed)(note(({ deviceId }) => ({ event: "refreshed", deviceId, word: "" }))),
    ],
    rpc: () => ({
      add: never,
      update: never,
      publish: never,
      unpublish: never,
      delete: never,
      addSimulated: never,
      deleteSimulated: never,
      get: never,
      getMany: async () => ({ titles: [] }),
      list: never,
      genres: never,
      search: never,
    }),
    ready: async () => {},
  });
}

export type AuthHost = Awaited<ReturnType<typeof startAuth>>;

export async function startAuth(env: Readonly<Record<string, string>> = {}, folder?: string) {
  const heard: Heard[] = [];
  const services = [tenant, user, profile, subscription, emptyCatalog(heard), entitlement, auth];
  const host = await startIdentity({ services, env, ...(folder ? { folder } : {}) });
  return {
    ...host,
    heard,
    auth: host.client(Auth),
    users: host.client(User),
    profiles: host.client(Profile),
    subscriptions: host.client(Subscription),
    entitlements: host.client(Entitlement),
    tenants: host.client(Tenant),
  };
}

/** A test host whose public listener really listens, because the OpenID provider must know its own address. */
export async function startIdentity(options: TestHostOptions) {
  let mounts: readonly HttpMount[] = [];
  const server = createServer((request, response) => {
    const mount = mounts.find(({ prefix }) => request.url?.startsWith(prefix));
    if (!mount) return void response.writeHead(404).end();
    Promise.resolve(mount.handle(request, response)).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const publicUrl = `http://localhost:${(server.address() as AddressInfo).port}`;
  const host = await startTestHost({ ...options, addresses: { ...options.addresses, publicUrl } });
  mounts = host.host.http;
  return {
    ...host,
    publicUrl,
    client: <S extends Contract["rpc"]>(contract: Contract<S>) => host.client(contract, "test"),
    /** The texts of the mails to an address. */
    async mailsTo(address: string): Promise<string[]> {
      const folder = join(host.folder, "mail");
      const files = (await readdir(folder)).filter((name) => name.endsWith(".eml"));
      const mails = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
      const readable = mails.map((mail) => mail.replace(/=\r\n/g, "").replace(/=3D/g, "="));
      return readable.filter((mail) => mail.includes(`To: ${address}`));
    },
    async stop() {
      await host.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Does something when `ms` have passed, for every clock of the process. */
export async function later<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const now = Date.now.bind(Date);
  // Some hold on to `Date` itself, so its method is replaced and not the global.
  const replaced = mock.method(Date, "now", () => now() + ms);
  try {
    return await work();
  } finally {
    replaced.mock.restore();
  }
}

/** Waits for what events bring about; fails when it does not come. Longer than a cached fact may be believed. */
export async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 2_000; tries++) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it did not happen within twenty seconds");
}

/** An account with a password, once its first profile and its plan are there. */
export async function makeAccount(host: AuthHost, email: string, tenantId = "demo") {
  const context = host.context({ tenant: tenantId });
  const { user: made } = await host.users.create({ email, name: "Alex" }, context);
  if (!made) throw new Error("no account was made");
  await host.auth.setPassword({ userId: made.id, password: PASSWORD }, context);
  const first = await until(async () => (await host.profiles.list({ userId: made.id }, context)).profiles[0]);
  return { userId: made.id, email, profileId: first.id };
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly expires_in: number;
  readonly token_type: string;
}

export const claimsOf = (tokens: Pick<Tokens, "access_token">): JWTPayload & Readonly<Record<string, unknown>> =>
  decodeJwt(tokens.access_token);

/** Keeps cookies and follows nothing by itself. */
export function openBrowser(publicUrl: string) {
  const cookies = new Map<string, { readonly value: string; readonly path: string }>();

  async function get(url: string): Promise<Response> {
    const { pathname } = new URL(url);
    const sent = [...cookies]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`);
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie: sent.join("; ") },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split(/;\s*/);
      const name = pair.slice(0, pair.indexOf("="));
      const path = attributes.find((attribute) => attribute.startsWith("path="))?.slice(5) ?? "/";
      if (/expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
      else cookies.set(name, { value: pair.slice(pair.indexOf("=") + 1), path });
    }
    return response;
  }

  return {
    cookies,
    get,
    /** Asks for authorization as the web client does; resolves with the interaction, or with the code where nobody had to sign in. */
    async authorize(
      options: {
        readonly deviceId?: string;
        readonly prompt?: string;
        readonly challenge?: boolean;
        readonly screenHint?: string;
        readonly deviceName?: string;
      } = {},
    ) {
      const verifier = randomBytes(32).toString("base64url");
      const state = randomBytes(8).toString("hex");
      const query = new URLSearchParams({
        client_id: CLIENTS.web,
        response_type: "code",
        redirect_uri: `${publicUrl}/auth/callback`,
        scope: SCOPE,
        state,
        ...(options.challenge === false
          ? {}
          : {
              code_challenge: createHash("sha256").update(verifier).digest("base64url"),
              code_challenge_method: "S256",
            }),
        ...(options.deviceId
          ? { device_id: options.deviceId, device_name: options.deviceName ?? "Firefox", device_type: "web" }
          : {}),
        ...(options.prompt ? { prompt: options.prompt } : {}),
        ...(options.screenHint ? { screen_hint: options.screenHint } : {}),
      });
      const response = await get(`${publicUrl}/oauth/auth?${query.toString()}`);
      const to = new URL(response.headers.get("location") ?? "about:blank", publicUrl);
      return { response, verifier, state, to, interaction: to.searchParams.get("interaction") ?? "" };
    },
    /** Goes on where a sign-in ended; resolves with the code. */
    async resume(continueUrl: string, state: string): Promise<string> {
      const response = await get(continueUrl);
      const to = new URL(response.headers.get("location") ?? "about:blank", publicUrl);
      if (to.searchParams.get("state") !== state) throw new Error(`no code came back: ${response.status} ${to.href}`);
      return to.searchParams.get("code") ?? "";
    },
  };
}

export type Browser = ReturnType<typeof openBrowser>;

/** A form post to the provider; the answer as JSON, whatever its status. */
export async function post(publicUrl: string, path: string, form: Readonly<Record<string, string>>) {
  const response = await fetch(`${publicUrl}/oauth${path}`, { method: "POST", body: new URLSearchParams(form) });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
}

export const redeem = (publicUrl: string, code: string, verifier: string) =>
  post(publicUrl, "/token", {
    grant_type: "authorization_code",
    client_id: CLIENTS.web,
    code,
    redirect_uri: `${publicUrl}/auth/callback`,
    code_verifier: verifier,
  });

export const refresh = (publicUrl: string, refreshToken: string, clientId: string = CLIENTS.web) =>
  post(publicUrl, "/token", { grant_type: "refresh_token", client_id: clientId, refresh_token: refreshToken });

export const tokensOf = ({ status, body }: Awaited<ReturnType<typeof post>>): Tokens => {
  if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`);
  return body as unknown as Tokens;
};

/** Signs in from the first page to the tokens. */
export async function signIn(
  host: AuthHost,
  account: { readonly email: string },
  options: {
    readonly deviceId?: string;
    readonly browser?: Browser;
    readonly ip?: string;
    readonly tenant?: string;
  } = {},
): Promise<Tokens> {
  const browser = options.browser ?? openBrowser(host.publicUrl);
  const started = await browser.authorize({ deviceId: options.deviceId ?? "dev-a", prompt: "login" });
  const { continueUrl } = await host.auth.signIn(
    { interaction: started.interaction, email: account.email, password: PASSWORD, ip: options.ip ?? "192.0.2.1" },
    host.context(options.tenant ? { tenant: options.tenant } : {}),
  );
  const code = await browser.resume(continueUrl, started.state);
  return tokensOf(await redeem(host.publicUrl, code, started.verifier));
}

export { CLIENTS, RESOURCE };
