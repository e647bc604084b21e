import { type Command, Option } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands about feature flags. */
export function addFlags(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("flags")
    .summary("show and change feature flags and kill switches")
    .description("Works on feature flags. Where they are kept in Unleash they are shown here and changed there.");
  const collect = (condition: string, before: readonly string[]): readonly string[] => [...before, condition];
  const where = (): Option =>
    new Option("--where <condition>", "only for those who fit; may be repeated, and all hold together")
      .argParser(collect)
      .default([], "everybody");
  const add = (): Option =>
    new Option("--add", "keep what is said for others, and add this after it").default(false, "replace it");
  group
    .command("list")
    .description("Lists every flag with its default, what is said about it, and what it does.")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee flags list", "./marquee flags list --json"))
    .action((options) => run(async () => (await import("./flags.ts")).listFlags(cli, options)));
  group
    .command("set")
    .description("Gives a flag a value. It holds at once here, and within two seconds in other processes.")
    .argument("<name>", "the flag")
    .argument("<value>", "on, off, a text, a number, or an object in JSON, as the flag's default is")
    .addOption(where())
    .addOption(add())
    .addHelpText(
      "after",
      examples(
        "./marquee flags set kill.web.previews on",
        "./marquee flags set kill.web.chapters on --where platform=tizen --where 'osVersion<5.5.0'",
        "./marquee flags set kill.service.qoe on",
        `./marquee flags set web.home-layout '{"rails":["new","continue","genre"]}' --where market=DE,AT`,
      ),
    )
    .action((name: string, value: string, options) =>
      run(async () => (await import("./flags.ts")).setFlag(cli, name, value, options)),
    );
  group
    .command("rollout")
    .description("Gives a flag a value for a share of people. Who is in it stays in it while it grows.")
    .argument("<name>", "the flag")
    .argument("<percent>", "0 to 100")
    .option("--value <value>", "the value, where it is not on")
    .option("--by <attribute>", "what the share is taken of: userId, profileId, tenant, random …", "default")
    .addOption(where())
    .addOption(add())
    .addHelpText(
      "after",
      examples(
        "./marquee flags rollout kill.web.next-episode 10",
        "./marquee flags rollout kill.web.chapters 25 --by profileId --where tier=premium",
      ),
    )
    .action((name: string, percent: string, options) =>
      run(async () => (await import("./flags.ts")).rollOut(cli, name, percent, options)),
    );
  group
    .command("unset")
    .description("Forgets what was said about a flag: it has its default again.")
    .argument("<name>", "the flag")
    .addHelpText("after", examples("./marquee flags unset kill.web.previews"))
    .action((name: string) => run(async () => (await import("./flags.ts")).unsetFlag(cli, name)));
}
