/**
 * `npm run generate`: writes what is generated from the contracts.
 *
 *   contracts/<name>/*.proto          -> contracts/<name>/gen/*_pb.js and .d.ts   (buf, protoc-gen-es)
 *   contracts/<name>/events/*.avsc    -> contracts/<name>/gen/events.ts           (scripts/generate-events.ts)
 *   apps/services.ts               -> deploy/prometheus/{recording,slo,operations}.yml, deploy/grafana/*.json (scripts/observe)
 *   contracts/<name>/openapi.ts, bffs/<name>/openapi.ts, where they export `openApiDocument()`
 *                                     -> gen/openapi.json beside them
 *   contracts/<name>/events/*.avsc, contracts/topics
 *                                     -> docs/asyncapi/<service>.json             (scripts/generate-asyncapi.ts)
 *
 * Everything is made in memory first, so that the check can compare without writing.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { glob, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import type { Service } from "#kernel";
import type { Topics } from "../kernel/events.ts";
import { usageOf } from "./docs-events.ts";
import { REPOSITORY } from "./files.ts";
import { asyncApiDocuments, type DeclaredEvent } from "./generate-asyncapi.ts";
import { type AvscFile, eventsModule } from "./generate-events.ts";
import { dashboardFiles } from "./observe/dashboards.ts";
import { ruleFiles } from "./observe/rules.ts";

/** Paths from the root, with `/`, to contents. */
export type Generated = Map<string, string>;

const TOOL_TIMEOUT_MS = 60_000;

/** All generated files of the tree under `root`. Throws with the tool's own words when a source is wrong. */
export async function generate(root: string): Promise<Generated> {
  const parts = await Promise.all([protobuf, events, openApi, asyncApi, observability].map((make) => make(root)));
  return new Map(parts.flatMap((part) => [...part]).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What differs between the tree and what would be generated now; empty when all is up to date. */
export async function drift(root: string): Promise<string[]> {
  const wanted = await generate(root);
  const problems: string[] = [];
  for (const [file, content] of wanted) {
    const present = await readFile(path.join(root, file), "utf8").catch(() => undefined);
    if (present === undefined) problems.push(`${file} is missing`);
    else if (present !== content) problems.push(`${file} is out of date`);
  }
  for (const file of await generatedOnDisk(root)) {
    if (!wanted.has(file)) problems.push(`${file} is generated from nothing any more`);
  }
  return problems;
}

/** Brings the tree up to date and returns the files that changed. */
export async function writeGenerated(root: string): Promise<string[]> {
  const wanted = await generate(root);
  const changed: string[] = [];
  for (const [file, content] of wanted) {
    const target = path.join(root, file);
    if ((await readFile(target, "utf8").catch(() => undefined)) === content) continue;
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(`${target}.new`, content);
    await rename(`${target}.new`, target);
    changed.push(file);
  }
  for (const file of await generatedOnDisk(root)) {
    if (wanted.has(file)) continue;
    await rm(path.join(root, file));
    changed.push(file);
  }
  return changed;
}

async function list(root: string, pattern: string): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob(pattern, { cwd: root })) found.push(file.replaceAll(path.sep, "/"));
  return found.sort();
}

const GENERATED = [
  "{contracts,bffs}/*/gen/{*_pb.js,*_pb.d.ts,events.ts,openapi.json}",
  "docs/asyncapi/*.json",
  "deploy/prometheus/{recording,slo,operations}.yml",
  "deploy/grafana/*.json",
];

const generatedOnDisk = async (root: string): Promise<string[]> =>
  (await Promise.all(GENERATED.map((pattern) => list(root, pattern)))).flat();

