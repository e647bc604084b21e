import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { problem } from "#kernel/errors";
import type { Secret, Secrets } from "#kernel/ports/secrets";
import { assertName, assertNamesMax, assertPrefix, assertValue, wrongVersion } from "./checks.ts";

/** Slashes become a character that no name contains, so that all secrets lie in one folder. */
const SLASH = "+";
const SUFFIX = ".json";
/** The version of a deleted secret is kept, because versions only grow. */
const GONE = ".gone";

/**
 * Secrets as one file each, mode 0600 in a folder of mode 0700. Writes are synced and appear whole. One process writes;
 * several may read.
 */
export async function openFileSecrets(options: { readonly folder: string }): Promise<Secrets> {
  const folder = resolve(options.folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // It may have been made by somebody with other habits.
  await chmod(folder, 0o700);
  for (const file of await readdir(folder)) if (file.endsWith(".draft")) await rm(join(folder, file), { force: true });
  const queues = new Map<string, Promise<unknown>>();
  let closed = false;

  /** One writer at a time for a name: reading the version and writing the next is one step. */
  function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (queues.get(name) ?? Promise.resolve()).then(work, work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    queues.set(name, settled);
    void settled.then(() => {
      if (queues.get(name) === settled) queues.delete(name);
    });
    return turn;
  }

  function pathOf(name: string, suffix = SUFFIX): string {
    if (closed) throw problem.unavailable("the secrets are closed");
    assertName(name);
    return join(folder, name.replaceAll("/", SLASH) + suffix);
  }

  async function read(path: string, name: string): Promise<Secret | undefined> {
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    try {
      const { version, value } = JSON.parse(text) as Secret;
      if (Number.isSafeInteger(version) && typeof value === "object" && value !== null) return { version, value };
    } catch {
      // The parser's message would quote the secret.
    }
    throw problem.internal(`the file of the secret '${name}' is damaged: restore it from a backup`);
  }

  async function write(path: string, secret: Secret): Promise<void> {
    const draft = join(folder, `${randomUUID()}.draft`);
    try {
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(JSON.stringify(secret));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      if (error instanceof Error && "code" in error && error.code === "ENOSPC") {
        throw problem.exhausted("the disk with the secrets is full: free some space, then try again", {
          reason: "disk_full",
          cause: error,
        });
      }
      throw error;
    }
    await sync();
  }

  async function sync(): Promise<void> {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  return {
    async get(name) {
      return read(pathOf(name), name);
    },
    async put(name, value, put) {
      const path = pathOf(name);
      assertValue(name, value);
      return inTurn(name, async () => {
        const known = await read(path, name);
        const expected = put?.expectedVersion;
        const current = known?.version ?? 0;
        if (expected !== undefined && expected !== current) throw wrongVersion(name, current, expected);
        const last = known ?? (await read(pathOf(name, GONE), name));
        const version = (last?.version ?? 0) + 1;
        await write(path, { version, value });
        return version;
      });
    },
    async delete(name) {
      const path = pathOf(name);
      await inTurn(name, async () => {
        const known = await read(path, name);
        if (known === undefined) return;
        await write(pathOf(name, GONE), { version: known.version, value: {} });
        await rm(path, { force: true });
        await sync();
      });
    },
    async list(prefix, namesMax) {
      if (closed) throw problem.unavailable("the secrets are closed");
      assertPrefix(prefix);
      assertNamesMax(namesMax);
      const files = await readdir(folder);
      const names = files
        .filter((file) => file.endsWith(SUFFIX))
        .map((file) => file.slice(0, -SUFFIX.length).replaceAll(SLASH, "/"));
      return names
        .filter((name) => name.startsWith(prefix))
        .sort()
        .slice(0, namesMax);
    },
    async state() {
      if (closed) return { ok: false, detail: "file secrets are closed" };
      const info = await stat(folder).catch(() => undefined);
      if (info === undefined) return { ok: false, detail: `file secrets: the folder ${folder} is gone` };
      if ((info.mode & 0o077) !== 0)
        return { ok: false, detail: `file secrets: others can read ${folder}, run chmod 700 on it` };
      return { ok: true, detail: `file secrets in ${folder}` };
    },
    async close() {
      await Promise.all(queues.values());
      closed = true;
    },
  };
}
