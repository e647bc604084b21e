import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A folder of a test's own below the system's temporary one. Others may pass through it, or PostgreSQL, which does not run as root, would keep its data
 * elsewhere, where no test clears them away.
 */
export async function makeTestFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `marquee-${name}-`));
  await chmod(folder, 0o711);
  return folder;
}
