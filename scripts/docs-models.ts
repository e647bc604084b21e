/** The table of docs/models.md, made of the models' inventory. `node scripts/docs-models.ts` writes it; a test compares, so that the page cannot rot. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inventory, type State } from "../services/discovery/models/inventory.ts";
import { REPOSITORY } from "./files.ts";

export const MODELS_PAGE = "docs/models.md";
const HEAD = "| model | state | data | metric | without it | how to retrain |";

const STATES: Readonly<Record<State, string>> = {
  here: "trained and served here",
  loaded: "run here, weights of others",
};

export function modelsTable(): string {
  const rows = inventory.map(
    ({ model, state, data, metric, fallback, retrain }) =>
      `| ${model} | ${STATES[state]} | ${data} | ${metric} | ${fallback} | ${retrain} |`,
  );
  return [HEAD, "|---|---|---|---|---|---|", ...rows].join("\n");
}

/** The page with the table as it should be. */
export function withModels(page: string): string {
  const begin = page.indexOf(HEAD);
  if (begin < 0) throw new Error(`${MODELS_PAGE} has lost its table '${HEAD}'`);
  const length = page.slice(begin).search(/\n(?!\|)/);
  return `${page.slice(0, begin)}${modelsTable()}${page.slice(begin + length)}`;
}

if (process.argv[1] === import.meta.filename) {
  const file = path.join(REPOSITORY, MODELS_PAGE);
  writeFileSync(file, withModels(readFileSync(file, "utf8")));
}
