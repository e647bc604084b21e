/**
 * `npm test [-- FILTER… | --whole]`: unit tests beside the code, contract and adapter tests, then the heavy ones, and at last the product in a
 * browser. A filter is a part of a path, such as `media/cat`. What takes long for what it adds, `x.long.test.ts` and some scenarios of the
 * browser, is run when it is named and by `--whole`. The last lines are the totals, in the words of node:test, for people and for CI.
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
  if (/^tests\/(chaos|engines)\/|^tests\/realdata\/enrichment/.test(file)) return REQUESTED;
  if (/^tests\/e2e\/|\.engine\.test\.ts$/.test(file)) return ALONE;
  const encodes = /^tests\/(content\/|realdata\/|delivery\/live|playback\/recording|engagement\/channel)/;
  return encodes.test(file) ? HEAVY : LIGHT;
}

interface Totals {
  tests: number;
  suites: number;
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

const totals: Totals = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
const failures: string[] = [];
/** Of each file. */
const durationsMs = new Map<string, number>();
/** So many files are told that took the longest: what a run takes is nearly theirs. */
const SLOWEST = 12;
const giveUp = new AbortController();

async function runFiles(weight: Weight, all: readonly string[]): Promise<void> {
  const { title, atOnce, fileTimeoutMs } = weight;
  const files = all.filter((file) => weightOf(file) === weight);
  if (files.length === 0 || giveUp.signal.aborted) return;
  console.log(`\n${title}: ${files.length} files`);
  const events = run({
    files: files.map((file) => path.join(ROOT, file)),
    concurrency: atOnce,
    timeout: fileTimeoutMs,
    signal: giveUp.signal,
  });
  let counted = false;
  events.on("test:summary", ({ file, counts, success, duration_ms: durationMs }) => {
    if (file !== undefined) return void durationsMs.set(path.relative(ROOT, file), durationMs);
    counted = true;
    totals.tests += counts.tests;
    totals.suites += counts.suites;
    totals.passed += counts.passed;
    totals.cancelled += counts.cancelled;
    totals.skipped += counts.skipped;
    totals.todo += counts.todo;
    totals.failed += counts.tests - counts.passed - counts.cancelled - counts.skipped - counts.todo;
    if (!success && failures.length === 0) failures.push(`${title}: see above`);
  });
  events.on("test:fail", ({ name, file, line, details }) => {
    // A suite or a file fails because something in it did; that something is what one wants to read.
    if ("failureType" in details.error && details.error.failureType === "subtestsFailed") return;
    failures.push(`${file ? `${path.relative(ROOT, file)}:${line ?? 1}` : title}: ${name}`);
  });
  for await (const text of events.compose(new spec())) process.stdout.write(String(text));
  if (!counted) failures.push(`${title}: the runner ended without a summary`);
}

function printTotals(startedMs: number): void {
  if (failures.length > 0) console.log(`\n✖ failed:\n${[...new Set(failures)].map((name) => `  ${name}`).join("\n")}`);
  const slowest = [...durationsMs].toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST);
  console.log("\nslowest files:");
  for (const [file, ms] of slowest) console.log(`  ${Math.round(ms / 1_000)} s  ${file}`);
  console.log("\nin all:");
  const { tests, suites, passed, failed, cancelled, skipped, todo } = totals;
  const rows = { tests, suites, pass: passed, fail: failed, cancelled, skipped, todo };
  for (const [name, value] of Object.entries(rows)) console.log(`ℹ ${name} ${value}`);
  console.log(`ℹ duration_ms ${Math.round(performance.now() - startedMs)}`);
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
  const isWhole = options.includes("--whole");
  const filters = options.filter((option) => option !== "--whole");
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
    failures.push(`the run took longer than ${timeoutMs / 1000} s and was cut off`);
    giveUp.abort();
  }, timeoutMs);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      failures.push(`stopped by ${signal}`);
      giveUp.abort();
    });
  }
  const template = filters.length === 0 && process.platform !== "win32" ? await makeTemplate() : undefined;
  await runFiles(LIGHT, wanted);
  await runFiles(HEAVY, wanted);
  if (wanted.some((file) => file.startsWith("tests/e2e/"))) await buildClients();
  await runFiles(ALONE, wanted);
  await runFiles(REQUESTED, wanted);
  clearTimeout(deadline);
  await template?.remove();
  printTotals(startedMs);
  return failures.length + totals.failed + totals.cancelled === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
