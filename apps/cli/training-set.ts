import { randomBytes } from "node:crypto";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { Features, type GetHistoricalFeaturesResponse } from "#contracts/features";
import { problem } from "#kernel";
import { type AvroSchema, writeAvroFile } from "#media/avro-file";
import type { Cli, ExitCode } from "./cli.ts";
import { plain } from "./terminal.ts";

/** A row of a file: whom it is about, as of when, and whatever else it says, such as a label. */
export interface Wanted {
  readonly key: string;
  readonly timeMs: number;
  readonly cells: readonly string[];
}
export interface Sheet {
  readonly head: readonly string[];
  readonly rows: readonly Wanted[];
}

const BYTES_MAX = 64 * 1024 * 1024;
const ROWS_MAX = 200_000;
/** What one call takes. */
const ROWS_AT_ONCE = 2_000;
const KEYS_AT_ONCE = 200;
const CALL_MS_MAX = 120_000;
const KEY = "key";
const TIME = "timestamp";

interface Options {
  readonly features: string;
  readonly out: string;
  readonly format: string;
}

/** `marquee features training-set` */
export async function makeTrainingSet(cli: Cli, from: string, { features, out, format }: Options): Promise<ExitCode> {
  const file = cli.path(from);
  const { size } = await stat(file).catch(() => {
    throw problem.notFound(`'${plain(from)}' is not there: name a CSV file with the columns ${KEY} and ${TIME}`);
  });
  if (size > BYTES_MAX) throw problem.invalid(`'${plain(from)}' is larger than ${BYTES_MAX} bytes: split it`);
  const sheet = readSheet(await readFile(file, "utf8"));
  const names = features.split(",").map((name) => name.trim());
  const client = cli.client.of(Features, { deadlineMs: CALL_MS_MAX });
  const made: { wanted: Wanted; values: readonly (number | string)[] }[] = [];
  let columns: readonly string[] = [];
  for (const part of partsOf(sheet.rows)) {
    const rows = part.map(({ key, timeMs }) => ({ key, timeMs: BigInt(timeMs) }));
    const answer = await client.getHistoricalFeatures({ features: names, rows });
    columns = columnsOf(answer, part.length);
    for (const [index, wanted] of part.entries()) made.push({ wanted, values: valuesOf(answer, index, part.length) });
  }
  const bytes = format === "avro" ? await asAvro(sheet, columns, made) : asCsv(sheet, columns, made);
  const target = cli.path(out);
  const unfinished = `${target}.${process.pid}.part`;
  try {
    await writeFile(unfinished, bytes, { mode: 0o600, flag: "wx" });
    await rename(unfinished, target);
  } finally {
    await rm(unfinished, { force: true });
  }
  cli.terminal.out(`${target}: ${made.length} rows of ${columns.length} features`);
  return 0;
}

/**
 * Reads a CSV file (RFC 4180) whose first line names its columns, `key` and `timestamp` among them.
 * @throws Problem that names the line at fault
 */
export function readSheet(text: string): Sheet {
  const [head, ...lines] = readCsv(text);
  const [keyAt, timeAt] = [head?.indexOf(KEY) ?? -1, head?.indexOf(TIME) ?? -1];
  if (!head || keyAt < 0 || timeAt < 0)
    throw problem.invalid(`the first line has to name the columns, '${KEY}' and '${TIME}' among them`);
  if (lines.length > ROWS_MAX) throw problem.invalid(`${lines.length} rows are more than ${ROWS_MAX}: split the file`);
  const rows = lines.map((cells, index) => {
    if (cells.length !== head.length)
      throw problem.invalid(`line ${index + 2} has ${cells.length} cells and not ${head.length} as the first`);
    const [key = "", time = ""] = [cells[keyAt], cells[timeAt]];
    return { key, timeMs: timeOf(time, index + 2), cells };
  });
  return { head, rows };
}

