import { z } from "zod";
import { type Context, problem, systemContext } from "#kernel";
import { joinPointInTime } from "#learning/point-in-time";
import { flatten, type Known, select } from "./domain.ts";
import { groups } from "./groups.ts";
import { assertKeys } from "./online.ts";
import type { Parts } from "./parts.ts";

export interface Past extends Known {
  readonly key: string;
  readonly group: string;
  readonly eventTimeMs: number;
  readonly createdAtMs: number;
}

const EVENT = "features.updated";
const ROWS_MAX = 2_000;
const TIME_MS_MAX = 4_500_000_000_000;
/** What one join may hold in memory. */
const PAST_MAX = 200_000;
/** Values are emitted when they are made; what lies in the log longer than this before the lake takes it is looked for in vain. */
const LATE_MS = 24 * 3_600_000;
const READ_MS_MAX = 60_000;

/** What was known of each row's entity at its time: from the lake, joined point in time. */
export async function historical(
  parts: Parts,
  {
    features,
    rows,
  }: {
    readonly features: readonly string[];
    readonly rows: readonly { readonly key: string; readonly timeMs: bigint }[];
  },
  context: Context,
) {
  if (context.viewer) throw problem.denied("the past of features is not shown to viewers");
  const selection = select(groups, features);
  const unkept = selection.chosen.find(({ group }) => group.entity === "session");
  if (unkept)
    throw problem.invalid(
      "the past of session_context is not kept: it is in the beats, table bronze.events of the lake",
    );
  if (rows.length > ROWS_MAX) throw problem.invalid(`${rows.length} rows are more than ${ROWS_MAX}: ask in parts`);
  const keys = [...new Set(rows.map(({ key }) => key))];
  assertKeys(keys);
  const times = rows.map(({ key, timeMs }) => ({ key, timeMs: Number(timeMs) }));
  for (const { key, timeMs } of times)
    if (!(timeMs > 0 && timeMs < TIME_MS_MAX)) throw problem.invalid(`${timeMs} is no time for '${key}'`);
  const ttlMs = Math.max(...selection.chosen.map(({ group }) => group.ttlMs));
  const first = Math.min(...times.map(({ timeMs }) => timeMs));
  const last = Math.max(...times.map(({ timeMs }) => timeMs));
  const names = new Set(selection.chosen.map(({ group }) => group.name));
  const span = { fromMs: Math.max(0, first - ttlMs), toMs: last + LATE_MS };
  const past = rows.length === 0 ? [] : await readPast(parts, context.tenant, { ...span, keys, names });
  const joined = selection.chosen.map(({ group }) =>
    joinPointInTime(
      times,
      past.filter((one) => one.group === group.name),
      group.ttlMs,
    ),
  );
  return flatten(
    selection,
    times.map((_, row) => joined.map((column) => column[row])),
  );
}

/** What was published of some entities, as the lake has it; the same more than once where an event came again. */
export async function readPast(
  parts: Parts,
  tenant: string,
  of: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly keys: readonly string[];
    readonly names: ReadonlySet<string>;
  },
): Promise<Past[]> {
  const context = systemContext(tenant, "features", { clock: parts.clock, deadlineMs: READ_MS_MAX });
  const span = { eventType: EVENT, fromMs: BigInt(of.fromMs), toMs: BigInt(of.toMs), keys: [...of.keys] };
  const past: Past[] = [];
  let cursor = "";
  do {
    const page = await parts.call.analytics.readEvents({ ...span, cursor }, context);
    for (const { dataJson } of page.events) {
      const one = pastOf(dataJson);
      if (one && of.names.has(one.group)) past.push(one);
    }
    if (past.length > PAST_MAX)
      throw problem.exhausted(
        `more than ${PAST_MAX} values lie in this time: ask for fewer entities or less time at once`,
      );
    cursor = page.cursor;
  } while (cursor !== "");
  return past;
}

const Payload = z.object({
  ...{ entityKey: z.string(), featureGroup: z.string(), eventTimeMs: z.number(), createdAtMs: z.number() },
  // What is not a number is null in JSON.
  numbers: z.array(
    z
      .number()
      .nullable()
      .transform((value) => value ?? Number.NaN),
  ),
  ...{ words: z.array(z.string()), vector: z.array(z.number()) },
});

/** Undefined for what no release of ours wrote. */
function pastOf(dataJson: string): Past | undefined {
  const { success, data } = Payload.safeParse(parsed(dataJson));
  if (!success) return undefined;
  const { entityKey: key, featureGroup: group, ...value } = data;
  return { key, group, ...value };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
