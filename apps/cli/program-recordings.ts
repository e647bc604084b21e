import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands about recordings. */
export function addRecordings(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("record")
    .summary("record channels for an account, show and delete what is recorded")
    .description("Works on the recordings of an account. ./marquee epg now and the guide show ids of programmes.");
  group
    .command("programme")
    .description("Records a programme of the guide, or with --series every new episode of its series.")
    .argument("<email>", "the account")
    .argument("<id>", "the programme's id")
    .option("--series", "every new episode of the programme's series, on any channel", false)
    .option("--keep <n>", "of a series, keep the newest so many; 0 keeps all", "0")
    .option("--before <minutes>", "padding before", "2")
    .option("--after <minutes>", "padding after", "10")
    .option("--json", "print what was made as JSON", false)
    .addHelpText(
      "after",
      examples(
        "./marquee record programme alex@demo.test PROGRAMME",
        "./marquee record programme alex@demo.test PROGRAMME --series --keep 5",
      ),
    )
    .action((email: string, id: string, options) =>
      run(async () => (await import("./recordings.ts")).recordProgramme(cli, email, id, options)),
    );
  group
    .command("channel")
    .description("Records a channel from now on, for so many minutes.")
    .argument("<email>", "the account")
    .argument("<channel>", "the channel's id")
    .argument("<minutes>", "how long")
    .option("--title <title>", "what the recording is called; otherwise as the channel")
    .option("--json", "print what was made as JSON", false)
    .addHelpText("after", examples("./marquee record channel alex@demo.test ch-marquee-live 10"))
    .action((email: string, channel: string, minutes: string, options) =>
      run(async () => (await import("./recordings.ts")).recordChannel(cli, email, channel, minutes, options)),
    );
  group
    .command("list")
    .description("Lists an account's recordings, the latest first.")
    .argument("<email>", "the account")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee record list alex@demo.test"))
    .action((email: string, options) =>
      run(async () => (await import("./recordings.ts")).listRecordings(cli, email, options)),
    );
  group
    .command("delete")
    .description("Calls recordings off, or deletes them.")
    .argument("<email>", "the account")
    .argument("<ids...>", "ids of recordings")
    .option("-y, --yes", "do not ask", false)
    .addHelpText("after", examples("./marquee record delete alex@demo.test RECORDING"))
    .action((email: string, ids: string[], options) =>
      run(async () => (await import("./recordings.ts")).deleteRecordings(cli, email, ids, options)),
    );
}
