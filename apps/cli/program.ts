import { Command, Option } from "commander";
import { JOURNEYS } from "../journeys.ts";
import { addAds } from "./program-ads.ts";
import { addBackbone } from "./program-backbone.ts";
import { addConsole } from "./program-console.ts";
import { addDiscovery } from "./program-discovery.ts";
import { addEnrich } from "./program-enrich.ts";
import { addEpg } from "./program-epg.ts";
import { addChannels } from "./program-channels.ts";
import { addSearch } from "./program-search.ts";
import { addFeatures } from "./program-features.ts";
import { addRecommendations } from "./program-recommendations.ts";
import { addRecordings } from "./program-recordings.ts";
import { addSimulate } from "./program-simulate.ts";
import { addTraceFile } from "./program-trace-file.ts";
import { completionScript } from "./completion.ts";
import type { Cli, ExitCode } from "./cli.ts";
import type { EditOptions } from "./edit.ts";
import { examples, type Run } from "./help.ts";
import { addFlags } from "./program-flags.ts";

/**
 * The whole command line: names, flags and help. What a command does is loaded when it is called, so that `--help` and
 * completion answer at once.
 */
export function buildProgram(cli: Cli, version: string, onExit: (code: ExitCode) => void): Command {
  const run: Run = async (work) => onExit(await work());
  const program = new Command("marquee")
    .description("Marquee: from a video file to a protected, resumable picture.")
    .version(version, "--version", "show the version")
    .helpOption("-h, --help", "show help")
    .showHelpAfterError("(./marquee --help shows all commands, ./marquee COMMAND --help explains one)")
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .addHelpText(
      "after",
      `
First steps:
  npm start                              starts the product; leave it running
  ./marquee import film.mp4 --wait       makes a title of your own file
  ./marquee doctor                       says what is missing on this machine

Environment (docs/guides/operate.md lists all):
  MARQUEE_DATA   everything the product keeps; names the product that a command talks to
  MARQUEE_PORT   where it listens (8080)`,
    );
  product(program, cli, run);
  addConsole(program, cli, run);
  films(program, cli, run);
  titles(program, cli, run);
  addEpg(program, cli, run);
  addChannels(program, cli, run);
  addRecordings(program, cli, run);
  addRecommendations(program, cli, run);
  addSimulate(program, cli, run);
  addSearch(program, cli, run);
  addEnrich(program, cli, run);
  users(program, cli, run);
  work(program, cli, run);
  keys(program, cli, run);
  addFlags(program, cli, run);
  addAds(program, cli, run);
  addDiscovery(program, cli, run);
  addFeatures(program, cli, run);
  lake(program, cli, run);
  backups(program, cli, run);
  addBackbone(program, cli, run);
  addTraceFile(program, cli, run);
  machine(program, cli, run);
  return program;
}

function product(program: Command, cli: Cli, run: Run): void {
  program
    .command("start")
    .summary("start the product in this terminal")
    .description(
      "Starts every service, PostgreSQL, the web and two delivery edges, and makes the demo cinema where it is asked for.\nEnds with Ctrl-C. The same as npm start.",
    )
    .addHelpText(
      "after",
      examples(
        "./marquee start",
        "MARQUEE_PORT=9000 MARQUEE_DATA=/srv/marquee ./marquee start",
        "MARQUEE_DEMO=0 ./marquee start     without the demo cinema",
      ),
    )
    .action(() =>
      run(async () => {
        const { start } = await import("../start.ts");
        await start(cli.config);
        return 0;
      }),
    );
  program
    .command("serve")
    .summary("run a part of the product; the rest is reached by address")
    .description(
      "Runs the named services in this process. They call the others at MARQUEE_PEERS, over TLS with certificates both ways, and are called\nat MARQUEE_RPC_PORT. Besides services there are web (pages and API), edges (delivery), and admin (the operator's calls to services elsewhere).\nSeveral processes need PostgreSQL, Kafka, Redis, S3 and Vault, which they share; what is not set is named.",
    )
    .argument("<names...>", "services, web, edges or admin")
    .addHelpText(
      "after",
      examples(
        "./marquee serve session entitlement token routing",
        "MARQUEE_PEERS='*=https://10.0.0.3:7001' ./marquee serve web",
        "MARQUEE_PEER_TEMPLATE='https://{service}:7000' ./marquee serve catalog",
        "MARQUEE_ORIGIN_URL=https://origin.example.test ./marquee serve edges",
      ),
    )
    .action((names: string[]) =>
      run(async () => {
        const { serve } = await import("../serve.ts");
        await serve(cli.config, names, cli.terminal.note);
        return 0;
      }),
    );
}

