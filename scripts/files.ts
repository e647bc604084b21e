import { spawnSync } from "node:child_process";
import { existsSync, globSync, lstatSync } from "node:fs";
import path from "node:path";

/** The root of this clone. */
export const REPOSITORY = path.resolve(import.meta.dirname, "..");

/** Where promtool is unpacked, where it is not on PATH. */
export const PROMTOOL_FOLDER = path.join(REPOSITORY, ".cache/engines/promtool");

const LISTING_BYTES_MAX = 64 * 1024 * 1024;
const NOT_OURS = new Set(["node_modules", ".git", ".cache", ".marquee", "dist"]);

/**
 * The files of the repository, from its root, with `/`, sorted: what git tracks or would track. In a tree without git
 * (an unpacked archive) everything but what tools leave behind.
 */
export function repositoryFiles(root: string): string[] {
  const git = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: LISTING_BYTES_MAX,
  });
  const listed = git.status === 0 ? git.stdout.split("\0").filter(Boolean) : walk(root);
  // git also lists what is deleted but not yet committed, and links, which are checked where they point.
  const isFile = (file: string): boolean =>
    existsSync(path.join(root, file)) && lstatSync(path.join(root, file)).isFile();
  return [...new Set(listed)].filter(isFile).sort();
}

function walk(root: string): string[] {
  const entries = globSync("**/*", { cwd: root, exclude: (name) => NOT_OURS.has(path.basename(name)) });
  return entries.map((file) => file.replaceAll(path.sep, "/"));
}
