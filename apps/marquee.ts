/** The command line of Marquee. `scripts/bootstrap.mjs` hands over to it on the pinned Node. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { CommanderError } from "commander";
import { toProblem } from "#kernel";
import { openCli } from "./cli/cli.ts";
import { NOT_RUNNING } from "./cli/client.ts";
import { buildProgram } from "./cli/program.ts";
import { openTerminal, plain } from "./cli/terminal.ts";

const root = path.resolve(import.meta.dirname, "..");

async function main(words: readonly string[]): Promise<number> {
  // The product of this clone is meant wherever a person stands; a path that they name themselves counts from there.
  process.env["MARQUEE_DATA"] ||= path.join(root, ".marquee");
  const terminal = openTerminal(process);
  const cli = openCli(terminal, root, process.env);
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
  let code = 0;
  const program = buildProgram(cli, version, (next) => (code = next));
  for (const command of [program, ...allBelow(program)]) command.exitOverride();
  try {
    if (words.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(words.map(withWaitValue), { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    const fault = toProblem(error);
    terminal.note(`marquee: ${plain(fault.message)}`);
    if (fault.code === "internal") explain(fault, terminal.note);
    return fault.reason === NOT_RUNNING ? 2 : 1;
  }
}

/** `--wait` alone must not take the file that follows it for its value. */
const withWaitValue = (word: string): string => (word === "--wait" ? "--wait=playable" : word);

function allBelow(command: ReturnType<typeof buildProgram>): ReturnType<typeof buildProgram>[] {
  return command.commands.flatMap((child) => [child, ...allBelow(child)]);
}

/** What nobody expected is worth its trace: here, or in the product's log under the trace id. */
function explain(fault: ReturnType<typeof toProblem>, note: (line: string) => void): void {
  const traceId = fault.details["traceId"];
  if (typeof traceId === "string") note(`  trace ${traceId}; the product's log says more`);
  else if (fault.cause instanceof Error) note(fault.cause.stack ?? fault.cause.message);
}

process.exitCode = await main(process.argv.slice(2));