function films(program: Command, cli: Cli, run: Run): void {
  program
    .command("import")
    .summary("make titles of video files")
    .description(
      "Takes video files in, encodes and protects them, and publishes each as a title as soon as it plays.\nThe product copies the file; what it cannot do with it, it says.",
    )
    .argument("[files...]", "video files")
    .addOption(
      new Option("--preset <name>", "full: every rung of both ladders; quick: three H.264 rungs, fast")
        .choices(["quick", "full"])
        .default("full"),
    )
    .option("--title <text>", "the title; otherwise the file's name")
    .option("--subtitles <file:language...>", "subtitle files, each with its language: film.en.srt:en")
    .option("--wait [until]", "stay until it plays; --wait=complete until every rung is there")
    .option("--json", "one JSON object a line, the last one of a file with its status", false)
    .option("--allow-duplicate", "import although the same film is here already", false)
    .option("--no-publish", "keep it hidden until ./marquee title publish")
    .addHelpText(
      "after",
      `
Without --wait the command ends when the file is taken in, or refused. Ctrl-C ends the command and not the work.
Exit code: 0 all went well, 1 a file failed, 2 Marquee is not running.
${examples(
  "./marquee import film.mp4 --wait",
  "./marquee import film.mkv --title 'The harbour' --subtitles film.en.srt:en film.de.vtt:de",
  "./marquee import *.mov --preset quick --wait=complete --json",
)}`,
    )
    .action((files: string[], options) =>
      run(async () => {
        const { importFiles } = await import("./import.ts");
        return importFiles(cli, files, { ...options, subtitles: (options.subtitles ?? []) as string[] });
      }),
    );
  program
    .command("watch")
    .summary("import whatever is put into a folder")
    .description(
      "Watches a folder. A file that has not changed for 5 seconds is imported and moved to imported/; one that is refused gets a\nNAME.error.txt beside it with the reason: delete that file to try again. Subtitles named like the film (film.en.srt) go with it.\nIn a folder of a bucket nothing is moved: NAME.ID.imported.txt says what was taken in.",
    )
    .argument("<folder>", "the folder to watch, made where it is missing; or s3://bucket/folder")
    .addOption(new Option("--preset <name>", "full or quick").choices(["quick", "full"]).default("full"))
    .option("--no-publish", "keep titles hidden")
    .option("--settle <seconds>", "so long a file must not change before it is taken", "5")
    .option("--once", "take what is there and end", false)
    .option("--json", "one JSON object a line", false)
    .addHelpText(
      "after",
      examples(
        "./marquee watch /srv/drop",
        "./marquee watch ~/Films --preset quick --no-publish",
        "./marquee watch s3://my-bucket/films",
      ),
    )
    .action((folder: string, options) =>
      run(async () => {
        const { watch } = await import("./watch.ts");
        return watch(cli, folder, options);
      }),
    );
}

