import { trace } from "@opentelemetry/api";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Context, Viewer } from "#kernel";
import type { WebParts } from "./parts.ts";

const DEADLINE_MS = 10_000;

/** The context of a client's request: its tenant, its viewer, ten seconds, and an end when the client goes away. */
export function contextOf(
  parts: Pick<WebParts, "clock">,
  request: FastifyRequest,
  reply: FastifyReply,
  of: { readonly tenant: string; readonly viewer: Viewer | null },
): Context {
  const key = request.headers["idempotency-key"];
  return {
    ...of,
    caller: "web",
    deadlineMs: parts.clock.nowMs() + DEADLINE_MS,
    signal: goneSignal(reply),
    span: trace.getActiveSpan() ?? null,
    idempotencyKey: typeof key === "string" && of.viewer ? `${of.viewer.userId}/${key}`.slice(0, 200) : null,
  };
}

/** Aborts when the client went away before its answer was complete. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

export const ipOf = (request: FastifyRequest): string => request.socket.remoteAddress ?? "";
