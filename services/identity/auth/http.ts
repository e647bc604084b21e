import type { IncomingMessage, ServerResponse } from "node:http";
import { type Context, systemContext } from "#kernel";
import type { Parts } from "./parts.ts";
import { PREFIX } from "./provider.ts";
import { inScope } from "./scope.ts";

const DEADLINE_MS = 15_000;

/**
 * Serves the OpenID provider under its prefix. The provider believes the forwarded host and scheme, so this sets them: the
 * scheme of the public address, and a host only if it is ours. What a client claims in those headers is dropped.
 */
export async function handle(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { addresses, call, clock, config } = parts;
  const asked = askedHost(request);
  const first: Context = systemContext(config.MARQUEE_TENANT, "auth", { clock, deadlineMs: DEADLINE_MS });
  const { tenant } = await call.tenant.resolve({ host: asked }, first);
  const context: Context = { ...first, tenant: tenant?.id ?? first.tenant };
  const home = new URL(addresses.publicUrl);
  const host = tenant?.hosts.includes(asked) ? withPort(asked, home) : home.host;
  for (const name of ["x-forwarded-for", "x-forwarded-port", "forwarded"]) delete request.headers[name];
  request.headers["x-forwarded-proto"] = home.protocol.slice(0, -1);
  request.headers["x-forwarded-host"] = host;
  const mounted: IncomingMessage & { originalUrl?: string } = request;
  const url = request.url ?? PREFIX;
  mounted.originalUrl = url;
  mounted.url = url.startsWith(PREFIX) ? url.slice(PREFIX.length - 1) : url;
  const origins = [
    addresses.publicUrl,
    ...(tenant?.hosts ?? []).map((name) => `${home.protocol}//${withPort(name, home)}`),
  ];
  const reason = mounted.url.startsWith("/token/revocation") ? "asked" : "reuse";
  const provider = await parts.provider();
  await inScope({ context, origins, reason }, () => provider.callback()(request, response));
}

/**
 * The host that the browser asked for, without its port. It chooses among tenants and nothing else, so a proxy's or BFF's word for it is good
 * enough. HTTP/2 has an authority where HTTP/1.1 has a host.
 */
function askedHost({ headers }: IncomingMessage): string {
  const said = headers["x-forwarded-host"] ?? headers.host ?? headers[":authority"];
  return (typeof said === "string" ? said : "").toLowerCase().replace(/:\d{1,5}$/, "");
}

const withPort = (host: string, home: URL): string => (home.port === "" ? host : `${host}:${home.port}`);
