import { createInterface } from "node:readline/promises";
import { problem } from "#kernel";
import type { Cli } from "./cli.ts";

/** Asks a person for a yes; where nobody can be asked, `--yes` is what the command wants. */
export async function confirm(cli: Cli, question: string): Promise<boolean> {
  if (!cli.terminal.canAsk) throw problem.precondition("nobody is there to ask: add --yes");
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(question)).trim());
  } finally {
    prompt.close();
  }
}
