import { Problem, toProblem as kernelProblem } from "#kernel";

export { prefersHtml, problemDocument, retryPathOf } from "#kernel/http";

/** Fastify's own refusals (a body too large, a content type unknown, JSON that is none) as Problems; the rest as the kernel says. */
export function toProblem(error: unknown): Problem {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  if (error instanceof Problem || typeof status !== "number" || status >= 500) return kernelProblem(error);
  const message = error instanceof Error ? error.message : "the request cannot be read";
  if (status === 404) return new Problem("not_found", "there is nothing at this address");
  return new Problem(status === 415 ? "unsupported_media" : "invalid_argument", message, { reason: "request" });
}
