import type { IncomingMessage, ServerResponse } from "node:http";
import { Metadata } from "#contracts/metadata";
import { type Audit, audited, type Client, type Context, problem, systemContext } from "#kernel";
import type { Host } from "#kernel/host";
import { type Methods, openMethods, readBody } from "../admin/calls.ts";
import { allowedCalls, allowedContracts } from "./allowed.ts";
import { cookieIn } from "./guard.ts";
import { SESSION_MS, type Session, type Sessions } from "./sessions.ts";

const DEADLINE_MS = 30_000;
const CODE = /^[\w-]{20,100}$/;
/** Only our calls need the cookie; other ports of this machine, which get it too, have no such paths. */
const COOKIE_PATH = "/api/";

export interface ApiOptions {
  readonly host: Pick<Host, "client">;
  readonly audit: Audit;
  readonly sessions: Sessions;
  /** Names the cookie: cookies know no ports. */
  readonly port: number;
  /** What pages may show of the product. */
  readonly about: Readonly<Record<string, string>>;
}

interface Api extends ApiOptions {
  readonly methods: Methods;
  readonly metadata: Client<typeof Metadata.rpc>;
  readonly cookieName: string;
}

/** `/api/`: entering and leaving, the calls that are allowed, and pictures. Requests were found to be our own pages'. */
export function openApi(options: ApiOptions) {
  const { host, audit } = options;
  const api: Api = {
    ...options,
    methods: openMethods({ host, audit, contracts: allowedContracts, allowed: allowedCalls }),
    metadata: host.client(Metadata, "admin"),
    cookieName: `marquee-console-${options.port}`,
  };
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, what = "", ...rest] = ((request.url ?? "").split("?", 1)[0] ?? "").slice(1).split("/");
    const of = `${request.method ?? "?"} ${what}`;
    if (of === "POST enter") return enter(api, request, response);
    const token = cookieIn(request.headers.cookie, api.cookieName) ?? "";
    const session = api.sessions.find(token);
    if (!session)
      throw problem.unauthenticated("nobody has entered here, or it was too long ago: ./marquee console makes a link", {
        reason: "no_session",
      });
    if (of === "GET session") return sendJson(response, 200, { ...describe(session), ...api.about });
    if (of === "POST leave") return leave(api, token, session, response);
    const context = contextOf(session, response);
    if (of === "POST call") {
      const body = await readBody(request);
      const from = `console ${session.label}`;
      return sendJson(response, 200, await api.methods.run(rest.join("/"), body, { context, from, isWhole: true }));
    }
    if (of === "GET picture") return sendPicture(api, rest, context, response);
    throw problem.notFound(`'${of.slice(0, 80)}' is not here: there are session, call, picture, enter and leave`);
  };
}

const describe = ({ label, tenant, endsAtMs }: Session) => ({ label, tenant, endsAtMs });

function contextOf({ tenant }: Session, response: ServerResponse): Context {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return systemContext(tenant, "admin", { deadlineMs: DEADLINE_MS, signal: gone.signal });
}

/** A link's code becomes a cookie. Each try is recorded, wrong ones too. */
async function enter(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const code = codeIn(await readBody(request));
  const attempt = { tenant: "", who: "operator", what: "console.enter", on: "", from: "console" };
  const { token, session } = await audited(api.audit, attempt, async () => api.sessions.enter(code));
  response.setHeader("set-cookie", cookieOf(api, token, SESSION_MS / 1_000));
  sendJson(response, 200, { ...describe(session), ...api.about });
}

async function leave(api: Api, token: string, session: Session, response: ServerResponse): Promise<void> {
  api.sessions.leave(token);
  await api.audit({
    ...{ tenant: session.tenant, who: "operator", what: "console.leave", on: "" },
    ...{ from: `console ${session.label}`, outcome: "ok" },
  });
  response.setHeader("set-cookie", cookieOf(api, "", 0));
  sendJson(response, 200, {});
}

/** Loopback speaks plain HTTP, so it is not Secure; scripts do not see it, and pages elsewhere do not send it. */
const cookieOf = ({ cookieName }: Api, value: string, seconds: number): string =>
  `${cookieName}=${value}; Path=${COOKIE_PATH}; Max-Age=${seconds}; HttpOnly; SameSite=Strict`;

function codeIn(body: string): string {
  try {
    const { code } = JSON.parse(body) as { readonly code?: unknown };
    if (typeof code === "string" && CODE.test(code)) return code;
  } catch {
    // Said below, as for everything else that is no code.
  }
  throw problem.invalid('the body is not of the form {"code": "…"}');
}

async function sendPicture(
  { metadata }: Api,
  [contentId = "", time = ""]: readonly string[],
  context: Context,
  response: ServerResponse,
): Promise<void> {
  if (!/^\d{1,9}$/.test(time)) throw problem.invalid(`'${time.slice(0, 40)}' is no moment in milliseconds`);
  const { picture } = await metadata.picture(
    { contentId: decodeURIComponent(contentId), timeMs: Number(time) },
    context,
  );
  response.writeHead(200, {
    "content-type": "image/jpeg",
    "content-length": picture.length,
    // A film does not change.
    "cache-control": "private, max-age=3600",
  });
  response.end(picture);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(value));
}
