import { createHash, randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Problem } from "#kernel";
import { type Context, problem, requireProfile, requireUser, toProblem } from "#kernel";
import { CLIENT_ID, type Cookies, requestTokens } from "./cookies.ts";
import type { WebParts } from "./parts.ts";
import { contextOf, hostOf, ipOf } from "./request.ts";

/**
 * What plain HTML forms do: sign in and up and out, choose a profile, activate a TV. Every answer is a redirect (303), so pages work
 * without JavaScript and a reload repeats nothing.
 */
const PENDING = "marquee_sign_in";
const PENDING_S = 900;

interface Pending {
  readonly state: string;
  readonly verifier: string;
  readonly returnTo: string;
}

type Form = Readonly<Record<string, string | undefined>>;

export function registerPages(app: FastifyInstance, parts: WebParts, cookies: Cookies): void {
  const { call, addresses } = parts;
  const anyone = async (request: FastifyRequest, reply: FastifyReply): Promise<Context> =>
    contextOf(parts, request, reply, { tenant: await cookies.tenantOf(request), viewer: null });
  const seeOther = (reply: FastifyReply, path: string): FastifyReply =>
    reply.header("cache-control", "no-store").redirect(path, 303);

  /** Begins an OAuth authorization request with PKCE; the verifier waits in a cookie of this browser. */
  function begin(request: FastifyRequest, reply: FastifyReply, page: string): FastifyReply {
    const query = request.query as Form;
    const pending: Pending = { state: random(), verifier: random(), returnTo: localPath(query["returnTo"]) };
    reply.setCookie(PENDING, Buffer.from(JSON.stringify(pending)).toString("base64url"), {
      ...{
        path: "/",
        httpOnly: true,
        sameSite: "lax",
        maxAge: PENDING_S,
        secure: addresses.publicUrl.startsWith("https:"),
      },
    });
    const parameters = new URLSearchParams({
      client_id: CLIENT_ID,
      response_type: "code",
      redirect_uri: `${addresses.publicUrl}/auth/callback`,
      scope: "openid profile email offline_access api",
      state: pending.state,
      code_challenge: createHash("sha256").update(pending.verifier).digest("base64url"),
      code_challenge_method: "S256",
      device_id: cookies.deviceId(request, reply),
      device_type: "web",
      device_name: browserName(request.headers["user-agent"] ?? ""),
      prompt: "login",
      ...(page === "/sign-up" ? { screen_hint: "signup" } : {}),
    });
    return seeOther(reply, `/oauth/auth?${parameters.toString()}`);
  }

  for (const page of ["/sign-in", "/sign-up"]) {
    app.get(page, async (request, reply) => {
      const query = request.query as Form;
      if (query["interaction"]) return reply.callNotFound();
      return begin(request, reply, page);
    });
  }

  /** Runs a form's work; a fault goes back to the page as a word that it has a sentence for. */
  async function attempt(
    reply: FastifyReply,
    page: string,
    keep: Form,
    work: () => Promise<string>,
  ): Promise<FastifyReply> {
    try {
      const next = await work();
      return await seeOther(reply, next);
    } catch (error) {
      const fault = toProblem(error);
      if (fault.status >= 500) throw fault;
      parts.logger.info("a form was refused", { page, reason: fault.reason });
      const parameters = new URLSearchParams({ ...defined(keep), error: wordFor(fault) });
      return seeOther(reply, `${page}?${parameters.toString()}`);
    }
  }

  app.post("/sign-in", async (request, reply) => {
    const { interaction = "", email = "", password = "" } = formOf(request);
    return attempt(reply, "/sign-in", { interaction, email }, async () => {
      const { continueUrl } = await call.auth.signIn(
        { interaction, email, password, ip: ipOf(request) },
        await anyone(request, reply),
      );
      return continueUrl;
    });
  });

  app.post("/sign-up", async (request, reply) => {
    const { interaction = "", email = "", password = "", name = "" } = formOf(request);
    const language = languageOf(request.headers["accept-language"]);
    return attempt(reply, "/sign-up", { interaction, email, name }, async () => {
      const { continueUrl } = await call.auth.signUp(
        { interaction, email, password, name, language, ip: ipOf(request) },
        await anyone(request, reply),
      );
      return continueUrl;
    });
  });

  app.get("/sign-in/with/:provider", async (request, reply) => {
    const { provider = "" } = request.params as Form;
    const { interaction = "" } = request.query as Form;
    return attempt(reply, "/sign-in", { interaction }, async () => {
      const { authorizationUrl } = await call.auth.beginBrokered(
        { interaction, provider },
        await anyone(request, reply),
      );
      return authorizationUrl;
    });
  });

  /** Google answers with a redirect, Apple with a form post (response_mode form_post): both are read as the same address. */
  async function finishBrokered(request: FastifyRequest, reply: FastifyReply, answer: Form): Promise<FastifyReply> {
    const { provider = "" } = request.params as Form;
    const { state = "" } = answer;
    const callbackUrl = `${addresses.publicUrl}/sign-in/callback/${encodeURIComponent(provider)}?${new URLSearchParams(defined(answer)).toString()}`;
    return attempt(reply, "/sign-in", {}, async () => {
      const { continueUrl } = await call.auth.finishBrokered(
        { provider, state, callbackUrl },
        await anyone(request, reply),
      );
      return continueUrl;
    });
  }
  app.get("/sign-in/callback/:provider", (request, reply) => finishBrokered(request, reply, request.query as Form));
  app.post("/sign-in/callback/:provider", (request, reply) => finishBrokered(request, reply, formOf(request)));

  app.get("/auth/callback", async (request, reply) => {
    const { code = "", state = "" } = request.query as Form;
    const pending = pendingOf(request);
    reply.clearCookie(PENDING, { path: "/" });
    // A stale or foreign answer is no error of the person: they begin again.
    if (!pending || pending.state !== state || code === "") return seeOther(reply, "/sign-in");
    const tokens = await requestTokens(parts, hostOf(request), {
      grant_type: "authorization_code",
      code,
      redirect_uri: `${addresses.publicUrl}/auth/callback`,
      code_verifier: pending.verifier,
    });
    if (!tokens) return seeOther(reply, "/sign-in");
    cookies.store(reply, tokens);
    return seeOther(reply, pending.returnTo);
  });

  app.post("/sign-out", async (request, reply) => {
    assertOwnForm(request, addresses.publicUrl);
    await cookies.clear(request, reply);
    return seeOther(reply, "/");
  });

  app.post("/forgot-password", async (request, reply) => {
    const { email = "" } = formOf(request);
    return attempt(reply, "/forgot-password", {}, async () => {
      await call.auth.forgotPassword({ email, ip: ipOf(request) }, await anyone(request, reply));
      return "/forgot-password?sent=1";
    });
  });

  app.post("/reset-password", async (request, reply) => {
    const { token = "", password = "" } = formOf(request);
    return attempt(reply, "/reset-password", { token }, async () => {
      await call.auth.resetPassword({ token, password, ip: ipOf(request) }, await anyone(request, reply));
      return "/sign-in";
    });
  });

  app.post("/profiles/select", async (request, reply) => {
    assertOwnForm(request, addresses.publicUrl);
    const { profileId = "", pin = "", returnTo } = formOf(request);
    const { context } = await cookies.signed(request, reply);
    return attempt(reply, "/profiles", { profileId, returnTo }, async () => {
      const { userId, deviceId } = requireUser(context);
      await call.auth.chooseProfile({ userId, deviceId, profileId, pin }, context);
      await cookies.renew(request, reply);
      return localPath(returnTo);
    });
  });

  app.post("/my-list", async (request, reply) => {
    assertOwnForm(request, addresses.publicUrl);
    const { contentId = "", change = "", returnTo } = formOf(request);
    const { context } = await cookies.signed(request, reply);
    const { profileId } = requireProfile(context);
    if (change === "remove") await call.bookmark.unsave({ profileId, contentId }, context);
    else {
      await call.catalog.get({ id: contentId }, context);
      await call.bookmark.save({ profileId, contentId }, context);
    }
    return seeOther(reply, localPath(returnTo));
  });

  app.post("/activate", async (request, reply) => {
    assertOwnForm(request, addresses.publicUrl);
    const { code = "", confirm = "" } = formOf(request);
    const { context } = await cookies.signed(request, reply);
    if (!context.viewer) return seeOther(reply, `/sign-in?returnTo=${encodeURIComponent(`/activate?code=${code}`)}`);
    const { userId, profileId } = requireUser(context);
    return attempt(reply, "/activate", { code }, async () => {
      if (confirm === "1") {
        await call.auth.confirmUserCode({ userCode: code, userId, profileId }, context);
        return "/activate?done=1";
      }
      const { deviceName } = await call.auth.checkUserCode({ userCode: code, ip: ipOf(request) }, context);
      return `/activate?${new URLSearchParams({ code, confirm: "1", device: deviceName }).toString()}`;
    });
  });
}

