/**
 * The embedded ClickHouse: the library chdb in a process of its own, behind the part of ClickHouse's HTTP interface that our adapter
 * speaks. A process, because the library takes the one that it is loaded into down with it when it fails, keeps its memory until that one
 * ends, and allows one data folder each.
 *
 *   GET /ping
 *   POST /?query=…&param_NAME=…      the statement is `query`, a line feed, and the body; without `query`, the body
 *
 * Environment: MARQUEE_CHDB_FOLDER, MARQUEE_CHDB_PORT (0: any), MARQUEE_CHDB_USER, MARQUEE_CHDB_PASSWORD. It listens on loopback
 * only. Whoever forked it hears `{ port }` and ends it by closing the channel.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { drainPending, Session } from "chdb";

const BODY_BYTES_MAX = 64 * 1024 * 1024;
/** What the client adds by itself and what has no meaning without a wire; everything else that we set stands in the statement. */
const IGNORED = new Set([
  "query_id",
  "wait_end_of_query",
  "enable_http_compression",
  "role",
  "session_id",
  "default_format",
]);

const setting = (name: string): string => process.env[`MARQUEE_CHDB_${name}`] ?? "";
const digest = (value: string): Buffer => createHash("sha256").update(value).digest();
const expected = digest(`${setting("USER")}:${setting("PASSWORD")}`);

/** Waits for the lock of a process that is just ending, as after a kill -9. */
async function open(): Promise<Session> {
  for (let tries = 1; ; tries += 1) {
    try {
      return new Session(setting("FOLDER"));
    } catch (error) {
      if (tries === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const session = await open();

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    const code = /^Code: (\d+)\./.exec(message)?.[1] ?? "1001";
    send(
      response,
      500,
      message.startsWith("Code: ") ? message : `Code: 1001. DB::Exception: ${message} (STD_EXCEPTION)`,
      code,
    );
  });
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  if (pathname === "/ping") return send(response, 200, "Ok.\n");
  if (!isOurs(request))
    return send(response, 403, "Code: 516. DB::Exception: Authentication failed (AUTHENTICATION_FAILED)", "516");
  const params: Record<string, string> = {};
  for (const [name, value] of searchParams) {
    if (name.startsWith("param_")) params[name.slice(6)] = unescaped(value);
    else if (name === "database" ? value !== "default" : name !== "query" && !IGNORED.has(name))
      return send(
        response,
        404,
        `Code: 115. DB::Exception: Setting ${name}=${value} is not known here (UNKNOWN_SETTING)`,
        "115",
      );
  }
  if (Number(request.headers["content-length"] ?? 0) > BODY_BYTES_MAX)
    return send(response, 413, "Code: 307. DB::Exception: The body is too large (TOO_MANY_BYTES)", "307");
  const body = await text(request);
  const query = searchParams.get("query");
  const statement = query === null ? body : body === "" ? query : `${query}\n${body}`;
  const result = await (Object.keys(params).length > 0
    ? session.queryBindAsync(statement, params, { format: "TabSeparated" })
    : session.queryAsync(statement, { format: "TabSeparated" }));
  send(response, 200, result.bytes());
}

function isOurs({ headers }: IncomingMessage): boolean {
  const [scheme, credentials = ""] = (headers.authorization ?? "").split(" ");
  return scheme === "Basic" && timingSafeEqual(digest(Buffer.from(credentials, "base64").toString()), expected);
}

/** Parameters come escaped as in TabSeparated. */
const unescaped = (value: string): string =>
  value.replaceAll(
    /\\(.)/gs,
    (_, letter: string) => ({ t: "\t", n: "\n", r: "\r", b: "\b", f: "\f", 0: "\0" })[letter] ?? letter,
  );

function send(response: ServerResponse, status: number, body: string | Uint8Array, code?: string): void {
  if (code !== undefined) response.setHeader("x-clickhouse-exception-code", code);
  response.writeHead(status, { "content-type": "text/plain; charset=UTF-8" });
  response.end(body);
}

/** A connection that is closed while it works would crash, so what runs may finish first. */
async function end(): Promise<void> {
  server.close();
  server.closeAllConnections();
  await drainPending();
  session.close();
  process.exit(0);
}

process.once("SIGTERM", () => void end());
// Our parent decides when we end: Ctrl-C goes to all of us at once.
process.on("SIGINT", () => {});
process.once("disconnect", () => void end());
server.listen(Number(setting("PORT")), "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: address !== null && typeof address === "object" ? address.port : 0 });
});
