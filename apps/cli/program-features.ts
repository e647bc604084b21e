import { type Command, Option } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands about features. */
export function addFeatures(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("features")
    .summary("show features, whether they are fresh, and make training sets")
    .description(
      "Works on what models are told of viewers, titles, channels, networks and sessions. docs/guides/features.md explains it.",
    );
  group
    .command("list")
    .description("Lists the groups of features, or the features of one.")
    .argument("[group]", "the group; otherwise all groups")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee features list", "./marquee features list content_popularity"))
    .action((name: string | undefined, options) =>
      run(async () => (await import("./features.ts")).listFeatures(cli, name, options)),
    );
  group
    .command("get")
    .description("Shows what is known of entities now.")
    .argument("<features>", "GROUP or GROUP:FEATURE, several with commas between them")
    .argument("<keys...>", "profiles, titles, channels, NETWORK/REGION or sessions")
    .option("--json", "one JSON object a line", false)
    .addHelpText(
      "after",
      examples(
        "./marquee features get content_popularity TITLE",
        "./marquee features get user_viewing_history:sessions_7d,user_genre_preferences PROFILE --json",
      ),
    )
    .action((features: string, keys: string[], options) =>
      run(async () => (await import("./features.ts")).getFeatures(cli, features, keys, options)),
    );
  group
    .command("status")
    .description(
      "Shows how fresh each group is, and whether what is served is what training sees; exits 1 where it is not.",
    )
    .option("--sample <n>", "entities of each group that are compared with the lake, 0 to 200", "100")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee features status", "./marquee features status --sample 0 --json"))
    .action((options) => run(async () => (await import("./features.ts")).showStatus(cli, options)));
  group
    .command("training-set")
    .description("Adds to each row of a file what was known of its entity at its time, from the lake.")
    .argument("<rows>", "a CSV file whose first line names its columns: key, timestamp, and others such as a label")
    .requiredOption(
      "--features <names>",
      "GROUP or GROUP:FEATURE of one kind of entity, several with commas between them",
    )
    .requiredOption("--out <file>", "where it goes; a file that is there is replaced")
    .addOption(new Option("--format <format>", "of the file").choices(["csv", "avro"]).default("csv"))
    .addHelpText(
      "after",
      examples("./marquee features training-set rows.csv --features user_viewing_history --out set.csv"),
    )
    .action((rows: string, options) =>
      run(async () => (await import("./training-set.ts")).makeTrainingSet(cli, rows, options)),
    );
}
