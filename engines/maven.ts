import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureProgram, runProgram } from "./programs.ts";

const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const STAMP = "artifacts.txt";

/**
 * Puts artifacts of Maven Central and everything that they need at run time into `folder`/libs. The versions are pinned by the
 * artifacts themselves and by what they name; Maven compares each file with the registry's checksum (`--strict-checksums`). What is
 * there already is kept, and a broken download leaves nothing behind.
 */
export async function installJars(options: {
  readonly folder: string;
  /** `group:artifact:version`, the one that decides about versions first. */
  readonly artifacts: readonly string[];
  readonly say: (line: string) => void;
}): Promise<string> {
  const { folder, artifacts, say } = options;
  const libs = join(folder, "libs");
  const wanted = `${artifacts.join("\n")}\n`;
  if ((await readFile(join(libs, STAMP), "utf8").catch(() => "")) === wanted) return libs;
  const maven = await ensureProgram("mvn", "maven", say);
  const work = join(folder, `download-${process.pid}`);
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    await writeFile(join(work, "pom.xml"), pomOf(artifacts));
    say(`fetching ${artifacts[0] ?? ""} and what it needs from Maven Central`);
    await runProgram(
      maven,
      ["--batch-mode", "--quiet", "--strict-checksums", COPY, "-DincludeScope=runtime", "-DoutputDirectory=libs"],
      { cwd: work },
    );
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
