import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands about ads: campaigns, creatives, breaks, figures. */
export function addAds(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("ad")
    .summary("campaigns, their creatives, breaks of titles and figures")
    .description("Works on ads: who is shown what in which breaks. docs/guides/ads.md has it from the beginning.");
  campaigns(group, cli, run);
  creatives(group, cli, run);
  group
    .command("breaks")
    .description(
      "Shows where a title is interrupted, or says where from now on. Breaks move to the nearest edge of a segment.",
    )
    .argument("<title>", "the title's id")
    .argument("[breaks...]", "TIME/SECONDS each; none takes all of them away")
    .addHelpText(
      "after",
      examples(
        "./marquee ad breaks vod_01kabc",
        "./marquee ad breaks vod_01kabc 0:00/15 22:00/60 1:05:30/60",
        "./marquee ad breaks vod_01kabc none",
      ),
    )
    .action((title: string, places: string[]) =>
      run(async () => (await import("./ads.ts")).setBreaks(cli, title, places)),
    );
  group
    .command("report")
    .description("Shows how often each creative was shown, and how often to its end.")
    .argument("[campaign]", "one campaign only", "")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee ad report", "./marquee ad report tea --json"))
    .action((campaign: string, options) => run(async () => (await import("./ads.ts")).report(cli, campaign, options)));
}

function campaigns(group: Command, cli: Cli, run: Run): void {
  const campaign = group
    .command("campaign")
    .summary("make, list and remove campaigns")
    .description("Works on campaigns.");
  campaign
    .command("set")
    .description("Makes a campaign, or changes it: what is not named stays.")
    .argument("<id>", "letters, digits, _ and -")
    .option("--name <text>", "what it is called")
    .option("--advertiser <text>", "whose it is; one advertiser is seen once in a break")
    .option("--priority <n>", "1 to 10; the higher one goes first")
    .option("--flight <flights...>", "FROM/UNTIL[/IMPRESSIONS[/even or asap]]; together they replace the old ones")
    .option("--cap <caps...>", "IMPRESSIONS/WINDOW for each viewer, as in 3/1d")
    .option("--tiers <list>", "plans, separated by commas; all for all that have ads")
    .option("--markets <list>", "countries as two letters; all for everywhere")
    .option("--devices <list>", "kinds of devices, such as web,tizen; all for all")
    .option("--genres <list>", "genres of titles; all for all")
    .option("--min-age <rating>", "only beside titles of at least this age rating")
    .option("--hours <list>", "hours of the day in UTC, 0 to 23; all for all")
    .option("--vast <url>", "an ad server that is asked by VAST in place of own creatives; none for own ones")
    .option("--pause", "show it no more for now")
    .option("--resume", "show it again")
    .addHelpText(
      "after",
      examples(
        "./marquee ad campaign set tea --advertiser 'Leaf & Co' --flight 2026-12-01/2026-12-24/5000 --cap 3/1d",
        "./marquee ad campaign set bikes --markets DE,AT --genres Documentary --priority 8",
        "./marquee ad campaign set network --vast https://ads.example.org/vast?zone=7",
        "./marquee ad campaign set tea --pause",
      ),
    )
    .action((id: string, options) => run(async () => (await import("./ads.ts")).setCampaign(cli, id, options)));
  campaign
    .command("list")
    .description("Lists the campaigns.")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee ad campaign list"))
    .action((options) => run(async () => (await import("./ads.ts")).listCampaigns(cli, options)));
  campaign
    .command("remove")
    .description("Ends campaigns for good.")
    .argument("<ids...>", "ids of campaigns")
    .addHelpText("after", examples("./marquee ad campaign remove tea"))
    .action((ids: string[]) => run(async () => (await import("./ads.ts")).removeCampaigns(cli, ids)));
}

function creatives(group: Command, cli: Cli, run: Run): void {
  const creative = group
    .command("creative")
    .summary("add, list and remove creatives")
    .description("Works on creatives.");
  creative
    .command("add")
    .description(
      "Takes a film in as a creative. It is encoded as films are, under keys of its own, and hidden from viewers.",
    )
    .argument("<file>", "the film")
    .option("--campaign <id>", "whose it is")
    .option("--slate", "fills what no ad fills", false)
    .option("--title <text>", "what it is called; otherwise its file's name")
    .option("--click <url>", "where it leads, for players that can be clicked")
    .option("--preset <preset>", "quick (three rungs, fast) or full (both ladders)", "full")
    .addHelpText(
      "after",
      examples(
        "./marquee ad creative add tea-15s.mp4 --campaign tea",
        "./marquee ad creative add back-soon.mp4 --slate",
      ),
    )
    .action((file: string, options) => run(async () => (await import("./ads.ts")).addCreative(cli, file, options)));
  creative
    .command("list")
    .description("Lists creatives and slates with their state.")
    .option("--campaign <id>", "those of one campaign")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee ad creative list", "./marquee ad creative list --campaign tea"))
    .action((options) => run(async () => (await import("./ads.ts")).listCreatives(cli, options)));
  creative
    .command("remove")
    .description(
      "Removes creatives for good, with their files and keys. Who is watching one sees it to its end or goes on without it.",
    )
    .argument("<ids...>", "ids of creatives")
    .addHelpText("after", examples("./marquee ad creative remove ad-01kabc"))
    .action((ids: string[]) => run(async () => (await import("./ads.ts")).removeCreatives(cli, ids)));
}