function titles(program: Command, cli: Cli, run: Run): void {
  program
    .command("titles")
    .summary("list titles")
    .description("Lists the titles that viewers see, newest first.")
    .option("--all", "hidden, unfinished and failed ones too", false)
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee titles", "./marquee titles --all --json"))
    .action((options) => run(async () => (await import("./titles.ts")).listTitles(cli, options)));

  const title = program
    .command("title")
    .summary("show, change, publish, hide or delete a title")
    .description("Works on one title. ./marquee titles --all lists their ids.");
  title
    .command("show")
    .description("Shows everything known about a title.")
    .argument("<id>", "the title's id")
    .option("--json", "as JSON", false)
    .addHelpText("after", examples("./marquee title show vod_01kabc"))
    .action((id: string, options) => run(async () => (await import("./titles.ts")).showTitle(cli, id, options)));
  title
    .command("edit")
    .description("Changes members of a title; what is not named stays.")
    .argument("<id>", "the title's id")
    .option("--title <text>", "the title")
    .option("--synopsis <text>", "what it is about")
    .option("--tagline <text>", "one line under the title")
    .option("--year <year>", "year of release, or none")
    .option("--age <rating>", "age rating: 0, 6, 12, 16 or 18")
    .option("--genres <list>", "genres, separated by commas; none empties them")
    .option("--credit <name:role...>", "credits, each as 'Name: role'; together they replace the old ones")
    .option("--tier <tier>", "the lowest plan that may watch: basic or premium")
    .option("--markets <list>", "countries as two letters, separated by commas; all for everywhere")
    .option("--from <time>", "start of the rights window: a date or time (UTC unless a zone is named), now or none")
    .option("--until <time>", "end of the rights window, written the same way")
    .option("--backdrop <picture>", "the picture behind the title: a number from title show, or a key")
    .option("--json", "print the changed title as JSON", false)
    .addHelpText(
      "after",
      examples(
        "./marquee title edit vod_01kabc --title 'The harbour' --year 2026 --genres 'Drama, Mystery'",
        "./marquee title edit vod_01kabc --credit 'Ada Moss: director' 'Ben Ruiz: Captain'",
        "./marquee title edit vod_01kabc --markets DE,AT,CH --from 2026-12-24T20:15+01:00 --until 2027-06-30 --age 12",
      ),
    )
    .action((id: string, options: EditOptions & { json: boolean }) =>
      run(async () => (await import("./titles.ts")).editTitle(cli, id, options)),
    );
  for (const [name, description, publish] of [
    ["publish", "Lets viewers see titles, now or from the start of their window.", true],
    ["unpublish", "Hides titles from viewers; nothing is deleted.", false],
  ] as const) {
    title
      .command(name)
      .description(description)
      .argument("<ids...>", "ids of titles")
      .addHelpText("after", examples(`./marquee title ${name} vod_01kabc`))
      .action((ids: string[]) => run(async () => (await import("./titles.ts")).setPublication(cli, ids, publish)));
  }
  title
    .command("delete")
    .description("Deletes titles for good, with their files and keys; a series with its episodes.")
    .argument("<ids...>", "ids of titles")
    .option("-y, --yes", "do not ask", false)
    .addHelpText(
      "after",
      examples("./marquee title delete vod_01kabc", "./marquee title delete --yes vod_01kabc vod_01kdef"),
    )
    .action((ids: string[], options) => run(async () => (await import("./titles.ts")).deleteTitles(cli, ids, options)));
}

function users(program: Command, cli: Cli, run: Run): void {
  program
    .command("users")
    .summary("delete accounts")
    .description("Works on accounts of viewers.")
    .command("delete")
    .description(
      "Deletes accounts for good, with everything that is kept of their people: profiles, devices, bookmarks, sessions, events, mail.\nA backup that was made before still has them (docs/guides/erase.md).",
    )
    .argument("<emails...>", "their e-mail addresses")
    .option("-y, --yes", "do not ask", false)
    .option("--json", "one JSON object a line", false)
    .addHelpText(
      "after",
      examples("./marquee users delete ada@mail.example", "./marquee users delete --yes ada@mail.example"),
    )
    .action((emails: string[], options) =>
      run(async () => (await import("./users.ts")).deleteUsers(cli, emails, options)),
    );
}

function work(program: Command, cli: Cli, run: Run): void {
  program
    .command("jobs")
    .summary("show what is being imported and encoded")
    .description("Shows every import with its state, progress, the time left and how many rungs are there.")
    .option("--watch", "keep showing it until Ctrl-C", false)
    .option("--json", "one JSON object a line, the last one with the totals", false)
    .addHelpText("after", examples("./marquee jobs", "./marquee jobs --watch"))
    .action((options) => run(async () => (await import("./jobs.ts")).showJobs(cli, options)));
  program
    .command("retry")
    .summary("try a failed import again")
    .description("Tries failed imports again from where they stopped: finished chunks are kept.")
    .argument("<ids...>", "ids from ./marquee jobs")
    .addHelpText("after", examples("./marquee retry vod_01kabc"))
    .action((ids: string[]) => run(async () => (await import("./jobs.ts")).retry(cli, ids)));
  program
    .command("repackage")
    .summary("give a title new keys without encoding it")
    .description(
      "Packages titles again under new content keys and new addresses, without encoding. Who is watching is not interrupted.",
    )
    .argument("<ids...>", "ids of titles")
    .addHelpText("after", examples("./marquee repackage vod_01kabc"))
    .action((ids: string[]) => run(async () => (await import("./jobs.ts")).repackage(cli, ids)));
}