const random = (): string => randomBytes(32).toString("base64url");

function pendingOf(request: FastifyRequest): Pending | null {
  try {
    return JSON.parse(Buffer.from(request.cookies[PENDING] ?? "", "base64url").toString("utf8")) as Pending;
  } catch {
    return null;
  }
}

function formOf(request: FastifyRequest): Form {
  const body: unknown = request.body;
  if (body === null || typeof body !== "object") throw problem.invalid("the form is empty");
  const entries = Object.entries(body).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && entry[1].length <= 4_096,
  );
  return Object.fromEntries(entries);
}

/** Only paths of our own: nobody may be sent elsewhere after sign-in. */
export function localPath(path: string | undefined): string {
  return path !== undefined && /^\/(?![/\\])[\x21-\x7e]{0,1000}$/.test(path) ? path : "/";
}

const defined = (form: Form): Record<string, string> =>
  Object.fromEntries(Object.entries(form).flatMap(([name, value]) => (value ? [[name, value]] : [])));

/** The words that pages know. What is none of them is `invalid`. */
function wordFor(fault: Problem): string {
  const words: Readonly<Record<string, string>> = {
    already_exists: "email_taken",
    resource_exhausted: "locked",
    unauthenticated: "credentials",
  };
  const known = [
    "credentials",
    "locked",
    "expired",
    "email_taken",
    "password_short",
    "pin_required",
    "pin_wrong",
    "code_unknown",
  ];
  return known.includes(fault.reason) ? fault.reason : (words[fault.code] ?? "invalid");
}

