import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands for what a collector wrote. */
export function addTraceFile(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("trace-file")
    .summary("show traces that a collector wrote")
    .description(
      "Shows what was traced through one process or several, from the file that a collector wrote (OTLP in JSON, a request a line).",
    );
  group
    .command("list")
    .summary("list traces")
    .description("Lists the traces of a collector's file, the newest first.")
    .argument("<file>", "what the collector wrote")
    .option("--limit <n>", "how many", "20")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee trace-file list .marquee/engines/otelcol/traces.jsonl"))
    .action((file: string, options) =>
      run(async () => (await import("./trace-file.ts")).listTraces(cli, file, options)),
    );
  group
    .command("show")
    .summary("show one trace, as text or as a picture")
    .description("Shows the spans of a trace, each below the one that it came of, with the process that it was in.")
    .argument("<file>", "what the collector wrote")
    .argument("<trace>", "its id, as logs and answers to clients have it")
    .option("--svg <file>", "draw it into this file")
    .option("--json", "as data", false)
    .addHelpText("after", examples("./marquee trace-file show traces.jsonl ID --svg trace.svg"))
    .action((file: string, id: string, options) =>
      run(async () => (await import("./trace-file.ts")).showTrace(cli, file, id, options)),
    );
}