/** Milliseconds since the epoch, or a time as ISO 8601 has it. */
function timeOf(text: string, line: number): number {
  const timeMs = /^\d{1,16}$/.test(text) ? Number(text) : Date.parse(text);
  if (!(timeMs > 0))
    throw problem.invalid(
      `line ${line}: '${plain(text).slice(0, 40)}' is no time: write 2026-05-20T12:00:00Z or milliseconds since 1970`,
    );
  return timeMs;
}

function readCsv(text: string): string[][] {
  const lines: string[][] = [];
  let [cell, cells, isQuoted]: [string, string[], boolean] = ["", [], false];
  const endCell = (): void => {
    cells.push(cell);
    cell = "";
  };
  const endLine = (): void => {
    endCell();
    if (cells.length > 1 || cells[0] !== "") lines.push(cells);
    cells = [];
  };
  const source = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at] ?? "";
    if (isQuoted && character === '"' && source[at + 1] === '"') {
      cell += character;
      at += 1;
    } else if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) cell += character;
    else if (character === ",") endCell();
    else if (character === "\n") endLine();
    else cell += character;
  }
  if (isQuoted) throw problem.invalid("the file ends within quotation marks: it is cut off");
  endLine();
  return lines;
}

/** Rows in parts that one call takes: not too many, nor of too many entities. */
function partsOf(rows: readonly Wanted[]): Wanted[][] {
  const parts: Wanted[][] = [];
  let [part, keys]: [Wanted[], Set<string>] = [[], new Set()];
  for (const row of rows) {
    const isNew = !keys.has(row.key);
    if (part.length >= ROWS_AT_ONCE || (isNew && keys.size >= KEYS_AT_ONCE)) {
      parts.push(part);
      [part, keys] = [[], new Set()];
    }
    keys.add(row.key);
    part.push(row);
  }
  return part.length > 0 ? [...parts, part] : parts;
}

const columnsOf = (answer: GetHistoricalFeaturesResponse, rows: number): string[] => [
  ...answer.numberFeatures,
  ...answer.wordFeatures,
  ...Array.from({ length: answer.vectors.length / rows }, (_, index) => `embedding_${index}`),
];

function valuesOf(answer: GetHistoricalFeaturesResponse, row: number, rows: number): (number | string)[] {
  const slice = <T>(values: readonly T[], width: number): readonly T[] => values.slice(row * width, (row + 1) * width);
  return [
    ...slice(answer.numbers, answer.numberFeatures.length),
    ...slice(answer.words, answer.wordFeatures.length),
    ...slice(answer.vectors, answer.vectors.length / rows),
  ];
}

type Made = readonly { readonly wanted: Wanted; readonly values: readonly (number | string)[] }[];

/** What is not known is an empty cell. */
function asCsv({ head }: Sheet, columns: readonly string[], made: Made): string {
  const cellOf = (value: number | string): string => {
    if (typeof value === "number") return Number.isNaN(value) ? "" : String(value);
    return /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  };
  const lines = made.map(({ wanted, values }) => [...wanted.cells, ...values].map(cellOf).join(","));
  return `${[[...head, ...columns].map(cellOf).join(","), ...lines].join("\n")}\n`;
}

/** What is not known is null; what the given file says stays text. */
function asAvro({ head }: Sheet, columns: readonly string[], made: Made): Promise<Buffer> {
  const names = [...head, ...columns].map((name) => name.replaceAll(/[^A-Za-z0-9_]/g, "_"));
  const [first] = made;
  const fields = names.map((name, at) => {
    const isNumber = at >= head.length && typeof first?.values[at - head.length] === "number";
    return { name, type: ["null", isNumber ? "double" : "string"] };
  });
  const schema: AvroSchema = { type: "record", name: "TrainingRow", fields };
  const records = made.map(({ wanted, values }) => {
    const cells = [...wanted.cells, ...values].map((value) => (Number.isNaN(value) || value === "" ? null : value));
    return Object.fromEntries(names.map((name, at) => [name, cells[at] ?? null]));
  });
  return writeAvroFile({ schema, sync: randomBytes(16), codec: "deflate" }, records);
}
