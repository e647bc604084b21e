/**
 * Who may import whom (ARCHITECTURE.md). One rule for each zone, applied to every file of it: no list of files, no
 * exceptions by name. A file that matches no zone (scripts, tests, benches) may import anything; nobody may import it.
 */
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { type Import, impurities, importsOf } from "./imports.ts";

/** What an import leads to: another file of the repository, a built-in of Node, or a package. */
type Target =
  | { readonly kind: "file"; readonly path: string; readonly relative: boolean }
  | { readonly kind: "node"; readonly name: string }
  | { readonly kind: "npm"; readonly name: string };

interface Zone {
  readonly name: string;
  /** The room of a file in this zone: the folder that it may import freely; undefined where the zone does not apply. */
  readonly roomOf: (file: string) => string | undefined;
  /** What this zone may import, in words, for the remedy. */
  readonly may: string;
  readonly allows: (target: Target, found: Import, room: string) => boolean;
  /** Pure code reads no clock and no chance, and does no I/O through globals. */
  readonly pure?: true;
  /** It may load modules by computed names: what is composed or built at start, such as the SSR bundle. */
  readonly loads?: true;
  /** It is also read by tools that know no subpath imports, so it may leave its folder by a relative path. */
  readonly relative?: true;
}

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** Built-ins without I/O: bytes in, bytes out. */
const PURE_BUILTINS = new Set([
  "assert",
  "assert/strict",
  "buffer",
  "crypto",
  "path",
  "path/posix",
  "string_decoder",
  "url",
  "util",
  "zlib",
]);
/** What generated code and schemas are made of; neither does I/O. */
const SCHEMA_PACKAGES = new Set(["@bufbuild/protobuf", "zod"]);

const isTest = (file: string): boolean => /\.(test|contract)\.tsx?$/.test(file) || /(^|\/)testing(\/|\.ts$)/.test(file);
const within = (folder: string, target: Target): boolean =>
  target.kind === "file" && (target.path === folder || target.path.startsWith(`${folder}/`));
const anyOf = (folders: readonly string[], target: Target): boolean => folders.some((folder) => within(folder, target));
const isFile = (file: string, target: Target): boolean => target.kind === "file" && target.path === file;
const isPureBuiltin = (target: Target): boolean => target.kind === "node" && PURE_BUILTINS.has(target.name);
const isSchemaPackage = (target: Target): boolean => target.kind === "npm" && SCHEMA_PACKAGES.has(target.name);

/** The room that is the first `depth` folders of a path below `top`, where the file is that deep. */
function room(top: string, depth: number): (file: string) => string | undefined {
  return (file) => {
    const parts = file.split("/");
    return parts[0] === top && parts.length > depth + 1 ? parts.slice(0, depth + 1).join("/") : undefined;
  };
}
const top = (name: string) => (file: string) => (file.startsWith(`${name}/`) ? name : undefined);
const orElse =
  (first: Zone["roomOf"], second: Zone["roomOf"]): Zone["roomOf"] =>
  (file) =>
    first(file) ?? second(file);

const serviceRoom = orElse(room("services", 2), top("services"));

/** The first zone that a file is in decides. */
const ZONES: readonly Zone[] = [
  {
    name: "a domain",
    roomOf: (file) => (/(^|\/)domain(-[\w-]+)?\.ts$/.test(file) ? serviceRoom(file) : undefined),
    may: "domain files of its own folder, contracts, media and learning, and from the kernel its errors and types",
    allows: (target, found, own) =>
      (within(own, target) &&
        target.kind === "file" &&
        (/\/domain(-[\w-]+)?\.ts$/.test(target.path) || found.typeOnly)) ||
      anyOf(["contracts", "media", "learning"], target) ||
      isFile("kernel/errors.ts", target) ||
      (within("kernel", target) && found.typeOnly) ||
      isPureBuiltin(target) ||
      isSchemaPackage(target),
    pure: true,
  },
  {
    name: "a service",
    roomOf: serviceRoom,
    may: "its own folder, kernel, contracts, media, learning, packages and Node; another service only through its contract",
    allows: (target, _found, own) =>
      target.kind !== "file" || within(own, target) || anyOf(["kernel", "contracts", "media", "learning"], target),
  },
  {
    name: "a BFF",
    roomOf: orElse(room("bffs", 1), top("bffs")),
    may: "its own folder, kernel, contracts, packages and Node",
    loads: true,
    allows: (target, _found, own) =>
      target.kind !== "file" || within(own, target) || anyOf(["kernel", "contracts"], target),
  },
  {
    name: "an adapter",
    roomOf: orElse(room("adapters", 1), top("adapters")),
    // Learning is as pure as types are: what a model hears and says is the same behind every engine.
    may: "its own folder, adapters/shared, kernel/ports, kernel/errors, kernel/child-environment, learning, types, packages and Node",
    allows: (target, found, own) =>
      target.kind !== "file" ||
      within(own, target) ||
      // What engines of several ports have in common, such as an API that they all speak.
      within("adapters/shared", target) ||
      within("kernel/ports", target) ||
      within("learning", target) ||
      isFile("kernel/errors.ts", target) ||
      isFile("kernel/child-environment.ts", target) ||
      (found.typeOnly && anyOf(["kernel", "media"], target)),
  },
  {
    name: "a contract",
    relative: true,
    roomOf: top("contracts"),
    may: "other contracts, kernel/contract and kernel types, @bufbuild/protobuf and zod",
    allows: (target, found) =>
      within("contracts", target) ||
      isFile("kernel/contract.ts", target) ||
      (within("kernel", target) && found.typeOnly) ||
      isSchemaPackage(target),
  },
  {
    name: "pure code",
    roomOf: orElse(top("media"), top("learning")),
    may: "media, learning, packages and the built-ins without I/O",
    allows: (target) => anyOf(["media", "learning"], target) || target.kind === "npm" || isPureBuiltin(target),
    pure: true,
  },
  {
    name: "a port",
    roomOf: (file) => (file.startsWith("kernel/ports/") ? "kernel/ports" : undefined),
    may: "other ports, kernel/errors, and types",
    allows: (target, found) =>
      within("kernel/ports", target) ||
      isFile("kernel/errors.ts", target) ||
      (found.typeOnly && !anyOf(["services", "bffs", "adapters", "apps"], target)),
  },
  {
    name: "the kernel",
    roomOf: top("kernel"),
    may: "itself, media, packages and Node; of contracts only topics",
    allows: (target) =>
      target.kind !== "file" || anyOf(["kernel", "media"], target) || isFile("contracts/topics/index.ts", target),
  },
  {
    name: "a client",
    relative: true,
    roomOf: (file) => (/(^|\/)(vite\.config|entry-server)\.tsx?$/.test(file) ? undefined : top("clients")(file)),
    may: "clients, packages, and the types of contracts",
    allows: (target, found) =>
      within("clients", target) || target.kind === "npm" || (within("contracts", target) && found.typeOnly),
  },
  {
    name: "an app",
    roomOf: top("apps"),
    may: "anything but tests, benches and the source of clients",
    loads: true,
    allows: (target) => !anyOf(["tests", "bench", "clients"], target),
  },
];

