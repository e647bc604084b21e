/** The table of alerts in docs/guides/observe.md. `node scripts/docs-alerts.ts` writes it; a test compares, so that the page cannot rot. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { REPOSITORY } from "./files.ts";
import { allAlerts } from "./observe/rules.ts";

export const ALERTS_PAGE = "docs/guides/observe.md";

const HEAD = "| alert | told | says | do |";

/** What an alert says, without Prometheus' templates. */
const words = (summary: string): string =>
  summary
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, "…")
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, "*$1*")
    .replaceAll("|", "\\|");

/** The page with the table as it should be. */
export function withAlerts(page: string): string {
  const begin = page.indexOf(HEAD);
  if (begin < 0) throw new Error(`${ALERTS_PAGE} has lost its table '${HEAD}'`);
  const length = page.slice(begin).search(/\n(?!\|)/);
  const rows = allAlerts().map(
    ({ alert, severity, summary, remedy }) =>
      `| \`${alert}\` | ${severity} | ${words(summary)} | ${remedy.replaceAll("|", "\\|")} |`,
  );
  return `${page.slice(0, begin)}${[HEAD, "|---|---|---|---|", ...rows].join("\n")}${page.slice(begin + length)}`;
}

if (process.argv[1] === import.meta.filename) {
  const file = path.join(REPOSITORY, ALERTS_PAGE);
  writeFileSync(file, withAlerts(readFileSync(file, "utf8")));
}
