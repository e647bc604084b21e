import { problem } from "#kernel/errors";
import type { AnalyticsBatch, AnalyticsQuery, AnalyticsTable } from "#kernel/ports/analytics";

const NAME = /^[a-z][a-z0-9_]{0,62}$/;
const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;
const BATCH = /^[\w./:-]{1,200}$/;
const ROWS_MAX = 50_000;
const ROWS_READ_MAX = 100_000;
const TEXT_MAX = 20_000;
const DAYS_MAX = 3_650;

export function checkTenant(tenant: string): void {
  if (!TENANT.test(tenant))
    throw problem.invalid(`tenant '${tenant.slice(0, 80)}' is not of the form ${TENANT.source}`);
}

export function checkTable(table: AnalyticsTable): void {
  const fault = (what: string): never => {
    throw problem.invalid(`table '${table.name.slice(0, 80)}' ${what}`);
  };
  if (!NAME.test(table.name)) fault(`is not of the form ${NAME.source}`);
  for (const column of Object.keys(table.columns)) {
    if (!NAME.test(column)) fault(`has a column '${column.slice(0, 80)}', which is not of the form ${NAME.source}`);
    if (column === "tenant") fault("declares 'tenant', which every table has by itself");
  }
  if (table.columns[table.time] !== "timeMs")
    fault(`goes by the time '${table.time}', which is no column of the type timeMs`);
  const unknown = [...table.orderBy, ...(table.person ? [table.person] : [])].find((name) => !(name in table.columns));
  if (unknown !== undefined) fault(`has no column '${unknown}'`);
  const { retentionDays: days } = table;
  if (!Number.isInteger(days) || days < 1 || days > DAYS_MAX)
    fault(`keeps rows for ${days} days: 1 to ${DAYS_MAX} are possible`);
}

/** Every row has every column, so that a column that was forgotten is an error and no zero. */
export function checkBatch(table: AnalyticsTable, { tenant, batch, rows }: AnalyticsBatch): void {
  checkTenant(tenant);
  if (!BATCH.test(batch)) throw problem.invalid(`batch '${batch.slice(0, 200)}' is not of the form ${BATCH.source}`);
  if (rows.length > ROWS_MAX)
    throw problem.invalid(`${rows.length} rows are more than ${ROWS_MAX}: write them in several batches`);
  const columns = Object.entries(table.columns);
  for (const row of rows) {
    if (Object.keys(row).length > columns.length) {
      const name = Object.keys(row).find((each) => !(each in table.columns)) ?? "";
      throw problem.invalid(`table '${table.name}' has no column '${name.slice(0, 80)}'`);
    }
    for (const [name, type] of columns) {
      const value = row[name];
      const fits =
        type === "string" || type === "word"
          ? typeof value === "string"
          : type === "flag"
            ? typeof value === "boolean"
            : type === "float"
              ? Number.isFinite(value)
              : Number.isSafeInteger(value);
      if (!fits)
        throw problem.invalid(
          `column '${name}' of '${table.name}' is of the type ${type}; ${String(value).slice(0, 80)} is not`,
        );
    }
  }
}

/**
 * One SELECT of our own tables. The engine filters each declared table by tenant; whatever could read around that (functions that
 * are tables, settings, another statement) is refused here.
 */
export function checkQuery(declared: ReadonlyMap<string, AnalyticsTable>, query: AnalyticsQuery): void {
  checkTenant(query.tenant);
  const { text, rowsMax } = query;
  if (!Number.isInteger(rowsMax) || rowsMax < 1 || rowsMax > ROWS_READ_MAX)
    throw problem.invalid(`rowsMax is ${rowsMax}: 1 to ${ROWS_READ_MAX} are possible`);
  const fault = (what: string): never => {
    throw problem.invalid(`the query ${what}: ${text.slice(0, 200)}`);
  };
  if (text.length > TEXT_MAX) fault(`has ${text.length} characters, more than ${TEXT_MAX}`);
  // Texts are constants of our code; a quoted one could hide any word from the checks below, and values have parameters.
  if (/['"`\\;]|--|\/\*|#/.test(text)) fault("has a quote, a comment or a semicolon; write values as parameters");
  if (!/^\s*(select|with)\b/i.test(text)) fault("is no SELECT");
  const word = /\b(settings|format|outfile|infile|into|system|dictget\w*)\b/i.exec(text)?.[1];
  if (word !== undefined) fault(`says '${word}'`);
  const named = new Set([...text.matchAll(/\b([a-z_]\w*)\s+as\s*\(/gi)].map((match) => match[1]));
  for (const [, list = ""] of text.matchAll(
    /\b(?:from|join)\s+([^()]*?)(?=\s*(?:$|[()]|\b(?:where|prewhere|group|order|limit|on|using|union|any|all|left|right|inner|full|cross|asof|semi|anti|join|having|array|select)\b))/gi,
  )) {
    for (const source of list.split(",")) {
      const name = source.trim().split(/\s+/)[0] ?? "";
      if (name !== "" && !declared.has(name) && !named.has(name)) fault(`reads '${name}', which is no declared table`);
    }
  }
  // A table function, such as `merge(…)`, is a name with a parenthesis where a table stands.
  if (/\b(?:from|join)\s+[\w.]+\s*\(/i.test(text)) fault("reads a function as a table");
}
