import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Table } from "#learning/table";

/** A set of customers, and whether each left. */
export interface Churn {
  readonly name: string;
  /** Words are whole numbers, in the order of the alphabet: what trees are given, ours as LightGBM's. */
  readonly table: Table;
  /** A column for each word, as a line needs it; missing numbers are 0. */
  readonly oneHot: Table;
  readonly labels: Float32Array;
}

/** Reads one of the two sets (CSV without quotes; the column `churn` is yes or no). */
export async function readChurn(folder: string, name: string): Promise<Churn> {
  const [head = "", ...lines] = (await readFile(path.join(folder, `${name}.csv`), "utf8")).trim().split(/\r?\n/);
  const names = head.split(",");
  const label = names.indexOf("churn");
  const rows = lines.map((line) => line.split(","));
  const columns = names
    .map((_, column) => rows.map((row) => row[column] ?? ""))
    .filter((_, column) => column !== label);
  const features = columns.map(asNumbers);
  const wide = columns.flatMap((texts) => {
    const words = wordsOf(texts);
    if (words.length === 0) return [asNumbers(texts).map((value) => (Number.isNaN(value) ? 0 : value))];
    return words.map((word) => texts.map((text) => (text === word ? 1 : 0)));
  });
  return {
    name,
    table: byRow(features, rows.length),
    oneHot: byRow(wide, rows.length),
    labels: Float32Array.from(rows, (row) => (/^yes$/i.test(row[label] ?? "") ? 1 : 0)),
  };
}

const isMissing = (text: string): boolean => text === "" || text === "NA";

/** The different words of a column; none where all are numbers. */
const wordsOf = (texts: readonly string[]): readonly string[] =>
  texts.every((text) => isMissing(text) || Number.isFinite(Number(text))) ? [] : [...new Set(texts)].sort();

function asNumbers(texts: readonly string[]): number[] {
  const words = wordsOf(texts);
  if (words.length > 0) return texts.map((text) => words.indexOf(text));
  return texts.map((text) => (isMissing(text) ? Number.NaN : Number(text)));
}

function byRow(columns: readonly (readonly number[])[], rows: number): Table {
  const values = new Float32Array(rows * columns.length);
  for (const [column, own] of columns.entries())
    for (const [row, value] of own.entries()) values[row * columns.length + column] = value;
  return { values, columns: columns.length };
}
