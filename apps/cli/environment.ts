import { resolve } from "node:path";
import { Config } from "#kernel/config";

/** One variable of the environment, as the schema describes it. */
export interface Variable {
  readonly name: string;
  /** What counts where it is not set; empty for nothing. */
  readonly fallback: string;
  readonly description: string;
}

/** Every variable that the product reads, in the schema's order. */
export function variables(): Variable[] {
  return Object.entries(Config.shape).map(([name, schema]) => {
    const fallback: unknown = schema.safeParse(undefined).data;
    return {
      name,
      fallback:
        fallback === undefined ? "" : typeof fallback === "boolean" ? String(Number(fallback)) : String(fallback),
      description: schema.description ?? "",
    };
  });
}

/** The table of docs/guides/operate.md; a test compares the two. */
export function variablesAsMarkdown(): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  const rows = variables().map(
    ({ name, fallback, description }) =>
      `| \`${name}\` | ${fallback === "" ? "" : `\`${cell(fallback)}\``} | ${cell(description)} |`,
  );
  return ["| variable | default | what it does |", "|---|---|---|", ...rows].join("\n");
}

/** The configuration in force, without its secrets: what a person may paste into a question to strangers. */
export function shownConfig(config: Config): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, shown(name, value)]],
    ),
  );
}

function shown(name: string, value: unknown): string {
  if (/(SECRET|PASSWORD|TOKEN)$/.test(name)) return "<set>";
  const text = typeof value === "boolean" ? String(Number(value)) : String(value);
  // Addresses may carry a name and a password before the host.
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, "$1<set>@")
    .replace(/([?&](?:password|token|key|secret)=)[^&]*/gi, "$1<set>");
}

/** Where everything of this product lies. */
export const dataFolderOf = (config: Config): string => resolve(config.MARQUEE_DATA);
