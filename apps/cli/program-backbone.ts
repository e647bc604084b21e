import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands for the event log and for those who follow it. */
export function addBackbone(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("events")
    .summary("look into the event log, handle dead letters, replay")
    .description("Works on the event log of the running product, embedded or Kafka.");
  group
    .command("topics")
    .summary("list the topics and who lags behind")
    .description(
      "Lists the topics with what they hold, how long they keep it, how many dead letters wait, and which services have not read all of it.",
    )
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee events topics", "./marquee events topics --json"))
    .action((options) => run(async () => (await import("./events.ts")).listTopics(cli, options)));
  group
    .command("tail")
    .summary("show events")
    .description(
      "Shows the last events of some topics, or of all, with their payload. Dead letters are shown where they are named: TOPIC.dlq.\nWith --follow it goes on until Ctrl-C.",
    )
    .argument("[topics...]", "topics; otherwise all of them")
    .option("--from <time>", "from a date or time on (UTC unless a zone is named), or from the beginning")
    .option("--last <n>", "otherwise so many of the last ones", "20")
    .option("--limit <n>", "end after so many")
    .option("--follow", "keep showing what comes", false)
    .option("--key <key>", "those with this key alone, such as a user's id")
    .option("--type <event...>", "those of these kinds alone, such as playback.started")
    .option("--json", "one JSON object a line, with the CloudEvents attributes", false)
    .addHelpText(
      "after",
      examples(
        "./marquee events tail --follow",
        "./marquee events tail user.events --from 2026-12-24T20:15 --key usr_01kabc",
        "./marquee events tail catalog.changes --from beginning --type catalog.title.added --json",
      ),
    )
    .action((topics: string[], options) => run(async () => (await import("./events.ts")).tail(cli, topics, options)));
  addDeadLetters(group, cli, run);
  group
    .command("replay")
    .summary("hand events to a service again")
    .description(
      "Moves the marks of a service back, so that it gets the events of a topic again. Other services are not concerned.\nIt handles them as if they were new. On Kafka, events of the last three days are known by their ids and change nothing, unless --forget.",
    )
    .argument("<service>", "the service")
    .argument("<topic>", "a topic that it follows")
    .requiredOption("--from <time>", "a date or time (UTC unless a zone is named), or beginning")
    .option("--forget", "also forget which events it has handled", false)
    .option("-y, --yes", "do not ask", false)
    .option("--json", "as JSON", false)
    .addHelpText(
      "after",
      examples(
        "./marquee events replay entitlement catalog.changes --from 2026-12-24",
        "./marquee events replay keys catalog.changes --from beginning --yes",
      ),
    )
    .action((service: string, topic: string, options) =>
      run(async () => (await import("./replay.ts")).replay(cli, service, topic, options)),
    );
  program
    .command("rebuild")
    .summary("make the read models of a service anew")
    .description(
      "Empties the read models of a service, fills them from its source of truth and has them follow the event log again. What is no read model\nis not touched, and nothing is announced. Readers see the old rows until the new ones are there.",
    )
    .argument("<service>", "the service, such as catalog")
    .option("-y, --yes", "do not ask", false)
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee rebuild catalog", "./marquee rebuild bookmark --yes"))
    .action((service: string, options) =>
      run(async () => (await import("./replay.ts")).rebuild(cli, service, options)),
    );
}

function addDeadLetters(events: Command, cli: Cli, run: Run): void {
  const group = events
    .command("dlq")
    .summary("show, put back or drop dead letters")
    .description(
      "Works on dead letters: events that a service could not handle in five tries. They wait 30 days for a decision.",
    );
  group
    .command("list", { isDefault: true })
    .summary("list dead letters with the reason")
    .description("Lists the dead letters that nobody has decided about, the oldest first.")
    .option("--topic <topic>", "those of this topic alone")
    .option("--group <name>", "those that this service refused alone")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee events dlq list", "./marquee events dlq list --group bookmark --json"))
    .action((options) => run(async () => (await import("./dead-letters.ts")).listLetters(cli, options)));
  group
    .command("show")
    .description("Shows a dead letter whole.")
    .argument("<id>", "its id")
    .option("--json", "as JSON", false)
    .addHelpText("after", examples("./marquee events dlq show bookmark/playback.heartbeats/12/3405"))
    .action((id: string, options) => run(async () => (await import("./dead-letters.ts")).showLetter(cli, id, options)));
  for (const [name, description, isReplay] of [
    ["replay", "Puts dead letters back into their topic for the service that refused them, each once at most.", true],
    ["drop", "Drops dead letters: nobody will handle them.", false],
  ] as const) {
    group
      .command(name)
      .description(description)
      .argument("[ids...]", "ids of dead letters")
      .option("--all", "all that wait, up to a thousand", false)
      .option("--topic <topic>", "with --all, those of this topic alone")
      .option("--group <name>", "with --all, those that this service refused alone")
      .option("-y, --yes", "do not ask", false)
      .option("--json", "one JSON object a line", false)
      .addHelpText(
        "after",
        examples(
          `./marquee events dlq ${name} bookmark/playback.heartbeats/12/3405`,
          `./marquee events dlq ${name} --all --group bookmark --yes`,
        ),
      )
      .action((ids: string[], options) =>
        run(async () => (await import("./dead-letters.ts")).settleLetters(cli, ids, isReplay, options)),
      );
  }
}
