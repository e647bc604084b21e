/**
 * `npm run check [-- STEP…] [--root=FOLDER]`: everything that a machine can say about the code without running it, in under a minute.
 * Each step says how long it took and, when it fails, what to do. Steps run two at a time and never stop each other.
 */
import { spawn } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { checkBoundaries } from "./check-boundaries.ts";
import { brokenLinks, forbiddenWords, longFiles } from "./check-text.ts";
import { REPOSITORY, repositoryFiles } from "./files.ts";
import { drift } from "./generate.ts";
import { missingFromLock } from "./lock.ts";

/** The tree to check; the tools are always our own. Tests plant violations in another tree. */
const rootOption = process.argv.find((arg) => arg.startsWith("--root="));
const root = rootOption ? path.resolve(rootOption.slice("--root=".length)) : REPOSITORY;

const STEP_TIMEOUT_MS = 120_000;
const OUTPUT_CHARS_MAX = 12_000;

type Outcome = { readonly state: "ok" | "failed" | "skipped"; readonly output: string };

interface Step {
  readonly name: string;
  readonly remedy: string;
  readonly run: () => Promise<Outcome>;
}

const passed = (output = ""): Outcome => ({ state: "ok", output });
const skipped = (why: string): Outcome => ({ state: "skipped", output: why });
const failedIf = (problems: readonly string[]): Outcome =>
  problems.length === 0 ? passed() : { state: "failed", output: problems.join("\n") };

