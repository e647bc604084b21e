import { join } from "node:path";
import { z } from "zod";
import { problem } from "#kernel/errors";
import type { Engine, EnginePlace } from "./engine.ts";
import { installArchive } from "./maven.ts";
import { ensureProgram, JAVA_PACKAGE } from "./programs.ts";

/** The last one that Maven Central has as a whole program and that runs on Java 17. */
const VERSION = "3.0.9";
const ARTIFACT = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;

const rootOf = ({ port }: EnginePlace): string => `http://127.0.0.1:${port}/apis`;
const Info = z.object({ version: z.string() });

/** Apicurio Registry, which also speaks Confluent's API. It keeps its schemas in a file, by the database that it carries. */
export const registry: Engine = {
  name: "registry",
  what: `schemas of events: Apicurio Registry ${VERSION} by Confluent's API`,
  licence: "Apache-2.0",
  async install(at) {
    await ensureProgram("java", JAVA_PACKAGE, at.say);
    await installArchive({ folder: at.programs, artifact: ARTIFACT, say: at.say });
  },
  async command(at) {
    return {
      program: await ensureProgram("java", JAVA_PACKAGE, at.say),
      args: [
        ...["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError"],
        ...["-Dquarkus.http.host=127.0.0.1", `-Dquarkus.http.port=${at.port}`, "-Dquarkus.log.level=WARN"],
        `-Dapicurio.datasource.url=jdbc:h2:file:${join(at.data, "registry")}`,
        ...["-jar", join(at.programs, "libs", `apicurio-registry-app-${VERSION}-runner.jar`)],
      ],
    };
  },
  async health(at) {
    const answer = await fetch(`${rootOf(at)}/registry/v3/system/info`);
    if (!answer.ok) throw problem.unavailable(`the registry answered ${answer.status}`);
    return `Apicurio Registry ${Info.parse(await answer.json()).version}`;
  },
  environment: (at) => ({ MARQUEE_SCHEMA_REGISTRY_URL: `${rootOf(at)}/ccompat/v7` }),
};
