import { type Command, Option } from "commander";
import type { ChannelOptions } from "./channels.ts";
import type { Cli } from "./cli.ts";
import { examples, type Run } from "./help.ts";

/** The commands about live channels. */
export function addChannels(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("channel")
    .summary("make, show, stop and remove live channels")
    .description("Works on live channels. ./marquee channel list shows their ids.");
  group
    .command("add")
    .description(
      "Makes a channel and puts it on the air. An input is a kind, with its address behind a colon where it has one:\n  demo                     a test picture with a clock, encoded while it is watched\n  schedule                 the films of the catalogue, one after the other, without an encoder\n  rtmp:PORT                pushed by RTMP with a stream key, to rtmp://HOST:PORT/live/KEY\n  srt:PORT                 pushed by SRT with a passphrase\n  mpegts:udp://127.0.0.1:PORT, mpegts:http://127.0.0.1/…   a transport stream on this machine\n  hls:https://…            another's HLS\n  files:/PATH              a video, or a .txt with a path a line, over and over",
    )
    .argument("<name>", "the channel's name")
    .argument("<inputs...>", "the input, and a backup for when it fails")
    .option(
      "--secret-file <file...>",
      "files with the stream key or passphrase of each input that has one, in their order",
    )
    .option("--id <id>", "its id, beginning with ch-; otherwise made of the name")
    .option("--number <n>", "what viewers type; otherwise the next one that is free")
    .option("--logo <path>", "a picture, as a path below the public address")
    .option("--language <tag>", "the language of its sound", "en")
    .addOption(
      new Option("--latency <class>", "low: a second or two behind; standard: about six, in more rungs")
        .choices(["low", "standard"])
        .default("low"),
    )
    .option("--age <rating>", "age rating: 0, 6, 12, 16 or 18", "0")
    .addOption(
      new Option("--tier <tier>", "the lowest plan that may watch").choices(["basic", "premium"]).default("basic"),
    )
    .option("--ladder <rungs>", "rungs, separated by commas, such as 720p-h264-3000k,360p-h264-800k")
    .option("--window <hours>", "how far back viewers may go", "2")
    .option("--json", "print the channel as JSON", false)
    .addHelpText(
      "after",
      examples(
        "./marquee channel add 'Clock' demo",
        "./marquee channel add 'Films' schedule --age 12",
        "./marquee channel add 'Studio' rtmp:1935 --secret-file stream.key",
        "./marquee channel add 'Stage' srt:9000 mpegts:udp://127.0.0.1:5000 --secret-file passphrase",
        "./marquee channel add 'Clock' demo --number 7 --ladder 720p-h264-3000k,360p-h264-800k --json",
      ),
    )
    .action((name: string, inputs: string[], options: ChannelOptions) =>
      run(async () => (await import("./channels.ts")).addChannel(cli, name, inputs, options)),
    );
  group
    .command("list")
    .description("Lists the channels by their numbers.")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee channel list", "./marquee channel list --json"))
    .action((options) => run(async () => (await import("./channels.ts")).listChannels(cli, options)));
  group
    .command("show")
    .description("Shows a channel, its inputs and how it is at this moment.")
    .argument("<id>", "the channel's id")
    .option("--json", "as JSON", false)
    .addHelpText("after", examples("./marquee channel show ch-marquee-live"))
    .action((id: string, options) => run(async () => (await import("./channels.ts")).showChannel(cli, id, options)));
  for (const [name, description, onAir] of [
    ["start", "Puts channels on the air again.", true],
    ["stop", "Takes channels off the air; what they are and what was recorded of them stays.", false],
  ] as const) {
    group
      .command(name)
      .description(description)
      .argument("<ids...>", "ids of channels")
      .addHelpText("after", examples(`./marquee channel ${name} ch-marquee-live`))
      .action((ids: string[]) => run(async () => (await import("./channels.ts")).setOnAir(cli, ids, onAir)));
  }
  group
    .command("remove")
    .description("Removes channels for good, with what was kept of them and their keys.")
    .argument("<ids...>", "ids of channels")
    .option("-y, --yes", "do not ask", false)
    .addHelpText("after", examples("./marquee channel remove ch-marquee-live"))
    .action((ids: string[], options) =>
      run(async () => (await import("./channels.ts")).removeChannels(cli, ids, options)),
    );
}
