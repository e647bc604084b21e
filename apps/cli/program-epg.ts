import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands about the guide. */
export function addEpg(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("epg")
    .summary("take in guides and show what is on")
    .description("Works on the guide: what is on which channel and when (docs/guides/guide.md).");
  group
    .command("import")
    .summary("take a guide in")
    .description(
      "Takes in an XMLTV document, also compressed by gzip. The guide changes when all of it was read, or not at all. A file or an address that is\nnamed for the first time becomes a source with a name; what is said about a source is kept for the next time.",
    )
    .argument("<document>", "a file, an address that begins with https:// or http://, or - for standard input")
    .option("--source <name>", "the source's name; otherwise one that is made of the document's")
    .option("--zone <zone>", "the zone of times that name none, such as Europe/Berlin; otherwise UTC")
    .option("--language <tag>", "preferred where a text has several languages, such as de")
    .option("--priority <number>", "the highest wins where several sources speak of one channel; otherwise 0")
    .option("--add-channels", "put channels that match none of ours into the guide, where they cannot be watched")
    .option("--no-add-channels", "leave them out again")
    .option("--every <hours>", "take it in again so often by itself; 0 for never")
    .option("--no-wait", "do not stay until the guide has changed")
    .option("--json", "one JSON object a line, the last one with what came of it", false)
    .addHelpText(
      "after",
      `
Exit code: 0 all went well, 1 the document was refused, 2 Marquee is not running.
${examples(
  "./marquee epg import guide.xml --zone Europe/Berlin",
  "./marquee epg import https://guide.example.test/all.xml.gz --source national --every 12",
  "curl -s https://guide.example.test/today.xml | ./marquee epg import - --source today --json",
)}`,
    )
    .action((document: string, options) =>
      run(async () => (await import("./epg-import.ts")).importGuide(cli, document, options)),
    );
  group
    .command("list")
    .summary("show what is on")
    .description("Shows every channel with what is on and what comes next; with a channel, its programmes of a day.")
    .argument("[channel]", "the channel's id or number")
    .option("--day <day>", "a day such as 2026-11-26, in this machine's zone; otherwise today")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee epg list", "./marquee epg list 7 --day 2026-12-24"))
    .action((channel: string | undefined, options) =>
      run(async () => (await import("./epg.ts")).listGuide(cli, channel, options)),
    );
  group
    .command("sources")
    .summary("list sources and their last imports")
    .description(
      "Lists where the guide comes from, the highest priority first, with what the last import of each came to.",
    )
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee epg sources", "./marquee epg sources --json"))
    .action((options) => run(async () => (await import("./epg.ts")).listSources(cli, options)));
  group
    .command("remove")
    .summary("take a source out of the guide")
    .description("Takes sources out of the guide, with all that came of them. Other sources fill what they leave.")
    .argument("<sources...>", "names of sources")
    .option("-y, --yes", "do not ask", false)
    .addHelpText("after", examples("./marquee epg remove today"))
    .action((names: string[], options) =>
      run(async () => (await import("./epg.ts")).removeSources(cli, names, options)),
    );
  group
    .command("match")
    .summary("show and correct which channel is which")
    .description(
      "Shows which channel of a source is which of ours, and why. With two ids it says so by hand; the guide follows at once.",
    )
    .argument("<source>", "the source's name")
    .argument("[external]", "the id of a channel in the source")
    .argument("[channel]", "the id of ours that it is")
    .option("--none", "it is none of ours", false)
    .option("--automatic", "let the rules decide again", false)
    .option("--unmatched", "show those alone that are none of ours", false)
    .option("--json", "one JSON object a line", false)
    .addHelpText(
      "after",
      examples(
        "./marquee epg match national --unmatched",
        "./marquee epg match national bbc1.example.test ch-marquee-one",
        "./marquee epg match national bbc1.example.test --automatic",
      ),
    )
    .action((source: string, external: string | undefined, channel: string | undefined, options) =>
      run(async () => (await import("./epg.ts")).matchChannels(cli, { source, external, channel }, options)),
    );
  group
    .command("restrict")
    .summary("say what may not be done with a programme")
    .description(
      "Says what viewers may not do with a programme; without words nothing is forbidden any more. It stays said when the guide is imported again.",
    )
    .argument("<programme>", "the programme's id")
    .argument("[what...]", "blackout, no-restart, no-record")
    .addHelpText("after", examples("./marquee epg restrict pr-Zm9vYmFy no-record no-restart"))
    .action((programme: string, what: string[]) =>
      run(async () => (await import("./epg.ts")).restrictProgramme(cli, programme, what)),
    );
}
