import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands about recommendations. */
export function addRecommendations(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("recommendations")
    .summary("show what recommendations were learned from, and train them anew")
    .description("Shows and trains what profiles are recommended; by itself that is done every six hours.");
  group
    .command("status")
    .description("Shows what was trained last, and how good it is beside popularity.")
    .option("--json", "print it as JSON", false)
    .addHelpText("after", examples("./marquee recommendations status"))
    .action((options) => run(async () => (await import("./recommendations.ts")).showModel(cli, options)));
  group
    .command("train")
    .description("Learns anew from everything that is known, at once.")
    .option("--json", "print what came of it as JSON", false)
    .addHelpText("after", examples("./marquee recommendations train"))
    .action((options) => run(async () => (await import("./recommendations.ts")).trainModel(cli, options)));
}
