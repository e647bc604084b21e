import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureProgram, runProgram } from "./programs.ts";

const PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";
/** Later ones read an archive's description first, which may name a parent that is not there. */
const GET = "org.apache.maven.plugins:maven-dependency-plugin:2.8:get";
const QUIET = ["--batch-mode", "--quiet", "--strict-checksums"];
const STAMP = "artifacts.txt";

interface Wanted {
  readonly folder: string;
  readonly say: (line: string) => void;
}

/**
 * Puts artifacts of Maven Central and everything that they need at run time into `folder`/libs. The versions are pinned by the
 * artifacts themselves and by what they name; Maven compares each file with the registry's checksum (`--strict-checksums`). What is
 * there already is kept, and a broken download leaves nothing behind.
 */
export function installJars({
  artifacts,
  ...wanted
}: Wanted & {
  /** `group:artifact:version`, the one that decides about versions first. */
  readonly artifacts: readonly string[];
}): Promise<string> {
  return install(artifacts, wanted, async (maven, work) => {
    await writeFile(join(work, "pom.xml"), pomOf(artifacts));
    await runProgram(
      maven,
      [...QUIET, `${PLUGIN}:copy-dependencies`, "-DincludeScope=runtime", "-DoutputDirectory=libs"],
      { cwd: work },
    );
  });
}

/** Unpacks an archive of Maven Central into `folder`/libs: `group:artifact:version:tar.gz:classifier`, with nothing that it names. */
export function installArchive({ artifact, ...wanted }: Wanted & { readonly artifact: string }): Promise<string> {
  return install([artifact], wanted, async (maven, work) => {
    // It leaves the file in a repository and nowhere else.
    const repository = join(work, "repository");
    await runProgram(
      maven,
      [...QUIET, GET, `-Dartifact=${artifact}`, "-Dtransitive=false", `-Dmaven.repo.local=${repository}`],
      { cwd: work },
    );
    const [group = "", name = "", version = "", type = "", classifier = ""] = artifact.split(":");
    const file = join(repository, ...group.split("."), name, version, `${name}-${version}-${classifier}.${type}`);
    await mkdir(join(work, "libs"));
    await runProgram("tar", ["-xzf", file, "-C", join(work, "libs")]);
  });
}

async function install(
  artifacts: readonly string[],
  { folder, say }: Wanted,
  fetchInto: (maven: string, work: string) => Promise<void>,
): Promise<string> {
  const libs = join(folder, "libs");
  const wanted = `${artifacts.join("\n")}\n`;
  if ((await readFile(join(libs, STAMP), "utf8").catch(() => "")) === wanted) return libs;
  const maven = await ensureProgram("mvn", "maven", say);
  const work = join(folder, `download-${process.pid}`);
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    say(`fetching ${artifacts[0] ?? ""} from Maven Central`);
    await fetchInto(maven, work);
    await writeFile(join(work, "libs", STAMP), wanted);
    await rm(libs, { recursive: true, force: true });
    await rename(join(work, "libs"), libs);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return libs;
}

function pomOf(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(":");
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>marquee</groupId><artifactId>engine</artifactId><version>1</version>
<dependencies>${dependencies.join("\n")}</dependencies></project>
`;
}
