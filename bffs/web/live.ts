import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Context, requireProfile } from "#kernel";
import type { Cookies } from "./cookies.ts";
import type { WebParts } from "./parts.ts";
import { API } from "./route.ts";

const POLL_MS = 1_000;
/** Messages are counted for every page that is open. */
const NOTICES_POLL_MS = 3_000;
const STREAM_MS_MAX = 5 * 60_000;
const STREAMS_MAX = 2_000;

/**
 * Server-sent events. With `contentId`, titles that are being prepared say how far they are, so that pages show it and play them by
 * themselves; without, the profile hears how many messages it has not read.
 */
export function registerEvents(app: FastifyInstance, parts: WebParts, cookies: Cookies): void {
  let streams = 0;
  app.get(`${API}/events`, async (request, reply) => {
    const { context } = await cookies.signed(request, reply);
    requireProfile(context);
    if (streams >= STREAMS_MAX) return reply.code(503).header("retry-after", "10").send();
    reply.hijack();
    reply.raw.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    reply.raw.write(": here\n\n");
    streams++;
    const until = parts.clock.nowMs() + STREAM_MS_MAX;
    const { pollMs, look } = watched(parts, request);
    let isOpen = true;
    request.raw.once("close", () => {
      isOpen = false;
    });
    try {
      while (isOpen && parts.clock.nowMs() < until) {
        const fresh = { ...context, deadlineMs: parts.clock.nowMs() + 5_000 };
        for (const line of await look(fresh)) reply.raw.write(line);
        await parts.clock.sleep(pollMs);
      }
    } catch (error) {
      parts.logger.debug("an event stream ended early", { error });
    } finally {
      streams--;
      reply.raw.end();
    }
  });
}

/** What a page watches: a look brings what is new since the one before. */
function watched({ call }: WebParts, request: FastifyRequest) {
  const { contentId } = request.query as { contentId?: unknown };
  if (contentId !== undefined) {
    const known = new Map<string, string>();
    const look = async (context: Context): Promise<string[]> => {
      const { encodings } = await call.encoding.list({ limit: 50, activeOnly: true }, context);
      return changes(known, encodings);
    };
    return { pollMs: POLL_MS, look };
  }
  let last = "";
  const look = async (context: Context): Promise<string[]> => {
    const { profileId } = requireProfile(context);
    const { unread, newestId } = await call.notification.unread({ profileId }, context);
    const text = JSON.stringify({ unread, newestId });
    if (text === last) return [];
    last = text;
    return [`event: notifications\ndata: ${text}\n\n`];
  };
  return { pollMs: NOTICES_POLL_MS, look };
}

interface Seen {
  readonly contentId: string;
  readonly state: string;
  readonly progressPlayable: number;
}

/** What is new since the last look, as events. A title that left the list has finished. */
export function changes(known: Map<string, string>, now: readonly Seen[]): string[] {
  const lines: string[] = [];
  const say = (id: string, state: string, progress: number): void => {
    const text = JSON.stringify({ id, state, progress: Math.round(progress * 1_000) / 1_000 });
    if (known.get(id) === text) return;
    known.set(id, text);
    lines.push(`event: processing\ndata: ${text}\n\n`);
  };
  const present = new Set(now.map(({ contentId }) => contentId));
  for (const { contentId, state, progressPlayable } of now)
    say(contentId, state === "encoding" ? "processing" : "playable", progressPlayable);
  for (const id of known.keys()) {
    if (present.has(id)) continue;
    say(id, "playable", 1);
    known.delete(id);
  }
  return lines;
}
