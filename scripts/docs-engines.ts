/**
 * The table of docs/engines.md, made of engines/index.ts. `node scripts/docs-engines.ts` writes it; a test compares, so that the page cannot
 * rot.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Engine, type EnginePlace, PORTS_PER_ENGINE } from "../engines/engine.ts";
import { engines, portOf } from "../engines/index.ts";
import { REPOSITORY } from "./files.ts";

export const ENGINES_PAGE = "docs/engines.md";

/** The table: one row an engine, with its ports and what it sets when it is started by `npm run engines`. */
export function enginesTable(of: readonly Engine[] = engines): string {
  const rows = of.map((engine) => {
    const port = portOf(engine);
    const place: EnginePlace = { programs: "", data: "", port, say: () => undefined };
    const variables = Object.entries(engine.environment(place)).map(([name, value]) => `\`${name}=${value}\``);
    const ports = `${port} to ${port + PORTS_PER_ENGINE - 1}`;
    return `| [${engine.name}](#${engine.name}) | ${engine.what} | ${engine.licence} | \`npm run engines -- start ${engine.name}\` | ${ports} | ${variables.join("<br>")} |`;
  });
  return ["| engine | serves | licence | start | ports | variables |", "|---|---|---|---|---|---|", ...rows].join("\n");
}

/** The page with the table as it should be. */
export function withTable(page: string): string {
  const begin = page.indexOf("| engine |");
  if (begin < 0) throw new Error(`${ENGINES_PAGE} has lost its table '| engine | …'`);
  const length = page.slice(begin).search(/\n(?!\|)/);
  return `${page.slice(0, begin)}${enginesTable()}${page.slice(begin + length)}`;
}

if (process.argv[1] === import.meta.filename) {
  const file = path.join(REPOSITORY, ENGINES_PAGE);
  writeFileSync(file, withTable(readFileSync(file, "utf8")));
}
