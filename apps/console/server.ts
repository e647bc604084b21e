import type { IncomingMessage, ServerResponse } from "node:http";
import { type Audit, type Clock, type Logger, type Metrics, problem, toProblem } from "#kernel";
import type { Host } from "#kernel/host";
import { type HttpListener, listenHttp, problemDocument, traceIdNow } from "#kernel/http";
import { isCode } from "../admin/socket.ts";
import { openApi } from "./api.ts";
import { assertOwnName, assertOwnPage } from "./guard.ts";
import { headersOf, sendPage } from "./pages.ts";
import { openSessions } from "./sessions.ts";

export interface ConsoleOptions {
  readonly host: Pick<Host, "client">;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** 0 takes any free port. */
  readonly port: number;
  /** Where viewers are: titles' pictures come from there. */
  readonly publicUrl: string;
  /** Makes the pages, or finds them made; the folder that they are in. */
  readonly build: () => Promise<string>;
}

export interface Console {
  /** A link that lets whoever opens it in, once, within a minute. */
  link(tenant: string): Promise<{ readonly url: string; readonly endsAtMs: number }>;
  stop(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
interface Listening {
  readonly listener: HttpListener;
  readonly origin: string;
}

/** The operators' pages. Nothing is built and nobody listens until somebody asks for a link. */
export function openConsole(options: ConsoleOptions): Console {
  const sessions = openSessions(options.clock);
  let started: Promise<Listening> | undefined;

  async function listen(): Promise<Listening> {
    const folder = await options.build();
    // The port is known when it listens, and what answers needs to know it.
    const known: { api?: Handler; origin: string } = { origin: "" };
    const headers = headersOf(new URL(options.publicUrl).origin);
    const guarded =
      (handle: Handler): Handler =>
      async (request, response) => {
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        try {
          assertOwnName(request, known.origin);
          await handle(request, response);
        } catch (error) {
          refuse(options.logger, request, response, error);
        }
      };
    const pages = guarded((request, response) => sendPage(folder, request, response));
    const listener = await listenHttp({
      ...{ name: "console", host: "127.0.0.1", port: options.port },
      ...{ logger: options.logger, metrics: options.metrics },
      mounts: [
        {
          prefix: "/api/",
          handle: guarded(async (request, response) => {
            assertOwnPage(request, known.origin);
            await known.api?.(request, response);
          }),
        },
      ],
      fallback: (request, response) => void pages(request, response),
    }).catch((error: unknown) => {
      if (!isCode(error, "EADDRINUSE")) throw error;
      throw problem.precondition(
        `127.0.0.1:${options.port}, where the console would listen, is taken by another program: stop it, or choose another MARQUEE_PORT`,
        { cause: error },
      );
    });
    known.origin = `http://127.0.0.1:${listener.port}`;
    const { host, audit } = options;
    known.api = openApi({ host, audit, sessions, port: listener.port, about: { publicUrl: options.publicUrl } });
    return { listener, origin: known.origin };
  }

  return {
    async link(tenant) {
      started ??= listen();
      const { origin } = await started.catch((error: unknown) => {
        // The next one who asks tries again.
        started = undefined;
        throw error;
      });
      const { code, endsAtMs } = sessions.issue(tenant);
      // Behind #, where neither servers nor logs nor other pages see it.
      return { url: `${origin}/enter#${code}`, endsAtMs };
    },
    async stop() {
      const listening = await started?.catch(() => undefined);
      await listening?.listener.stop();
    },
  };
}

/** A problem document, for our own pages alone. */
function refuse(logger: Logger, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const fault = toProblem(error);
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  if (fault.code === "internal") logger.error("a call of the console's failed", { path, error });
  if (response.headersSent) return void response.destroy();
  response.writeHead(fault.status, {
    ...{ "content-type": "application/problem+json", "cache-control": "no-store" },
    ...(fault.retryAfterS === undefined ? {} : { "retry-after": String(Math.ceil(fault.retryAfterS)) }),
  });
  response.end(JSON.stringify(problemDocument(fault, path, traceIdNow())));
}