/** Folders that have an alias in package.json, by which the others reach them. */
const ALIASES: Readonly<Record<string, string>> = {
  kernel: "#kernel/…",
  contracts: "#contracts/…",
  media: "#media/…",
  learning: "#learning/…",
  adapters: "#adapters/…",
};

/**
 * Checks files of the tree under `root`.
 * @param files paths from the root, with `/`
 * @param read gives a file's text; tests plant violations through it
 */
export function checkBoundaries(
  root: string,
  files: readonly string[],
  read: (file: string) => string = (file) => readFileSync(path.join(root, file), "utf8"),
): Violation[] {
  const aliases = packageImports(read("package.json"));
  return files
    .filter((file) => /\.(ts|tsx|js|mjs)$/.test(file) && !file.endsWith(".d.ts"))
    .flatMap((file) => checkFile(file, read(file), aliases));
}

function checkFile(file: string, text: string, aliases: ReadonlyMap<string, string>): Violation[] {
  const zone = ZONES.find((candidate) => candidate.roomOf(file) !== undefined);
  const own = zone?.roomOf(file);
  if (!zone || own === undefined) return [];
  const violations: Violation[] = [];
  const report = (line: number, message: string): void => void violations.push({ file, line, message });
  for (const found of importsOf(file, text)) {
    if (found.specifier === undefined) {
      if (!isTest(file) && !zone.loads)
        report(found.line, `${zone.name} imports by a computed name, which nobody can check: name the module`);
      continue;
    }
    const target = resolve(file, found.specifier, aliases);
    if (isTest(file)) {
      const foreign = within("services", target) && serviceRoom(file) !== undefined && !within(own, target);
      if (foreign)
        report(found.line, `a test of ${own} imports another service, '${found.specifier}': stand in for its contract`);
      continue;
    }
    if (!zone.allows(target, found, own))
      report(found.line, `${zone.name} may not import '${found.specifier}'; it may import ${zone.may}`);
    else if (target.kind === "file" && target.relative && !zone.relative) {
      const [folder = ""] = target.path.split("/");
      const alias = ALIASES[folder];
      if (alias && !file.startsWith(`${folder}/`))
        report(found.line, `'${found.specifier}' leaves its folder: write ${alias}`);
    }
  }
  if (zone.pure && !isTest(file)) {
    for (const { line, what } of impurities(file, text))
      report(line, `${zone.name} is pure, but uses ${what}: take it as an argument`);
  }
  return violations;
}

const builtin = (specifier: string): string => specifier.replace(/^node:/, "");
const packageName = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

function resolve(from: string, specifier: string, aliases: ReadonlyMap<string, string>): Target {
  if (specifier.startsWith("."))
    return { kind: "file", path: path.posix.join(path.posix.dirname(from), specifier), relative: true };
  if (specifier.startsWith("/")) return { kind: "file", path: specifier, relative: true };
  if (isBuiltin(specifier)) return { kind: "node", name: builtin(specifier) };
  if (specifier.startsWith("#")) return { kind: "file", path: byAlias(specifier, aliases), relative: false };
  return { kind: "npm", name: packageName(specifier) };
}

/** Node's subpath imports: an exact key first, then the longest pattern (Node.js, "Packages", "Subpath patterns"). */
function byAlias(specifier: string, aliases: ReadonlyMap<string, string>): string {
  const exact = aliases.get(specifier);
  if (exact !== undefined) return exact;
  const patterns = [...aliases].filter(([key]) => key.endsWith("*") && specifier.startsWith(key.slice(0, -1)));
  const [best] = patterns.sort(([a], [b]) => b.length - a.length);
  return best ? best[1].replace("*", specifier.slice(best[0].length - 1)) : specifier;
}

function packageImports(text: string): ReadonlyMap<string, string> {
  const json: unknown = JSON.parse(text);
  const imports = typeof json === "object" && json !== null && "imports" in json ? json.imports : {};
  const entries = Object.entries(imports ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return new Map(entries.map(([key, value]) => [key, value.replace(/^\.\//, "")]));
}
