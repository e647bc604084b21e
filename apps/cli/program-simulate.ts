import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

export function addSimulate(program: Command, cli: Cli, run: Run): void {
  program
    .command("simulate")
    .summary("have simulated viewers watch, and see how well their homes suit them")
    .description(
      "Adds titles of metadata alone and accounts of simulated viewers to the running product. Each has tastes that no model sees, looks at its\nhome, chooses and stays by them. Prints how well homes suit them, beside what is popular, and draws it over time.",
    )
    .option("--personas <n>", "how many viewers, 10 to 1000", "200")
    .option("--titles <n>", "how many titles, 50 to 10000", "2000")
    .option("--minutes <n>", "how long they watch", "10")
    .option("--seed <n>", "another seed makes other titles and other tastes", "11")
    .option("--picture <file>", "where the course is drawn (SVG); otherwise simulation.svg in MARQUEE_DATA")
    .option("--remove", "take the titles and accounts of all simulations away again, with what they did", false)
    .option("-y, --yes", "do not ask, and simulate on a product that is not the demo", false)
    .option("--json", "one JSON object an interval", false)
    .addHelpText(
      "after",
      `
Ctrl-C ends it with what there is. Simulated titles and accounts stay until --remove.
Exit code: 0 homes are better than what is popular (the interval excludes 0), 1 that cannot be said, 2 Marquee is not running.
${examples("./marquee simulate", "./marquee simulate --personas 50 --titles 500 --minutes 2", "./marquee simulate --remove")}`,
    )
    .action((options) => run(async () => (await import("./simulate.ts")).simulate(cli, options)));
}
