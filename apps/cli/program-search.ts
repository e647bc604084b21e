import { type Command, InvalidArgumentError } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

const LIMIT_MAX = 50;
const AGE_MAX = 18;

const upTo =
  (max: number) =>
  (text: string): string => {
    if (!/^\d{1,3}$/.test(text) || Number(text) > max) throw new InvalidArgumentError(`'${text}' is not 0 to ${max}`);
    return text;
  };

/** The command that finds titles as viewers do. */
export function addSearch(program: Command, cli: Cli, run: Run): void {
  program
    .command("search")
    .summary("find titles as viewers do")
    .description("Finds titles by words or by a question, and says how it understood it.")
    .argument("<query>", "what to look for")
    .option("--age <years>", "the age of the one who looks", upTo(AGE_MAX), String(AGE_MAX))
    .option("--limit <count>", `how many titles, up to ${LIMIT_MAX}`, upTo(LIMIT_MAX), "20")
    .option("--json", "print it as JSON", false)
    .addHelpText(
      "after",
      examples("./marquee search harbor", "./marquee search 'something short and funny, not animated' --json"),
    )
    .action((query: string, options) => run(async () => (await import("./search.ts")).search(cli, query, options)));
}
