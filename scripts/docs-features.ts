/** The table of docs/guides/features.md, made of the groups as declared. `node scripts/docs-features.ts` writes it; a test compares, so that the page cannot rot. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { FeatureGroup } from "../services/discovery/features/domain.ts";
import { groups } from "../services/discovery/features/groups.ts";
import { REPOSITORY } from "./files.ts";

export const FEATURES_PAGE = "docs/guides/features.md";
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE = ["min", 60_000] as const;
const HEAD = "| group | of | features | published | kept | made of |";

const time = (ms: number): string => {
  const [unit, sizeMs] = ms >= DAY_MS ? (["d", DAY_MS] as const) : ms >= HOUR_MS ? (["h", HOUR_MS] as const) : MINUTE;
  return `${ms / sizeMs} ${unit}`;
};

export function featuresTable(): string {
  const rowOf = ({ name, entity, features, cadenceMs, ttlMs, sourceEvents }: FeatureGroup): string => {
    const published = cadenceMs === 0 ? "with each event" : `every ${time(cadenceMs)}`;
    const events = sourceEvents.map((event) => `\`${event}\``).join(" ");
    return `| \`${name}\` | ${entity} | ${features.length} | ${published} | ${time(ttlMs)} | ${events} |`;
  };
  return [HEAD, "|---|---|---|---|---|---|", ...groups.map(rowOf)].join("\n");
}

/** The page with the table as it should be. */
export function withFeatures(page: string): string {
  const begin = page.indexOf(HEAD);
  if (begin < 0) throw new Error(`${FEATURES_PAGE} has lost its table '${HEAD}'`);
  const length = page.slice(begin).search(/\n(?!\|)/);
  return `${page.slice(0, begin)}${featuresTable()}${page.slice(begin + length)}`;
}

if (process.argv[1] === import.meta.filename) {
  const file = path.join(REPOSITORY, FEATURES_PAGE);
  writeFileSync(file, withFeatures(readFileSync(file, "utf8")));
}
