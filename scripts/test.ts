/**
 * `npm test [-- FILTER… | --whole] [--again]`: unit tests beside the code, contract and adapter tests, then the heavy ones, and at last the product
 * in a browser. A filter is a part of a path, such as `media/cat`. What takes long for what it adds, `x.long.test.ts` and some scenarios of the
 * browser, is run when it is named and by `--whole`. With `--again` what failed is run once more with nothing beside it, and told apart. The last
 * lines are the totals, in the words of node:test, for people and for CI.
 */
import { globSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { openEmbeddedPostgres } from "#adapters/postgres/embedded";
import { makeTestFolder } from "../kernel/testing/folder.ts";
import { TEMPLATE_VARIABLE } from "../kernel/testing/postgres.ts";
import { buildClients } from "./build-clients.ts";
import { REPOSITORY as ROOT } from "./files.ts";
import { type Failure, TestResults } from "./test-results.ts";

/** The everyday run is to take less than ten minutes on two cores, real material apart; what hangs is cut off and counted as failed. */
const HAS_REAL_MATERIAL = Boolean(process.env["MARQUEE_TESTDATA"]);
const runTimeoutMs = (isWhole: boolean): number =>
  Number(process.env["MARQUEE_TEST_TIMEOUT_MS"] ?? (HAS_REAL_MATERIAL || isWhole ? 28 : 15) * 60_000);
/** Says to the scenarios of the browser that they are part of an everyday run. */
const EVERYDAY_VARIABLE = "MARQUEE_TEST_EVERYDAY";
/** What is asked for by name may take the time that it needs: somebody waits for it. */
const REQUESTED_TIMEOUT_MS = 120 * 60_000;

interface Weight {
  readonly title: string;
  readonly atOnce: number;
  readonly fileTimeoutMs: number;
}

/** On two cores. Half of their time most tests wait for something; what encodes does not. */
const LIGHT: Weight = { title: "unit, contract and adapter tests", atOnce: 4, fileTimeoutMs: 240_000 };
const HEAVY: Weight = { title: "tests that encode films and channels", atOnce: 2, fileTimeoutMs: 14 * 60_000 };
/** Two products at once would measure each other, and so would two users of one engine. */
const ALONE: Weight = {
  title: "tests of the whole product and of real engines",
  atOnce: 1,
  fileTimeoutMs: 14 * 60_000,
};
/** They need engines from elsewhere, or much time: only when asked for by name. */
const REQUESTED: Weight = { title: "tests that run only when named", atOnce: 1, fileTimeoutMs: 25 * 60_000 };

function weightOf(file: string): Weight {
  if (/^tests\/(chaos|engines)\/|^tests\/realdata\/(enrichment|embedding)/.test(file)) return REQUESTED;
  if (/^tests\/e2e\/|\.engine\.test\.ts$/.test(file)) return ALONE;
  const encodes = /^tests\/(content\/|realdata\/|delivery\/live|playback\/recording|engagement\/channel)/;
  return encodes.test(file) ? HEAVY : LIGHT;
}

/** More files than this do not fail by chance. */
const AGAIN_FILES_MAX = 3;
const giveUp = new AbortController();

interface Chosen {
  readonly files: readonly string[];
  /** Of tests; without any, all of a file are run. */
  readonly names?: readonly RegExp[];
}

async function runFiles(
  { title, atOnce, fileTimeoutMs }: Weight,
  { files, names = [] }: Chosen,
  into: TestResults,
): Promise<void> {
  if (files.length === 0 || giveUp.signal.aborted) return;
  console.log(`\n${title}: ${files.length} files`);
  const events = run({
    files: files.map((file) => path.join(ROOT, file)),
    concurrency: atOnce,
    timeout: fileTimeoutMs,
    signal: giveUp.signal,
    ...(names.length > 0 ? { testNamePatterns: names } : {}),
  });
  let hasEnded = false;
  // What fails says where it is written, which need not be the file that was run; that one's summary comes behind its tests.
  let failed: Omit<Failure, "file">[] = [];
  const assign = (file: string): void => {
    for (const failure of failed) into.failed({ file, ...failure });
    failed = [];
  };
  events.on("test:summary", ({ file, counts, success, duration_ms: durationMs }) => {
    if (file !== undefined) {
      const name = path.relative(ROOT, file);
      assign(name);
      return into.counted(name, counts, durationMs);
    }
    hasEnded = true;
    if (!success && into.failures.length === 0) into.trouble(`${title}: see above`);
  });
  events.on("test:fail", ({ name, file, line = 1, details }) => {
    // A suite or a file fails because something in it did; that something is what one wants to read.
    if ("failureType" in details.error && details.error.failureType === "subtestsFailed") return;
    if (file === undefined) return into.trouble(`${title}: ${name}`);
    const at = path.relative(ROOT, file);
    failed.push({ at: `${at}:${line}`, name });
    // A file that ended before it could count fails as itself.
    if (path.resolve(ROOT, name) === file) assign(at);
  });
  for await (const text of events.compose(new spec())) process.stdout.write(String(text));
  if (!hasEnded) into.trouble(`${title}: the runner ended without a summary`);
}

/**
 * Runs once more what failed, with nothing beside it. Machines that are shared stand still now and then, and what passes now is told apart from what
 * does not. Scenarios of the browser have nothing to do with each other, so that those that failed are enough.
 */
async function runAgain(results: TestResults): Promise<void> {
  const failed = Map.groupBy(results.failures, ({ file }) => file);
  if (results.hasTrouble || failed.size > AGAIN_FILES_MAX) return;
  for (const [file, failures] of failed) {
    const again = new TestResults();
    const isWhole = !file.startsWith("tests/e2e/");
    const names = isWhole ? [] : failures.map(({ name }) => new RegExp(RegExp.escape(name)));
    await runFiles({ ...weightOf(file), title: `once more: ${file}`, atOnce: 1 }, { files: [file], names }, again);
    results.replace(file, again, isWhole);
  }
}

/** Half of all tests begin with a database: its data are made once, and each begins with a copy of them. */
async function makeTemplate(): Promise<{ remove(): Promise<void> }> {
  const folder = await makeTestFolder("template");
  const template = path.join(folder, "postgres");
  await (await openEmbeddedPostgres({ folder: template, log: () => {} })).stop();
  process.env[TEMPLATE_VARIABLE] = template;
  return { remove: () => rm(folder, { recursive: true, force: true }) };
}

async function main(options: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  const results = new TestResults();
  const isWhole = options.includes("--whole");
  const filters = options.filter((option) => option !== "--whole" && option !== "--again");
  const isEveryday = !isWhole && filters.length === 0;
  if (isEveryday) process.env[EVERYDAY_VARIABLE] = "1";
  const isWanted = (file: string): boolean =>
    weightOf(file) !== REQUESTED && !(isEveryday && file.endsWith(".long.test.ts"));
  const all = globSync(
    "{kernel,contracts,media,learning,adapters,services,bffs,clients,apps,bench,deploy,engines,scripts,tests}/**/*.test.{ts,mjs}",
    {
      cwd: ROOT,
      exclude: (name) => path.basename(name) === "node_modules",
    },
  )
    .map((file) => file.replaceAll(path.sep, "/"))
    .sort();
  const wanted =
    filters.length === 0 ? all.filter(isWanted) : all.filter((file) => filters.some((part) => file.includes(part)));
  if (wanted.length === 0) {
    console.error(
      `no test file has '${filters.join("' or '")}' in its path; there are ${all.length}, such as ${all[0] ?? "none"}`,
    );
    return 1;
  }
  const timeoutMs = wanted.some((file) => weightOf(file) === REQUESTED) ? REQUESTED_TIMEOUT_MS : runTimeoutMs(isWhole);
  const deadline = setTimeout(() => {
    results.trouble(`the run took longer than ${timeoutMs / 1000} s and was cut off`);
    giveUp.abort();
  }, timeoutMs);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      results.trouble(`stopped by ${signal}`);
      giveUp.abort();
    });
  }
  const template = filters.length === 0 && process.platform !== "win32" ? await makeTemplate() : undefined;
  for (const weight of [LIGHT, HEAVY, ALONE, REQUESTED]) {
    const files = wanted.filter((file) => weightOf(file) === weight);
    if (files.some((file) => file.startsWith("tests/e2e/"))) await buildClients();
    await runFiles(weight, { files }, results);
  }
  if (options.includes("--again")) await runAgain(results);
  clearTimeout(deadline);
  await template?.remove();
  console.log(results.lines(performance.now() - startedMs).join("\n"));
  return results.passes ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
