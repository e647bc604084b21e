import { within } from "#kernel/within";
import type { Parts } from "./parts.ts";

/** A page waits for at most two of these one after the other, so that it is answered within 200 ms whatever is away. */
export const PART_MS_MAX = 90;

/** Settles with what stands in where something fails or takes too long, and notes it. */
export async function timely<T>(
  { logger }: Pick<Parts, "logger">,
  what: string,
  missing: string[],
  work: Promise<T>,
  fallback: T,
  waitMs = PART_MS_MAX,
): Promise<T> {
  try {
    return await within(waitMs, what, NEVER, work);
  } catch (error) {
    logger.warn("a part of recommendations fell back", { part: what, error });
    missing.push(what);
    return fallback;
  }
}
export const NEVER = new AbortController().signal;
