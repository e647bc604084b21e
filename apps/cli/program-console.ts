import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The way to the operators' pages. */
export function addConsole(program: Command, cli: Cli, run: Run): void {
  program
    .command("console")
    .summary("open the operators' pages in a browser")
    .description(
      "Prints a link to the operators' pages of the running product: review, models, experiments. It lets one browser of this machine in, once, within a minute,\nfor eight hours. Opens it by itself where there is a screen. docs/guides/console.md",
    )
    .option("--no-browser", "print the link alone")
    .option("--json", "the link as JSON", false)
    .addHelpText("after", examples("./marquee console", "MARQUEE_TENANT=acme ./marquee console --no-browser"))
    .action((options) => run(async () => (await import("./console.ts")).openConsole(cli, options)));
}
