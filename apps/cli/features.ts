import { type FeatureGroup, Features, type GetOnlineFeaturesResponse, type GroupStatus } from "#contracts/features";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { duration, plain, table } from "./terminal.ts";

interface Json {
  readonly json: boolean;
}

/** `marquee features list`: the groups, or the features of one. */
export async function listFeatures(cli: Cli, name: string | undefined, { json }: Json): Promise<ExitCode> {
  const { groups } = await cli.client.of(Features).list({});
  const shown = groups.filter((group) => name === undefined || group.name === name);
  if (shown.length === 0)
    throw problem.notFound(
      `'${plain(name ?? "")}' is no group: there are ${groups.map((group) => group.name).join(", ")}`,
    );
  if (json) {
    for (const group of shown) cli.terminal.out(JSON.stringify(toJson(group)));
    return 0;
  }
  const lines =
    name === undefined
      ? table(
          ["GROUP", "ENTITY", "FEATURES", "PUBLISHED", "KEPT", "OF EVENTS"],
          shown.map((group) => [
            ...[group.name, group.entity, String(group.features.length), cadence(group.cadenceMs)],
            ...[duration(Number(group.ttlMs) / 1_000), group.sourceEvents.join(" ")],
          ]),
          cli.terminal.columns,
        )
      : table(
          ["FEATURE", "TYPE", "UNIT", "UNKNOWN", "WHAT IT IS"],
          shown.flatMap(({ features }) =>
            features.map((feature) => [
              feature.name,
              feature.dimensions > 0 ? `${feature.dtype}(${feature.dimensions})` : feature.dtype,
              ...[feature.unit || "-", feature.defaultJson, feature.description],
            ]),
          ),
          cli.terminal.columns,
        );
  for (const line of lines) cli.terminal.out(line);
  return 0;
}

/** `marquee features get` */
export async function getFeatures(
  cli: Cli,
  features: string,
  keys: readonly string[],
  { json }: Json,
): Promise<ExitCode> {
  const answer = await cli.client.of(Features).getOnlineFeatures({ features: features.split(","), keys: [...keys] });
  for (const [row, key] of keys.entries()) {
    const values = valuesOf(answer, row);
    const groups = answer.groups.map((name, column) => {
      const at = row * answer.groups.length + column;
      const timeMs = answer.eventTimesMs[at] ?? 0;
      return {
        name,
        freshness: answer.freshness[at] ?? "",
        eventTime: timeMs > 0 ? new Date(timeMs).toISOString() : null,
      };
    });
    if (json) {
      cli.terminal.out(JSON.stringify({ key, groups, values: Object.fromEntries(values) }));
      continue;
    }
    const states = groups.map(
      ({ name, freshness, eventTime }) => `${name} ${freshness}${eventTime ? `, as of ${eventTime}` : ""}`,
    );
    cli.terminal.out(`${plain(key)}: ${states.join("; ")}`);
    const rows = values.map(([name, value]) => [name, value === null ? "-" : vectorless(value)]);
    for (const line of table(["FEATURE", "VALUE"], rows, cli.terminal.columns)) cli.terminal.out(line);
  }
  return 0;
}

/** Sixty-four numbers are for programs. */
const vectorless = (value: number | string | readonly number[]): string =>
  typeof value === "object"
    ? `[${value
        .slice(0, 4)
        .map((one) => one.toFixed(3))
        .join(" ")} …]`
    : typeof value === "number"
      ? String(Number(value.toPrecision(6)))
      : value;

/** The values of one row; null: not known. */
function valuesOf(
  { numberFeatures, wordFeatures, numbers, words, vectors, groups, freshness }: GetOnlineFeaturesResponse,
  row: number,
): (readonly [string, number | string | readonly number[] | null])[] {
  const rows = freshness.length / Math.max(groups.length, 1);
  const dimensions = vectors.length / rows;
  const vector = vectors.slice(row * dimensions, (row + 1) * dimensions);
  return [
    ...numberFeatures.map((name, at) => {
      const value = numbers[row * numberFeatures.length + at] ?? Number.NaN;
      return [name, Number.isNaN(value) ? null : value] as const;
    }),
    ...wordFeatures.map((name, at) => [name, words[row * wordFeatures.length + at] || null] as const),
    ...(dimensions > 0
      ? [["content_embeddings:embedding", vector.some((value) => value !== 0) ? vector : null] as const]
      : []),
  ];
}

interface StatusOptions extends Json {
  readonly sample: string;
}
/** Looking into the lake takes longer than other answers. */
const STATUS_MS_MAX = 120_000;

/** `marquee features status` */
export async function showStatus(cli: Cli, { sample, json }: StatusOptions): Promise<ExitCode> {
  const size = Number(sample);
  if (!Number.isInteger(size) || size < 0 || size > 200)
    throw problem.invalid(`--sample ${plain(sample)} is none: write a number from 0 to 200`);
  const { groups } = await cli.client.of(Features, { deadlineMs: STATUS_MS_MAX }).status({ sample: size });
  if (json) {
    for (const group of groups) cli.terminal.out(JSON.stringify(toStatus(group)));
    return 0;
  }
  const rows = groups.map((group) => [
    ...[group.name, String(group.features), group.entity === "session" ? "-" : String(group.entities)],
    group.newestEventTimeMs > 0n ? new Date(Number(group.newestEventTimeMs)).toISOString().slice(0, 19) : "-",
    group.overdueMs > 0n ? duration(Number(group.overdueMs) / 1_000) : "no",
    group.compared > 0 ? `${group.skewed} of ${group.compared}` : "-",
    Number.isNaN(group.psi) ? "-" : `${group.psi.toFixed(3)} ${group.psiFeature}`,
  ]);
  const head = ["GROUP", "FEATURES", "ENTITIES", "NEWEST (UTC)", "LATE", "DIFFER FROM LAKE", "WORST PSI"];
  for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  if (groups.some(({ sampled, compared }) => sampled > compared))
    cli.terminal.note("Entities whose last value is not in the lake yet are not compared: it takes a minute.");
  return groups.some(({ skewed }) => skewed > 0) ? 1 : 0;
}

const cadence = (ms: bigint): string => (ms === 0n ? "with events" : `every ${duration(Number(ms) / 1_000)}`);

const toStatus = ({ $typeName: _, $unknown: __, ...group }: GroupStatus) => ({
  ...group,
  ...{ entities: Number(group.entities), newestEventTimeMs: Number(group.newestEventTimeMs) },
  ...{ overdueMs: Number(group.overdueMs), cadenceMs: Number(group.cadenceMs) },
  psi: Number.isNaN(group.psi) ? null : group.psi,
});

const toJson = ({ $typeName: _, $unknown: __, features, ttlMs, cadenceMs, ...group }: FeatureGroup) => ({
  ...group,
  ...{ ttlMs: Number(ttlMs), cadenceMs: Number(cadenceMs) },
  features: features.map(({ name, dtype, unit, description, defaultJson, dimensions }) => ({
    ...{ name, dtype, unit, description, default: JSON.parse(defaultJson) as unknown },
    ...(dimensions > 0 ? { dimensions } : {}),
  })),
});