function lake(program: Command, cli: Cli, run: Run): void {
  const group = program
    .command("lake")
    .summary("show the data lake")
    .description("Shows the Iceberg tables that every event is kept in. Engines read them by their metadata file.");
  group
    .command("tables")
    .summary("list the tables")
    .description("Lists the tenant's tables with their size and the address of their metadata file.")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee lake tables", "./marquee lake tables --json"))
    .action((options) => run(async () => (await import("./lake.ts")).listTables(cli, options)));
  group
    .command("snapshots")
    .summary("list a table's snapshots")
    .description("Lists the snapshots of a table that can still be read, the newest first.")
    .argument("[table]", "its name", "bronze.events")
    .option("--limit <n>", "how many", "20")
    .option("--json", "one JSON object a line", false)
    .addHelpText("after", examples("./marquee lake snapshots", "./marquee lake snapshots bronze.events --limit 5"))
    .action((name: string, options) => run(async () => (await import("./lake.ts")).listSnapshots(cli, name, options)));
}

function keys(program: Command, cli: Cli, run: Run): void {
  program
    .command("token")
    .summary("print an access token (development only)")
    .description("Prints an access token for an account, for trying the API without a browser. Production refuses.")
    .argument("<email>", "the account")
    .option("--profile <name>", "the profile; otherwise the account's first one")
    .option("--json", "with the time it expires, as JSON", false)
    .addHelpText(
      "after",
      examples(
        "./marquee token alex@demo.test --profile Alex",
        'curl -H "Authorization: Bearer $(./marquee token alex@demo.test)" http://localhost:8080/api/web/v1/home',
      ),
    )
    .action((email: string, options) => run(async () => (await import("./keys.ts")).printToken(cli, email, options)));
  const group = program.command("keys").summary("rotate keys").description("Works on signing keys and content keys.");
  group
    .command("rotate")
    .description("Makes new keys. What was issued under the old ones stays valid until it expires.")
    .option("--cat", "the key that signs media tokens (Common Access Tokens)", false)
    .option("--jwt", "the key that signs access tokens", false)
    .option("--content <id>", "a title's content keys: packages it again")
    .addHelpText(
      "after",
      examples(
        "./marquee keys rotate --cat",
        "./marquee keys rotate --cat --jwt",
        "./marquee keys rotate --content vod_01kabc",
      ),
    )
    .action((options) => run(async () => (await import("./keys.ts")).rotateKeys(cli, options)));
  program
    .command("export-cpix")
    .summary("print a title's keys as CPIX")
    .description(
      "Prints the CPIX 2.3 document of a title: its content keys and usage rules, for other packagers and DRM systems.\nIt holds keys in the clear.",
    )
    .argument("<contentId>", "the title's id")
    .option("--out <file>", "write it to a file that only you can read")
    .addHelpText("after", examples("./marquee export-cpix vod_01kabc --out keys.xml"))
    .action((contentId: string, options) =>
      run(async () => (await import("./keys.ts")).exportCpix(cli, contentId, options)),
    );
}

function backups(program: Command, cli: Cli, run: Run): void {
  program
    .command("backup")
    .summary("write a backup of the running product")
    .description(
      "Writes everything that cannot be made again into one encrypted file, while the product runs: accounts, catalogue, events, keys,\nfilms. It is read back and verified before it gets its name.",
    )
    .argument("<file>", "the file to write; it must not exist")
    .requiredOption("--key-file <file>", "what it is encrypted with: a file of at least 16 characters, kept elsewhere")
    .option("--without-media", "leave out sources and packages of films, which are most of it", false)
    .option("--json", "say what was written as JSON", false)
    .addHelpText(
      "after",
      examples(
        "(umask 077; openssl rand -base64 32 > backup.key)",
        "./marquee backup /backups/marquee-monday --key-file backup.key",
        "./marquee backup marquee.backup --key-file backup.key --without-media --json",
      ),
    )
    .action((file: string, options) => run(async () => (await import("./backup.ts")).makeBackup(cli, file, options)));
  program
    .command("restore")
    .summary("make a data folder of a backup")
    .description(
      "Makes MARQUEE_DATA of a backup. The folder must be empty, and no product runs on it. The whole file is verified first, and the folder\nappears when everything is in it.",
    )
    .argument("<file>", "the backup")
    .requiredOption("--key-file <file>", "what it was encrypted with")
    .option("--json", "say what was restored as JSON", false)
    .addHelpText(
      "after",
      examples("MARQUEE_DATA=/srv/marquee ./marquee restore /backups/marquee-monday --key-file backup.key"),
    )
    .action((file: string, options) =>
      run(async () => (await import("./backup.ts")).restoreBackup(cli, file, options)),
    );
}