async function protobuf(root: string): Promise<Generated> {
  const generated: Generated = new Map();
  if ((await list(root, "contracts/*/*.proto")).length === 0) return generated;
  const out = await mkdtemp(path.join(tmpdir(), "marquee-generate-"));
  try {
    const template = {
      version: "v2",
      plugins: [
        {
          local: [process.execPath, path.join(REPOSITORY, "node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es")],
          out,
          // One process for all contracts instead of one for each folder: five times as fast.
          strategy: "all",
          // target=ts would emit `enum`, which Node's type stripping refuses.
          opt: ["target=js+dts", "import_extension=js"],
        },
      ],
    };
    const buf = path.join(REPOSITORY, "node_modules/@bufbuild/buf/bin/buf");
    await tool(buf, ["generate", "--template", JSON.stringify(template)], { cwd: root });
    for (const file of await list(out, "*/*")) {
      const [contract, name] = file.split("/");
      const content = await readFile(path.join(out, file), "utf8");
      generated.set(`contracts/${contract}/gen/${name}`, importsFromGen(content));
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
  return generated;
}

/** protoc-gen-es writes beside the .proto; our files go one folder deeper, and so do those of other contracts. */
function importsFromGen(content: string): string {
  return content.replaceAll(/from "\.\.\/([\w-]+)\/([\w-]+_pb\.js)"/g, 'from "../../$1/gen/$2"');
}

async function events(root: string): Promise<Generated> {
  const byContract = new Map<string, AvscFile[]>();
  for (const file of await list(root, "contracts/*/events/*.avsc")) {
    const contract = file.split("/")[1] ?? "";
    const files = byContract.get(contract) ?? [];
    byContract.set(contract, [...files, { file, text: await readFile(path.join(root, file), "utf8") }]);
  }
  const generated: Generated = new Map();
  for (const [contract, files] of byContract) {
    generated.set(`contracts/${contract}/gen/events.ts`, await formatted("events.ts", eventsModule(contract, files)));
  }
  return generated;
}

async function openApi(root: string): Promise<Generated> {
  const generated: Generated = new Map();
  for (const file of await list(root, "{contracts,bffs}/*/openapi.ts")) {
    const module: { openApiDocument?: unknown } = await import(pathToFileURL(path.join(root, file)).href);
    if (typeof module.openApiDocument !== "function")
      throw new Error(`${file} must export openApiDocument(), a function that returns the document`);
    const document: unknown = await module.openApiDocument();
    const target = `${path.posix.dirname(file)}/gen/openapi.json`;
    generated.set(target, await formatted("openapi.json", JSON.stringify(document)));
  }
  return generated;
}

const Described = z.looseObject({ event: z.string(), name: z.string(), doc: z.string().optional() });
/** `started: event<PlaybackStarted>()("playback.started", …)` in a contract. */
const ALIAS = /\b(\w+): event<\w+>\(\)\(\s*"([^"]+)"/g;

/**
 * Contracts are read and not imported: they import what is generated here, which may not be there yet. A tree without topics has no
 * such documents.
 */
async function asyncApi(root: string): Promise<Generated> {
  const generated: Generated = new Map();
  const [catalogue] = await list(root, "contracts/topics/index.ts");
  if (catalogue === undefined) return generated;
  const { topics } = (await import(pathToFileURL(path.join(root, catalogue)).href)) as { topics: Topics };
  const aliases = new Map<string, string>();
  for (const file of await list(root, "contracts/*/index.ts")) {
    const text = await readFile(path.join(root, file), "utf8");
    for (const [, alias = "", name = ""] of text.matchAll(ALIAS)) aliases.set(name, alias);
  }
  const { consumed } = usageOf(root);
  const declared: DeclaredEvent[] = [];
  for (const file of await list(root, "contracts/*/events/*.avsc")) {
    const schema = Described.parse(JSON.parse(await readFile(path.join(root, file), "utf8")));
    const producer = file.split("/")[1] ?? "";
    const consumers = [...(consumed.get(`${producer}/${aliases.get(schema.event) ?? ""}`) ?? [])].toSorted();
    declared.push({ name: schema.event, producer, consumers, schema });
  }
  for (const [service, document] of asyncApiDocuments(declared, topics))
    generated.set(`docs/asyncapi/${service}.json`, await formatted("asyncapi.json", JSON.stringify(document)));
  return generated;
}

/** Rules and dashboards of the declared services; a tree without them has none. */
async function observability(root: string): Promise<Generated> {
  const file = path.join(root, "apps/services.ts");
  if (!existsSync(file)) return new Map();
  const { services } = (await import(pathToFileURL(file).href)) as { services: readonly Service[] };
  const files = [...ruleFiles(services), ...dashboardFiles(services)];
  return new Map(
    await Promise.all(
      files.map(async ([name, content]) => [name, await formatted(path.basename(name), content)] as const),
    ),
  );
}

/** The text as the formatter writes it; the name's ending says the language. */
export const formatted = (name: string, content: string): Promise<string> =>
  tool(
    process.execPath,
    [path.join(REPOSITORY, "node_modules/@biomejs/biome/bin/biome"), "format", `--stdin-file-path=${name}`],
    { cwd: REPOSITORY, input: content },
  );

/** Runs a tool and returns what it prints; what it complains about becomes the error. */
function tool(command: string, args: string[], options: { cwd: string; input?: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, timeout: TOOL_TIMEOUT_MS });
    const out: Buffer[] = [];
    const complaints: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => complaints.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve(Buffer.concat(out).toString());
      reject(new Error(Buffer.concat([...complaints, ...out]).toString() || `${command} failed`));
    });
    child.stdin.end(options.input ?? "");
  });
}

if (import.meta.main) {
  if (!existsSync(path.join(REPOSITORY, "contracts"))) throw new Error("there is no contracts folder to generate from");
  try {
    const changed = await writeGenerated(REPOSITORY);
    for (const file of changed) console.log(file);
    console.log(
      changed.length === 0 ? "everything generated is up to date" : `${changed.length} generated files changed`,
    );
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