/** Forms that act for a signed-in person must come from our own pages. */
function assertOwnForm(request: FastifyRequest, publicUrl: string): void {
  const origin = request.headers.origin;
  const site = request.headers["sec-fetch-site"];
  if (origin === undefined && (site === undefined || site === "same-origin")) return;
  const own = [new URL(publicUrl).host, request.headers.host];
  if (origin !== undefined && origin !== "null" && own.includes(new URL(origin).host)) return;
  throw problem.denied("this form did not come from our own page", { reason: "cross_site" });
}

/** The first language that a browser asks for; a program may ask for none, or for any (`*`). */
export const languageOf = (accepted: string | undefined): string =>
  /^\s*([a-z]{2})\b/i.exec(accepted ?? "")?.[1]?.toLowerCase() ?? "en";

/** What people call the browser that they sit at: `Chrome on Linux`. */
export function browserName(agent: string): string {
  const browser = /Edg\//.test(agent)
    ? "Edge"
    : /Firefox\//.test(agent)
      ? "Firefox"
      : /Chrome\//.test(agent)
        ? "Chrome"
        : /Safari\//.test(agent)
          ? "Safari"
          : "Browser";
  const systems: readonly [RegExp, string][] = [
    [/Android/, "Android"],
    [/iPhone/, "iPhone"],
    [/iPad/, "iPad"],
    [/Windows/, "Windows"],
    [/Mac OS X/, "Mac"],
    [/Linux/, "Linux"],
  ];
  const system = systems.find(([pattern]) => pattern.test(agent))?.[1];
  return system ? `${browser} on ${system}` : browser;
}
