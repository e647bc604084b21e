import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { problem } from "#kernel";

/** A socket's address has 104 bytes on macOS and the BSDs, 108 on Linux, one of them the closing zero. */
const ADDRESS_BYTES_MAX = 100;

/** Where the running product of a data folder listens for its operator. */
export const adminSocketPath = (dataFolder: string): string =>
  usableAddress(join(resolve(dataFolder), "run", "admin.sock"));

/**
 * The same address, or a short one in the system's temporary folder where it is longer than the system allows. Windows has
 * named pipes instead. Server and client both go through this, so they always mean the same socket.
 */
export function usableAddress(socketPath: string): string {
  const digest = createHash("sha256").update(socketPath).digest("hex").slice(0, 24);
  if (process.platform === "win32")
    return socketPath.startsWith("\\\\.\\pipe\\") ? socketPath : `\\\\.\\pipe\\marquee-${digest}`;
  if (Buffer.byteLength(socketPath) <= ADDRESS_BYTES_MAX) return socketPath;
  return join(tmpdir(), `marquee-${process.getuid?.() ?? 0}`, `${digest}.sock`);
}

/**
 * Makes the socket's folder ours alone and removes the socket of a product that was killed. Whoever may enter the folder
 * may operate the product: permissions are the whole authentication, so a folder of somebody else is refused.
 */
export async function prepareSocket(socketPath: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = dirname(socketPath);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const info = await lstat(folder);
  if (!info.isDirectory() || info.uid !== process.getuid?.()) {
    throw problem.precondition(`'${folder}' belongs to somebody else: remove it, or choose another MARQUEE_DATA`);
  }
  await chmod(folder, 0o700);
  if (await isAnswering(socketPath)) {
    throw problem.precondition(
      `another Marquee already runs here (it answers at '${socketPath}'): stop it, or choose another MARQUEE_DATA and MARQUEE_PORT`,
      { reason: "already_running" },
    );
  }
  await unlink(socketPath).catch((error: unknown) => {
    if (!isCode(error, "ENOENT")) throw error;
  });
}

/** Whether somebody listens. A socket file whose process is gone refuses the connection. */
export function isAnswering(socketPath: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(socketPath);
    const finish = (answer: boolean): void => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(2_000, () => finish(true));
    socket.once("connect", () => finish(true));
    socket.once("error", (error) => finish(isCode(error, "EACCES") || isCode(error, "EAGAIN")));
  });
}

export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;
