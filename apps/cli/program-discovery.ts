import { type Command, Option } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";
import { addPull } from "./program-enrich.ts";

/** The commands about models and experiments. */
export function addDiscovery(program: Command, cli: Cli, run: Run): void {
  addModels(program, cli, run);
  addExperiments(program, cli, run);
}

function addModels(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("model")
    .alias("models")
    .summary("show, train, promote and take back models; fetch weights")
    .description("Works on the versions of models. docs/models.md says what each model is for.");
  group
    .command("list")
    .description("Lists versions with their stage, figures, and why they stand where they do.")
    .argument("[name]", "the model; otherwise all")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee model list", "./marquee model list churn --json"))
    .action((name: string | undefined, options) =>
      run(async () => (await import("./models.ts")).listModels(cli, name, options)),
    );
  addPull(group, cli, run);
  group
    .command("train")
    .description("Trains a model anew. Only one that is better than what answers now goes on.")
    .argument("<name>", "the model")
    .addHelpText("after", examples("./marquee model train churn"))
    .action((name: string) => run(async () => (await import("./models.ts")).trainModel(cli, name)));
  group
    .command("promote")
    .description("Gives a candidate or canary its next share at once: 5, 50, 100 %.")
    .argument("<name>", "the model")
    .argument("<version>", "the version's number")
    .option("--json", "print the version as JSON", false)
    .addHelpText("after", examples("./marquee model promote churn 3"))
    .action((name: string, version: string, options) =>
      run(async () => (await import("./models.ts")).promoteModel(cli, name, version, options)),
    );
  group
    .command("rollback")
    .description("Takes the canary away; without one, goes back to the version before, or to the rule.")
    .argument("<name>", "the model")
    .option("--json", "print what answers from now on as JSON", false)
    .addHelpText("after", examples("./marquee model rollback churn"))
    .action((name: string, options) =>
      run(async () => (await import("./models.ts")).rollBackModel(cli, name, options)),
    );
}

function addExperiments(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("experiment")
    .summary("start, stop and read experiments")
    .description("Works on experiments: two ways of doing something, each for a share of people.");
  group
    .command("list")
    .description("Lists experiments, the newest first.")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee experiment list"))
    .action((options) => run(async () => (await import("./experiments.ts")).listExperiments(cli, options)));
  group
    .command("start")
    .description("Starts an experiment. At most three run on a surface; one that does harm stops by itself.")
    .argument("<name>", "lower-case letters, digits and hyphens; never used before")
    .requiredOption("--surface <name>", "where people meet it, such as home or search")
    .option("--percent <n>", "for the treatment, 5 to 50; the control gets as many", "50")
    .addOption(
      new Option("--metric <name>", "what decides")
        .choices(["viewed", "watch_s", "sessions", "errors"])
        .default("viewed"),
    )
    .requiredOption("--scale <n>", "the effect that is worth finding, in the metric's unit")
    .option("--window <hours>", "what a person does for so long after the first sight counts", "24")
    .option("--json", "print the experiment as JSON", false)
    .addHelpText(
      "after",
      examples(
        "./marquee experiment start new-rails --surface home --metric viewed --scale 0.02",
        "./marquee experiment start short-intro --surface player --percent 10 --metric watch_s --scale 120",
      ),
    )
    .action((name: string, options) =>
      run(async () => (await import("./experiments.ts")).startExperiment(cli, name, options)),
    );
  group
    .command("stop")
    .description("Ends an experiment: everybody has the control again.")
    .argument("<name>", "the experiment")
    .option("--json", "print the experiment as JSON", false)
    .addHelpText("after", examples("./marquee experiment stop new-rails"))
    .action((name: string, options) =>
      run(async () => (await import("./experiments.ts")).stopExperiment(cli, name, options)),
    );
  group
    .command("results")
    .description("Shows what is known now. It may be looked at at any time.")
    .argument("<name>", "the experiment")
    .option("--json", "as JSON", false)
    .addHelpText("after", examples("./marquee experiment results new-rails"))
    .action((name: string, options) =>
      run(async () => (await import("./experiments.ts")).showResults(cli, name, options)),
    );
}
