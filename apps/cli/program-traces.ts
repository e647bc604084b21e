import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands for what a collector wrote. */
export function addTraces(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("traces")
    .summary("show traces that a collector wrote")
    .description(
      "Shows what was traced through one process or several, from the file that a collector wrote (OTLP in JSON, a request a line).",
    );
  group
    .command("list")
    .summary("list traces")
    .description("Lists the traces of a collector's file, the newest first.")
    .requiredOption("--from <file>", "what the collector wrote")
    .option("--limit <n>", "how many", "20")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee traces list --from .marquee/engines/otelcol/traces.jsonl"))
    .action((options) => run(async () => (await import("./traces.ts")).listTraces(cli, options)));
  group
    .command("show")
    .summary("show one trace, as text or as a picture")
    .description("Shows the spans of a trace, each below the one that it came of, with the process that it was in.")
    .argument("<trace>", "its id, as logs and answers to clients have it")
    .requiredOption("--from <file>", "what the collector wrote")
    .option("--svg <file>", "draw it into this file")
    .option("--json", "as data", false)
    .addHelpText("after", examples("./marquee traces show ID --from traces.jsonl --svg trace.svg"))
    .action((id: string, options) => run(async () => (await import("./traces.ts")).showTrace(cli, id, options)));
}
