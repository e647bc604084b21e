import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { json } from "node:stream/consumers";
import { promisify } from "node:util";
import { z } from "zod";
import type { Table } from "#learning/table";

const VERSION = "4.6.0";
const FOLDER = path.join(".cache", `lightgbm-${VERSION}`);
const run = promisify(execFile);

/** What LightGBM is to be trained on, and asked about; rows are those of the table. */
export interface Task {
  readonly table: Table;
  readonly labels: Float32Array;
  readonly train: ArrayLike<number>;
  readonly test: ArrayLike<number>;
  readonly trees: number;
}

const Answers = z.array(z.object({ seconds: z.number(), scores: z.array(z.number()) }));
export type Answer = z.infer<typeof Answers>[number];

/** A Python that has LightGBM, installed into .cache when it is first asked for; what hinders it is thrown. */
export async function pythonWithLightgbm(): Promise<string> {
  const python = path.join(FOLDER, "bin/python");
  const ready = path.join(FOLDER, "ready");
  if (existsSync(ready)) return python;
  await run("python3", ["-m", "venv", FOLDER], { timeout: 120_000 });
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-input"];
  await run(python, ["-m", "pip", "install", ...quiet, `lightgbm==${VERSION}`], { timeout: 300_000 });
  await writeFile(ready, "");
  return python;
}

/** All tasks in one process of Python, one after the other. */
export async function trainLightgbm(python: string, tasks: readonly Task[]): Promise<readonly Answer[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "marquee-lightgbm-"));
  try {
    const files = new Map<Table, { readonly values: string; readonly labels: string }>();
    for (const { table, labels } of tasks) {
      if (files.has(table)) continue;
      const [values, targets] = [`${files.size}.values`, `${files.size}.labels`].map((name) => path.join(folder, name));
      if (values === undefined || targets === undefined) continue;
      await writeFile(values, table.values);
      await writeFile(targets, labels);
      files.set(table, { values, labels: targets });
    }
    const said = tasks.map(({ table, train, test, trees }) => ({
      ...{ ...files.get(table), columns: table.columns, trees },
      ...{ train: Array.from(train), test: Array.from(test) },
    }));
    const child = spawn(python, [path.join(import.meta.dirname, "train.py")], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, OMP_NUM_THREADS: "1" },
    });
    child.stdin.end(JSON.stringify(said));
    return Answers.parse(await json(child.stdout));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
