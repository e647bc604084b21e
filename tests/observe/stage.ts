// The whole product but for its pages and edges, in this process: every service, the web BFF, the public listener, real engines.
import { join } from "node:path";
import { freePort } from "#kernel/testing/ports";
import { Auth } from "#contracts/auth";
import { Profile } from "#contracts/profile";
import { User } from "#contracts/user";
import { type Contract, systemClock } from "#kernel";
import { listenHttp } from "#kernel/http";
import { watchProcess } from "#kernel/metrics";
import { silentLogger } from "#kernel/telemetry";
import { openGeo } from "../../apps/adapters.ts";
import { services } from "../../apps/services.ts";
import { createWebBff } from "../../bffs/web/app.ts";
import { type WebParts, webUses } from "../../bffs/web/parts.ts";
import { openTokenVerifier } from "../../bffs/web/tokens.ts";
import { startTestHost } from "../host.ts";
import { openServer } from "../playback/setup.ts";

export const PASSWORD = "correct horse battery";

export async function openStage() {
  const port = await freePort();
  const publicUrl = `http://localhost:${port}`;
  const edges = await Promise.all(
    ["edge-a", "edge-b"].map(async (id) => ({ id, ...(await openServer((_, response) => response.end("ok"))) })),
  );
  const host = await startTestHost({ services, addresses: { publicUrl, edges }, env: { MARQUEE_MARKET: "DE" } });
  watchProcess(host.metrics);
  const used: Readonly<Record<string, Contract>> = webUses;
  const call = Object.fromEntries(
    Object.entries(used).map(([alias, contract]) => [alias, host.client(contract, "web")]),
  );
  const parts: WebParts = {
    call: call as unknown as WebParts["call"],
    clock: systemClock,
    config: host.config,
    addresses: { publicUrl, originUrl: publicUrl, edges },
    logger: silentLogger,
    metrics: host.metrics,
    flags: host.adapters.flags,
    geo: await openGeo(host.config),
    tokens: openTokenVerifier(host.client(Auth, "web"), "demo", systemClock),
    internalUrl: publicUrl,
    demoAccounts: [],
  };
  const web = await createWebBff(parts, {
    clientFolder: join(host.folder, "client"),
    render: async () => ({ status: 200, headers: {}, body: "" }),
    refusal: () => ({ headers: {}, body: "" }),
  });
  const listener = await listenHttp({
    ...{ name: "public", host: "localhost", port, mounts: host.host.http, logger: silentLogger, metrics: host.metrics },
    fallback: (request, response) => web.routing(request, response),
  });
  const users = host.client(User, "test");

  return {
    ...host,
    publicUrl,
    /** An account with a password, its profile and its plan. */
    async newAccount(email: string) {
      const { user } = await users.create({ email, name: "Ada Lovelace" }, host.context());
      if (!user) throw new Error("no account was made");
      await host.client(Auth, "test").setPassword({ userId: user.id, password: PASSWORD }, host.context());
      await host.settled();
      const { profiles } = await host.client(Profile, "test").list({ userId: user.id }, host.context());
      return { email, userId: user.id, profileId: profiles[0]?.id ?? "" };
    },
    async stop() {
      await listener.stop();
      await web.close();
      await host.stop();
      for (const edge of edges) edge.close();
    },
  };
}

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** A browser: it keeps cookies and follows redirects, and says where it came to. */
export function openBrowser(publicUrl: string) {
  const cookies = new Map<string, string>();
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    headers.set("origin", publicUrl);
    headers.set("x-marquee", "web");
    const response = await fetch(new URL(path, publicUrl), { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const pair = line.split(";", 1)[0] ?? "";
      cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    return response;
  }
  async function follow(path: string, init?: RequestInit): Promise<URL> {
    let response = await request(path, init);
    let at = new URL(path, publicUrl);
    for (let steps = 0; steps < 10; steps++) {
      const next = response.headers.get("location");
      if (next === null) return at;
      at = new URL(next, at);
      // The sign-in page itself is the product's to draw; what matters of it is its address.
      if (at.searchParams.has("interaction")) return at;
      response = await request(at.href);
    }
    throw new Error(`it goes round in circles: ${at.href}`);
  }
  return {
    request,
    /** Signs in as a person does, by the form. */
    async signIn(email: string, password: string): Promise<URL> {
      const page = await follow("/sign-in");
      const interaction = page.searchParams.get("interaction") ?? "";
      return follow("/sign-in", { method: "POST", body: new URLSearchParams({ interaction, email, password }) });
    },
  };
}
