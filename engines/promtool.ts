import { access, constants, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "#kernel/errors";
import { findProgram, runProgram } from "./programs.ts";

/**
 * promtool, which checks and tests the rules of Prometheus. It is in Debian's package prometheus (Apache-2.0), which would also start a server:
 * so the package is fetched and unpacked, and not installed.
 */
const programIn = (folder: string): string => join(folder, "usr/bin/promtool");

/** Where promtool is: on PATH, or in the folder that `ensurePromtool` has filled; undefined where it is not. */
export async function findPromtool(folder: string): Promise<string | undefined> {
  const onPath = await findProgram("promtool");
  if (onPath !== undefined) return onPath;
  const isThere = await access(programIn(folder), constants.X_OK).then(
    () => true,
    () => false,
  );
  return isThere ? programIn(folder) : undefined;
}

/** Finds promtool, or fetches it where there is apt, or says what to type. */
export async function ensurePromtool(folder: string, say: (line: string) => void): Promise<string> {
  const here = await findPromtool(folder);
  if (here !== undefined) return here;
  const [apt, dpkg] = await Promise.all([findProgram("apt-get"), findProgram("dpkg-deb")]);
  if (apt === undefined || dpkg === undefined)
    throw problem.precondition("'promtool' is not on PATH: install Prometheus (prometheus.io/download) and try again");
  say("'promtool' is missing: fetching Debian's package prometheus");
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await runProgram(apt, ["download", "prometheus"], { cwd: draft });
  const [archive] = (await readdir(draft)).filter((name) => name.endsWith(".deb"));
  if (archive === undefined) throw problem.unavailable("apt-get download prometheus left no package");
  await runProgram(dpkg, ["--extract", join(draft, archive), draft]);
  // The server beside it is large, and nobody needs it here.
  await Promise.all(
    [archive, "usr/bin/prometheus", "usr/share", "etc"].map((name) =>
      rm(join(draft, name), { recursive: true, force: true }),
    ),
  );
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
  return programIn(folder);
}
