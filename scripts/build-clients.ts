/**
 * Builds clients by Vite, once for each state of their sources: what browsers load (client) and, of the web, what renders the
 * first view on the server (server; Node does not run .tsx as it is). The result lies under .cache/NAME/<hash>/, so a
 * start with unchanged sources costs a few milliseconds, and Vite is not even loaded.
 */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { REPOSITORY, repositoryFiles } from "./files.ts";

const BUILD_TIMEOUT_MS = 5 * 60_000;
/** The renderer of pages, and what is shown where none can be made. */
const SSR_ENTRIES = ["src/entry-server.tsx", "src/entry-refusal.ts"];
/** Builds of other branches stay for a while; a start that goes back and forth between two should not build twice. */
const BUILDS_KEPT = 4;

/** Each client with the folders that its bundle is made of, and what it is called. */
const CLIENTS = {
  web: { folders: ["web", "player", "ui"], what: "the web client" },
  console: { folders: ["console", "ui"], what: "the operators' console" },
} as const;
type ClientName = keyof typeof CLIENTS;

export interface ClientBuild {
  readonly hash: string;
  /** The folder that browsers are served from; Vite's manifest is in .vite/manifest.json. */
  readonly client: string;
  /** The folder of the SSR bundle. */
  readonly server: string;
}

export interface BuildOptions {
  /** The tree whose client is built. */
  readonly root?: string;
  /** Builds also when there is a build already. */
  readonly force?: boolean;
  /** Receives progress lines. */
  readonly say?: (line: string) => void;
}

/** What viewers see: pages and their renderer. */
export const buildClients = (options: BuildOptions = {}): Promise<ClientBuild> => build("web", options);
/** What operators see; it has no renderer. */
export const buildConsole = (options: BuildOptions = {}): Promise<Pick<ClientBuild, "hash" | "client">> =>
  build("console", options);

/**
 * Returns the build of the present sources, and makes it first if need be. The building is done by a child process: Vite
 * needs a lot of memory, sets NODE_ENV and keeps the event loop busy, and none of that belongs into a running product.
 * @throws Error with Vite's own words, when the sources do not build; nothing is left in the cache then
 */
async function build(
  name: ClientName,
  { root = REPOSITORY, force = false, say = (line: string): void => console.error(line) }: BuildOptions,
): Promise<ClientBuild> {
  const cache = path.join(root, ".cache", name);
  const hash = hashOfSources(root, CLIENTS[name].folders);
  const target = path.join(cache, hash);
  const made = { hash, client: path.join(target, "client"), server: path.join(target, "server") };
  if (!force && existsSync(target)) return made;

  const startedMs = performance.now();
  const { what } = CLIENTS[name];
  say(`building ${what} …`);
  // Written beside and moved into place when whole: a build that was cut off is never mistaken for one.
  const partial = `${target}.${process.pid}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    await buildInChild(root, partial, name);
    if (force) await rm(target, { recursive: true, force: true });
    await rename(partial, target).catch((error: unknown) => {
      // Another start built the same sources at the same time and was first.
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  await forgetOldBuilds(cache, hash);
  say(`built ${what} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return made;
}

/** Everything that the bundle is made of, by content: the sources and, through the lock file, packages and tools. */
function hashOfSources(root: string, folders: readonly string[]): string {
  const hash = createHash("sha256");
  const inputs = repositoryFiles(root).filter(
    (file) => folders.some((folder) => file.startsWith(`clients/${folder}/`)) && !/\.(test\.tsx?|md)$/.test(file),
  );
  for (const file of [...inputs, "package-lock.json"]) {
    const content = readFileSync(path.join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

function buildInChild(root: string, out: string, name: ClientName): Promise<void> {
  const child = fork(import.meta.filename, [root, out, name], {
    env: { ...process.env, NODE_ENV: "production" },
    execArgv: [],
    silent: true,
    timeout: BUILD_TIMEOUT_MS,
  });
  const said: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => said.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => said.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) return resolve();
      const why = signal ? `stopped by ${signal}` : Buffer.concat(said).toString().trim();
      reject(new Error(`${CLIENTS[name].what} does not build:\n${why}`));
    });
  });
}

/** Keeps the newest builds. What a killed build left behind goes as soon as no living one can be at it. */
async function forgetOldBuilds(cache: string, current: string): Promise<void> {
  const names = (await readdir(cache)).filter((name) => name !== current);
  const dated = await Promise.all(
    names.map(async (name) => ({ name, ms: (await stat(path.join(cache, name))).mtimeMs })),
  );
  const isPartial = ({ name }: { name: string }): boolean => name.endsWith(".partial");
  const old = dated.filter((entry) => !isPartial(entry)).sort((a, b) => b.ms - a.ms);
  const abandoned = dated.filter((entry) => isPartial(entry) && entry.ms < Date.now() - BUILD_TIMEOUT_MS);
  const gone = [...old.slice(BUILDS_KEPT - 1), ...abandoned];
  await Promise.all(gone.map(({ name }) => rm(path.join(cache, name), { recursive: true, force: true })));
}

async function buildHere(root: string, out: string, name: string): Promise<void> {
  const vite = await import("vite");
  const folder = path.join(root, "clients", name);
  const common = { root: folder, configFile: path.join(folder, "vite.config.ts"), logLevel: "warn" } as const;
  await vite.build({ ...common, build: { outDir: path.join(out, "client"), emptyOutDir: true } });
  if (name !== "web") return;
  const server = { outDir: path.join(out, "server"), emptyOutDir: true, ssr: true };
  const rollupOptions = { input: SSR_ENTRIES.map((entry) => path.join(folder, entry)) };
  await vite.build({ ...common, build: { ...server, rollupOptions } });
}

if (import.meta.main) {
  const [root, out, name] = process.argv.slice(2);
  if (root !== undefined && out !== undefined && name !== undefined) {
    // The child of buildInChild: it ends with the one who asked for the build.
    process.once("disconnect", () => process.exit(1));
    await buildHere(root, out, name);
    process.exit(0);
  }
  const force = process.argv.includes("--force");
  console.log(`.cache/web/${(await buildClients({ force })).hash}`);
  console.log(`.cache/console/${(await buildConsole({ force })).hash}`);
}
