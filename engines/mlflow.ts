import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "#kernel/errors";
import type { Engine, EnginePlace } from "./engine.ts";
import { ensureProgram, runProgram } from "./programs.ts";

const VERSION = "3.17.2";

const folderOf = ({ programs }: EnginePlace): string => join(programs, `mlflow-${VERSION}`);
const pythonOf = (at: EnginePlace): string => join(folderOf(at), "bin/python");
const urlOf = ({ port, host = "127.0.0.1" }: EnginePlace): string => `http://${host}:${port}`;

/** MLflow from PyPI, in a virtual environment of its own: it is a program for tests and trials, and no part of the product. */
export const mlflow: Engine = {
  name: "mlflow",
  what: `experiment tracking: MLflow ${VERSION} (kernel/ports/tracking.ts)`,
  licence: "Apache-2.0",
  async install(at) {
    const done = join(folderOf(at), "done");
    const isHere = await access(done).then(
      () => true,
      () => false,
    );
    if (isHere) return;
    const python = await ensureProgram("python3", "python3-venv", at.say);
    // An environment names its own folder, so it cannot be made elsewhere and moved: the folder `done` says that it is whole.
    await rm(folderOf(at), { recursive: true, force: true });
    await mkdir(folderOf(at), { recursive: true });
    at.say(`fetching MLflow ${VERSION} by pip (850 MB installed), once`);
    await runProgram(python, ["-m", "venv", folderOf(at)]);
    const quietly = ["--quiet", "--disable-pip-version-check"];
    await runProgram(pythonOf(at), ["-m", "pip", "install", ...quietly, `mlflow==${VERSION}`]);
    await mkdir(`${done}.draft`);
    await rename(`${done}.draft`, done);
  },
  async command(at) {
    const store = `sqlite:///${join(at.data, "mlflow.db")}`;
    return {
      program: pythonOf(at),
      args: [
        ...["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", String(at.port), "--workers", "1"],
        ...["--backend-store-uri", store, "--artifacts-destination", join(at.data, "artifacts")],
      ],
      env: { MLFLOW_DISABLE_TELEMETRY: "true", DO_NOT_TRACK: "true" },
    };
  },
  async health(at) {
    const response = await fetch(`${urlOf(at)}/version`);
    if (!response.ok) throw problem.unavailable(`MLflow answers ${response.status}`);
    return `MLflow ${(await response.text()).slice(0, 40)}`;
  },
  environment: (at) => ({ MARQUEE_MLFLOW_URL: urlOf(at) }),
};