/** Runs a tool of node_modules on this Node, or a program of the system. */
function run(command: string, args: readonly string[], cwd = root): Promise<Outcome> {
  const [program, first] = command.startsWith("node_modules/")
    ? [process.execPath, [path.join(REPOSITORY, command)]]
    : [command, []];
  return new Promise((resolve) => {
    const child = spawn(program, [...first, ...args], {
      cwd,
      timeout: STEP_TIMEOUT_MS,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const note = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on("data", note);
    child.stderr.on("data", note);
    child.once("error", (error) => resolve({ state: "failed", output: error.message }));
    child.once("close", (code, signal) => {
      const timedOut = signal ? `\nstopped after ${STEP_TIMEOUT_MS / 1000} s` : "";
      resolve({ state: code === 0 ? "ok" : "failed", output: output.trim() + timedOut });
    });
  });
}

const TOOLS = {
  tsc: "node_modules/@typescript/native/bin/tsc",
  oxlint: "node_modules/oxlint/bin/oxlint",
  biome: "node_modules/@biomejs/biome/bin/biome",
  buf: "node_modules/@bufbuild/buf/bin/buf",
  knip: "node_modules/knip/bin/knip.js",
  secretlint: "node_modules/secretlint/bin/secretlint.js",
} as const;

const files = repositoryFiles(root);
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
const hasProto = files.some((file) => /^contracts\/.*\.proto$/.test(file));

/** The types of the server, and of each client that has a tsconfig of its own (they know the browser). */
const types: Step[] = [
  "tsconfig.json",
  ...globSync(["clients/tsconfig.json", "clients/*/tsconfig.json"], { cwd: root }),
].map((project) => ({
  name: project === "tsconfig.json" ? "types" : `types of ${path.dirname(project)}`,
  remedy: "Mend the types; `any`, `!` and ignore comments are no remedy.",
  run: () => run(TOOLS.tsc, ["-p", project, "--noEmit", "--pretty", "false"]),
}));

const STEPS: readonly Step[] = [
  ...types,
  {
    name: "lint",
    remedy:
      "Mend what is named; `npx oxlint --type-aware --fix` does some of it. A rule that hinders good code is changed in .oxlintrc.json, with a reason in the commit.",
    run: () => run(TOOLS.oxlint, ["--type-aware", "--deny-warnings", "--format", "unix"]),
  },
  {
    name: "dead code",
    remedy:
      "Delete what nobody uses, or drop its `export`. Something that is started by name belongs in knip.json's `entry`.",
    run: () => run(TOOLS.knip, ["--no-progress", "--no-config-hints"]),
  },
  {
    name: "generated files",
    remedy: "Run `npm run generate` and commit what it writes.",
    run: async () => failedIf(await drift(root)),
  },
  {
    name: "secrets",
    remedy: "Take the secret out, and rotate it if it was ever pushed. Tests make their keys as they run.",
    run: () => run(TOOLS.secretlint, ["--no-glob", "--no-gitignore", "--no-color", ...files]),
  },
  {
    name: "boundaries",
    remedy:
      "Go through a contract, a port or an argument: ARCHITECTURE.md says which. The rules are in scripts/check-boundaries.ts.",
    run: async () =>
      failedIf(checkBoundaries(root, files).map(({ file, line, message }) => `${file}:${line}: ${message}`)),
  },
  {
    name: "formatting",
    remedy: "Run `npx biome format --write`.",
    run: () => run(TOOLS.biome, ["format", "--max-diagnostics=20", "--colors=off"]),
  },
  {
    name: "contract lint",
    remedy: "Follow buf's advice; the rules that we do without are in buf.yaml, each with its reason.",
    run: async () => (hasProto ? await run(TOOLS.buf, ["lint"]) : skipped("there are no .proto files")),
  },
  {
    name: "breaking changes",
    remedy:
      "Add a field, a message or an RPC beside the old one; `reserved` keeps numbers of the removed ones from being used again.",
    run: breakingChanges,
  },
  {
    name: "lock file",
    remedy:
      "Run `node scripts/lock.ts`: it adds the packages of other platforms, without which `npm ci` fails everywhere.",
    run: async () =>
      files.includes("package-lock.json")
        ? failedIf(
            missingFromLock(read("package-lock.json")).map(({ name, version }) => `${name}@${version} is missing`),
          )
        : skipped("there is none"),
  },
  {
    name: "words",
    remedy:
      "No file names a package registry's host or a path of one machine: use the client's own configuration, and relative paths.",
    run: async () => failedIf(forbiddenWords(files, read)),
  },
  {
    name: "links",
    remedy: "Correct the path, or write the document.",
    run: async () => failedIf(brokenLinks(files, read, (target) => existsSync(path.join(root, target)))),
  },
  {
    name: "file sizes",
    remedy: "",
    // Only a warning: a file of 410 lines that reads well is better than two that do not.
    run: async () => passed(longFiles(files, read).join("\n")),
  },
];

/** Compares the protocol with the one of the main branch, or on the main branch itself with the commit before. */
async function breakingChanges(): Promise<Outcome> {
  const git = (...args: string[]): Promise<Outcome> => run("git", args);
  const shallow = await git("rev-parse", "--is-shallow-repository");
  if (shallow.state !== "ok") return skipped("this is not a git clone, there is nothing to compare with");
  if (shallow.output === "true") return skipped("a shallow clone has no history to compare with");
  const base = await comparisonBase(git);
  if (base === undefined) return skipped("there is no earlier commit to compare with");
  const before = await git("ls-tree", "-r", "--name-only", base, "contracts", "buf.yaml");
  if (!before.output.includes(".proto") || !before.output.includes("buf.yaml"))
    return skipped(`${base.slice(0, 8)} has no contracts yet`);
  // buf can read git by itself, but not from a linked worktree; a folder always works.
  const folder = await mkdtemp(path.join(tmpdir(), "marquee-breaking-"));
  try {
    const archive = path.join(folder, "base.tar");
    for (const [command, args] of [
      ["git", ["archive", "--output", archive, base, "contracts", "buf.yaml"]],
      ["tar", ["-xf", archive, "-C", folder]],
    ] as const) {
      const done = await run(command, args);
      if (done.state !== "ok") return done;
    }
    return await run(TOOLS.buf, ["breaking", "--against", folder]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function comparisonBase(git: (...args: string[]) => Promise<Outcome>): Promise<string | undefined> {
  const head = await git("rev-parse", "HEAD");
  for (const main of ["origin/main", "main"]) {
    const base = await git("merge-base", "HEAD", main);
    if (base.state === "ok" && base.output !== head.output) return base.output;
  }
  const parent = await git("rev-parse", "--verify", "--quiet", "HEAD~1");
  return parent.state === "ok" ? parent.output : undefined;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function report(step: Step, outcome: Outcome, tookMs: number): void {
  const mark = { ok: "✔", failed: "✖", skipped: "–" }[outcome.state];
  const lines = [`${mark} ${step.name.padEnd(22)} ${seconds(tookMs).padStart(7)}`];
  if (outcome.state === "skipped") lines[0] += `   skipped: ${outcome.output}`;
  else if (outcome.output !== "" && (outcome.state === "failed" || step.remedy === "")) {
    const cut =
      outcome.output.length > OUTPUT_CHARS_MAX
        ? `${outcome.output.slice(0, OUTPUT_CHARS_MAX)}\n… and more`
        : outcome.output;
    lines.push(cut.replaceAll(/^/gm, "    "));
  }
  if (outcome.state === "failed") lines.push(`  remedy: ${step.remedy}`);
  console.log(lines.join("\n"));
}

async function main(wanted: readonly string[]): Promise<number> {
  const steps = STEPS.filter((step) => wanted.length === 0 || wanted.some((name) => step.name.includes(name)));
  if (steps.length === 0) {
    console.error(
      `no step is called '${wanted.join("', '")}'; there are: ${STEPS.map((step) => step.name).join(", ")}`,
    );
    return 1;
  }
  const startedMs = performance.now();
  const failed: string[] = [];
  const queue = [...steps];
  const work = async (): Promise<void> => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const stepStartedMs = performance.now();
      const outcome = await step.run().catch(
        (error: unknown): Outcome => ({
          state: "failed",
          output: error instanceof Error ? error.message : String(error),
        }),
      );
      report(step, outcome, performance.now() - stepStartedMs);
      if (outcome.state === "failed") failed.push(step.name);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
  const total = seconds(performance.now() - startedMs);
  console.log(
    failed.length === 0
      ? `\ncheck: all ${steps.length} steps passed in ${total}`
      : `\ncheck: failed in ${total}: ${failed.join(", ")}`,
  );
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2).filter((arg) => arg !== rootOption));
