/**
 * `node scripts/lock.ts`: completes package-lock.json. A registry that holds only this platform's binaries makes npm leave the
 * others out of the lock file, and then `npm ci` refuses it, everywhere ("Missing: … from lock file"). What is left
 * out is known, however: its version from the package that wants it, its platform from its name.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

const Entry = z.looseObject({
  dev: z.boolean().optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
});
const Lock = z.looseObject({ packages: z.record(z.string(), Entry) });
type Lock = z.infer<typeof Lock>;

export interface Missing {
  readonly name: string;
  readonly version: string;
  readonly wantedBy: string;
}

/** Optional dependencies of an exact version that have no entry where Node would look for them. */
export function missingFromLock(text: string): Missing[] {
  const { packages } = Lock.parse(JSON.parse(text));
  return Object.entries(packages).flatMap(([wantedBy, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name, version]) => /^\d+\.\d+\.\d+/.test(version) && !isReachable(packages, wantedBy, name))
      .map(([name, version]) => ({ name, version, wantedBy })),
  );
}

/** From the folder of a package outwards, as Node resolves. */
function isReachable(packages: Lock["packages"], from: string, name: string): boolean {
  for (let base = from; ; base = base.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, "")) {
    if (packages[`${base === "" ? "" : `${base}/`}node_modules/${name}`]) return true;
    if (base === "") return false;
  }
}

/** The lock file with what was missing, its entries in npm's order. */
export function completeLock(text: string): string {
  // Not the parsed value, which has another order of members: npm's own order keeps the diff small.
  const lock: Lock = JSON.parse(text);
  const added = missingFromLock(text).map(({ name, version, wantedBy }): [string, z.infer<typeof Entry>] => [
    `node_modules/${name}`,
    { version, ...(lock.packages[wantedBy]?.dev ? { dev: true } : {}), optional: true, ...platformOf(name) },
  ]);
  const packages = [...Object.entries(lock.packages), ...added].sort(([a], [b]) => a.localeCompare(b, "en"));
  return `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`;
}

const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const PROCESSORS: Readonly<Record<string, string>> = {
  arm64: "arm64",
  x64: "x64",
  ia32: "ia32",
  arm: "arm",
  armv7: "arm",
  ppc64: "ppc64",
  riscv64: "riscv64",
  s390x: "s390x",
  wasm32: "wasm32",
};

/** npm skips an optional package whose platform is another, so it is never fetched in vain. */
function platformOf(name: string): { os?: string[]; cpu?: string[]; libc?: string[] } {
  const words = name.split(/[/-]/);
  const system = words.find((word) => SYSTEMS.includes(word));
  const processor = words.map((word) => PROCESSORS[word]).find(Boolean);
  const libc = words.some((word) => word.startsWith("musl"))
    ? "musl"
    : words.some((word) => word.startsWith("gnu"))
      ? "glibc"
      : undefined;
  return {
    ...(system ? { os: [system] } : {}),
    ...(processor ? { cpu: [processor] } : {}),
    ...(libc ? { libc: [libc] } : {}),
  };
}

if (import.meta.main) {
  const file = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, "../package-lock.json"));
  const text = readFileSync(file, "utf8");
  const missing = missingFromLock(text);
  writeFileSync(`${file}.new`, missing.length === 0 ? text : completeLock(text));
  renameSync(`${file}.new`, file);
  console.log(missing.length === 0 ? "the lock file is whole" : `added ${missing.length} packages of other platforms`);
}
