import { toProblem } from "#kernel";
import { type Check, runChecks } from "./checks.ts";
import type { Cli, ExitCode } from "./cli.ts";
import { type About, NOT_RUNNING } from "./client.ts";
import { shownConfig } from "./environment.ts";
import { plain } from "./terminal.ts";

/** `marquee doctor`: what is there, what is missing and how to mend it; then the configuration without its secrets. */
export async function doctor(cli: Cli, options: { readonly json: boolean }): Promise<ExitCode> {
  const { config, dataFolder, root } = cli;
  const about = await askProduct(cli);
  const checks = await runChecks({ root, config, dataFolder, about });
  const configuration = shownConfig(config);
  if (options.json) cli.terminal.out(JSON.stringify({ checks, configuration, product: about }, null, 2));
  else
    for (const line of [...checks.flatMap(linesOf), "", "Configuration", ...configLines(configuration)])
      cli.terminal.out(line);
  return checks.some(({ status }) => status === "missing") ? 1 : 0;
}

/** Null when no product runs; one that runs and cannot be asked is a fault worth its text. */
async function askProduct({ client }: Cli): Promise<About | null> {
  try {
    return await client.about();
  } catch (error) {
    if (toProblem(error).reason === NOT_RUNNING) return null;
    throw error;
  }
}

export function linesOf({ name, status, detail, remedy }: Check): string[] {
  const line = `${status.padEnd(8)} ${name.padEnd(12)} ${plain(detail)}`;
  return remedy === "" ? [line] : [line, `${" ".repeat(22)}${plain(remedy)}`];
}

const configLines = (configuration: Readonly<Record<string, string>>): string[] =>
  Object.entries(configuration).map(([name, value]) => `  ${name}=${plain(value)}`);