function machine(program: Command, cli: Cli, run: Run): void {
  program
    .command("cert")
    .summary("make a certificate for a host name that is not localhost")
    .description(
      "Makes a local certificate authority and a server certificate in MARQUEE_DATA/tls, and says how to trust it on this system.\nBrowsers play protected films only over HTTPS, except on localhost.",
    )
    .argument("[hosts...]", "names and addresses that the certificate is for; otherwise those of this machine")
    .option("--json", "the paths as JSON", false)
    .addHelpText("after", examples("./marquee cert", "./marquee cert cinema.example.test 192.168.1.20"))
    .action((hosts: string[], options) =>
      run(async () => (await import("./cert.ts")).makeCertificate(cli, hosts, options)),
    );
  program
    .command("doctor")
    .summary("say what is there, what is missing and how to mend it")
    .description("Looks at this machine and at the running product. Exit code 1 when something needed is missing.")
    .option("--json", "as one JSON document", false)
    .addHelpText("after", examples("./marquee doctor", "./marquee doctor --json"))
    .action((options) => run(async () => (await import("./doctor.ts")).doctor(cli, options)));
  program
    .command("traces")
    .summary("show what the last requests, events and jobs did")
    .description(
      `Shows the last traces that the running product kept, newest first; with an id, or its beginning, that one as a tree.\nJourneys are ${Object.keys(JOURNEYS).join(", ")}.`,
    )
    .argument("[id]", "the id of a trace, or its beginning")
    .option("--journey <name>", "those of one journey")
    .option("--errors", "those in which something failed", false)
    .option("--json", "one JSON object a line, with all spans", false)
    .addHelpText(
      "after",
      examples(
        "./marquee traces",
        "./marquee traces --journey playback",
        "./marquee traces 4bf92f35",
        "./marquee traces --errors --json",
      ),
    )
    .action((id: string | undefined, options) =>
      run(async () => (await import("./traces.ts")).showTraces(cli, id, options)),
    );
  program
    .command("pseudonym")
    .summary("say what somebody is called in logs and traces")
    .description(
      "Prints the pseudonym of a person, which logs and traces have in place of an id. MARQUEE_TRACE_USERS takes it, to keep all traces of that person.",
    )
    .argument("<who>", "an e-mail address, or the id of an account")
    .addHelpText("after", examples("./marquee pseudonym alex@demo.test"))
    .action((who: string) => run(async () => (await import("./traces.ts")).showPseudonym(cli, who)));
  program
    .command("topology")
    .summary("draw who calls whom, and which event goes where")
    .description(
      "Shows which service calls which and which event goes from whom to whom, read off the declarations that the product runs by.\nIt needs no running product.",
    )
    .option("--json", "as one JSON document", false)
    .option("--mermaid", "as a Mermaid flowchart", false)
    .option("--dot", "as a Graphviz graph", false)
    .option("--svg <file>", "as a picture")
    .addHelpText("after", examples("./marquee topology", "./marquee topology --svg topology.svg"))
    .action((options) => run(async () => (await import("./topology.ts")).showTopology(cli, options)));
  program
    .command("completion")
    .summary("print a completion script for your shell")
    .description("Prints a script that lets the shell complete commands and flags.")
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText("after", examples('eval "$(./marquee completion bash)"', "./marquee completion fish | source"))
    .action((shell: string) =>
      run(async () => {
        cli.terminal.out(completionScript(program, shell).trimEnd());
        return 0;
      }),
    );
}
