import { ClickHouseError } from "@clickhouse/client";
import { type Problem, problem, Problem as Fault } from "#kernel/errors";

/** Codes of ClickHouse (src/Common/ErrorCodes.cpp) that have a meaning for a caller. */
const TIMEOUT = new Set(["159"]);
const TOO_MUCH = new Set(["158", "396", "307"]);
const MEMORY = new Set(["241"]);
const DISK = new Set(["243"]);
const BUSY = new Set(["202", "252", "394", "439"]);
const REFUSED = new Set(["192", "193", "194", "497", "516"]);

/** What went wrong, as a Problem that names the remedy. */
export function describe(at: string, error: unknown, isLate: boolean, deadlineMs: number): Problem {
  if (error instanceof Fault) return error;
  if (isLate) return problem.deadline(`${at} did not answer within ${deadlineMs} ms`, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ClickHouseError))
    return problem.unavailable(`${at} cannot be reached (${message}): is it running?`, {
      cause: error,
      retryAfterS: 1,
    });
  const { code } = error;
  if (TIMEOUT.has(code)) return problem.deadline(`${at} did not finish within ${deadlineMs} ms`, { cause: error });
  if (TOO_MUCH.has(code))
    return problem.exhausted(`${at} has more rows than were asked for: ${message}`, { cause: error, reason: "rows" });
  if (MEMORY.has(code))
    return problem.exhausted(`${at} has too little memory for this: ask for a shorter time`, {
      cause: error,
      reason: "memory",
    });
  if (DISK.has(code))
    return problem.unavailable(`the disk of ${at} is full: free some space`, { cause: error, reason: "disk_full" });
  if (BUSY.has(code)) return problem.unavailable(`${at} is busy: ${message}`, { cause: error, retryAfterS: 1 });
  if (REFUSED.has(code))
    return problem.unavailable(
      `${at} refuses our login or its rights (${message}): see MARQUEE_CLICKHOUSE_USER and MARQUEE_CLICKHOUSE_PASSWORD`,
      { cause: error, reason: "login" },
    );
  return problem.internal(`${at} refuses a statement: ${message}`, { cause: error });
}
