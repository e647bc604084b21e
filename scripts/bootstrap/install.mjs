import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Stop, runQuietly, say } from "./progress.mjs";

const INSTALL_TIMEOUT_MS = 20 * 60_000;
const LOCK_POLL_MS = 500;

/** @param {string} root */
export function pinnedNode(root) {
  return path.join(root, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");
}

/** @param {string} root */
const stampFile = (root) => path.join(root, "node_modules/.marquee-lock");

/**
 * What node_modules must have been made from. The platform is part of it, because a folder that is shared between a
 * Mac and a container holds binaries for one of them only.
 * @param {string} root
 */
export function wantedStamp(root) {
  const lock = readFileSync(path.join(root, "package-lock.json"));
  return `${createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}\n`;
}

/** @param {string} file */
function readOrEmpty(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** @param {string} root */
export function isInstalled(root) {
  return readOrEmpty(stampFile(root)) === wantedStamp(root) && existsSync(pinnedNode(root));
}

/**
 * True when somebody ran `npm ci` or `npm install` without us and the result is what the lock file asks for. npm notes
 * what it put into node_modules in node_modules/.package-lock.json; packages for other platforms are not in it.
 * @param {string} root
 */
export function installedByHand(root) {
  try {
    const wanted = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
    const present = JSON.parse(readFileSync(path.join(root, "node_modules/.package-lock.json"), "utf8")).packages;
    for (const [name, entry] of Object.entries(wanted)) {
      if (name === "") continue;
      const got = present[name];
      if (got ? got.integrity !== entry.integrity : !entry.optional && !entry.peer && !entry.devOptional) return false;
    }
  } catch {
    return false;
  }
  return spawnSync(pinnedNode(root), ["--version"], { timeout: 10_000 }).status === 0;
}

/**
 * Installs when node_modules is missing or was made from another lock file. Two commands started at once install once.
 * @param {string} root
 */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return;
  const release = await takeLock(path.join(root, ".cache/bootstrap.lock"));
  try {
    if (isInstalled(root)) return;
    if (installedByHand(root)) {
      writeFileSync(stampFile(root), wantedStamp(root));
      return;
    }
    await install(root);
  } finally {
    release();
  }
}

/** @param {string} root */
async function install(root) {
  say(
    existsSync(path.join(root, "node_modules"))
      ? "package-lock.json has changed: npm ci"
      : "first start: npm ci (a few minutes)",
  );
  const startedMs = Date.now();
  const { ok, tail } = await runQuietly("npm ci", ...npmCommand(), {
    cwd: root,
    env: environmentForNpm(root),
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  if (!ok) throw new Stop(`npm ci failed:\n${theError(tail)}`, remedyFor(tail));
  if (spawnSync(pinnedNode(root), ["--version"], { timeout: 10_000 }).status !== 0)
    throw new Stop(
      "npm ci ended well, but the pinned Node is not in node_modules/node/bin",
      "Install scripts may be switched off: run `npm config set ignore-scripts false`, delete node_modules and try again.",
    );
  writeFileSync(stampFile(root), wantedStamp(root));
  say(`installed in ${Math.round((Date.now() - startedMs) / 1000)} s`);
}

/** npm tells its children where it is; without that it is looked for on PATH. @returns {[string, string[]]} */
function npmCommand() {
  const args = ["ci", "--no-audit", "--no-fund"];
  if (process.platform !== "win32") return ["npm", args];
  return ["cmd.exe", ["/d", "/s", "/c", "npm", ...args]];
}

/**
 * `npm ci` begins by deleting node_modules. A Node that lives there must not be the one that runs npm, so what npm and
 * an earlier hand-over put on PATH is taken off again. Install scripts find the pinned Node through node_modules/.bin.
 * Colour codes and the variables of an outer `npm run` would only confuse the inner npm.
 * @param {string} root
 */
function environmentForNpm(root) {
  const own = path.join(root, "node_modules");
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(lifecycle|package|execpath|node_execpath|command)/i.test(name),
    ),
  );
  const name = Object.keys(env).find((key) => key.toUpperCase() === "PATH") ?? "PATH";
  const kept = (env[name] ?? "").split(path.delimiter).filter((folder) => !path.resolve(folder).startsWith(own));
  return { ...env, [name]: kept.join(path.delimiter), NODE_ENV: "development", NO_COLOR: "1" };
}

/** npm says what is wrong first, and then at length how it is to be used. @param {string} tail */
function theError(tail) {
  const lines = tail.split("\n");
  const errors = lines.filter((line) => /^npm (error|ERR!) +\S/.test(line)).slice(0, 8);
  return (errors.length > 0 ? errors : lines.slice(-15)).map((line) => `  ${line}`).join("\n");
}

/** @param {string} tail what npm said */
export function remedyFor(tail) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/.test(tail))
    return "npm could not reach its package registry. The first start needs it once: go online (or set `npm config set registry` and `proxy` to what your network offers) and run the same command again; later starts work offline.";
  if (/ENOSPC/.test(tail)) return "The disk is full: about 2 GB are needed. Make room and run the same command again.";
  if (/EACCES|EPERM/.test(tail))
    return "This user may not write here. Give the folder to the user who runs Marquee and try again.";
  if (/EUSAGE|can only install packages when your package\.json/.test(tail))
    return "package.json and package-lock.json disagree: run `npm install`, then `node_modules/.bin/node scripts/lock.ts`, and commit the lock file.";
  if (/spawn npm ENOENT/.test(tail))
    return "npm is not on PATH. It comes with Node: install Node 20 or later and try again.";
  return "Run the same command again; if it fails the same way, delete node_modules first.";
}

/**
 * An exclusive lock that names its holder, so that the lock of a killed process does not last.
 * @param {string} file
 * @returns {Promise<() => void>} releases the lock
 */
export async function takeLock(file, { timeoutMs = INSTALL_TIMEOUT_MS, pollMs = LOCK_POLL_MS } = {}) {
  mkdirSync(path.dirname(file), { recursive: true });
  const deadlineMs = Date.now() + timeoutMs;
  for (let told = false; ; ) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST")
        throw new Stop(`cannot write ${file}: ${error.message}`, "Make the folder writable for this user.");
    }
    const holder = Number(readOrEmpty(file));
    if (holder > 0 && !isAlive(holder)) {
      clearStale(file, holder);
      continue;
    }
    if (Date.now() > deadlineMs)
      throw new Stop(`process ${holder} has held ${file} for too long`, "End it, or delete the file, and try again.");
    if (!told) say(`waiting for another command (process ${holder}) that is installing`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Moves the dead holder's lock aside; when a rival was quicker and the lock is now a living one's, it is put back. */
function clearStale(file, holder) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (readFileSync(aside, "utf8") !== String(holder)) renameSync(aside, file);
  } catch {
    // Somebody else moved it first, which is as good.
  }
  rmSync(aside, { force: true });
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
