import type { IncomingMessage } from "node:http";
import { problem } from "#kernel";

type Asked = Pick<IncomingMessage, "method" | "headers">;

/** Another name that leads to loopback (DNS rebinding) is refused before anything else, pages too. */
export function assertOwnName({ headers }: Asked, origin: string): void {
  if (headers.host !== new URL(origin).host)
    throw problem.denied(`the console answers as ${origin} alone: open that address`, { reason: "foreign_host" });
}

/**
 * Who may ask for data at all, before anybody looks at a cookie: our own pages. Another page in the same browser (also one of another port of this
 * machine, which cookies do not tell apart) and a plain form are refused, each by a header that no page can set.
 */
export function assertOwnPage({ method, headers }: Asked, origin: string): void {
  const from = headers.origin;
  const isReading = method === "GET" || method === "HEAD";
  if (from === undefined ? !isReading : from !== origin)
    throw problem.denied("this did not come from a page of the console", { reason: "foreign_origin" });
  // Browsers send no Origin with pictures; they do say whose page wants one.
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && !(site === "none" && isReading))
    throw problem.denied("this did not come from a page of the console", { reason: "foreign_origin" });
  if (!isReading && !/^application\/json *(;|$)/i.test(headers["content-type"] ?? ""))
    throw problem.unsupportedMedia("the console takes JSON alone: send content-type application/json", {
      reason: "not_json",
    });
}

/** The value of one cookie; the first where a name comes twice, as browsers send the most specific path first. */
export function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? "").split(";")) {
    const [key = "", ...value] = pair.trim().split("=");
    if (key === name) return value.join("=");
  }
  return undefined;
}
