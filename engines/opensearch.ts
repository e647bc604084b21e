import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { openOpenSearch } from "#adapters/search/opensearch";
import { problem } from "#kernel/errors";
import type { Engine, EnginePlace } from "./engine.ts";
import { installJars } from "./maven.ts";
import { ensureProgram } from "./programs.ts";

/** The last one that runs on Java 17. */
const VERSION = "2.19.6";
const ARTIFACTS = [
  `org.opensearch:opensearch:${VERSION}`,
  `org.opensearch:opensearch-plugin-classloader:${VERSION}`,
  `org.opensearch.plugin:transport-netty4-client:${VERSION}`,
  `org.opensearch.plugin:analysis-common:${VERSION}`,
  // Its pom calls it optional, and its main class does not begin without.
  "org.apache.logging.log4j:log4j-core:2.25.4",
];
/** What the distribution has as modules: their main class, and which jars are theirs alone. */
const MODULES: readonly { readonly name: string; readonly main: string; readonly jars: RegExp }[] = [
  { name: "transport-netty4", main: "org.opensearch.transport.Netty4Plugin", jars: /^(netty-|transport-netty4-)/ },
  {
    name: "analysis-common",
    main: "org.opensearch.analysis.common.CommonAnalysisPlugin",
    jars: /^analysis-common-/,
  },
];
const JVM = [
  ...["-Xms256m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.security.manager=allow"],
  // Without its native parts, which lock memory and refuse to run as root: this one is for one machine and its loopback.
  ...["-Djna.nounpack=true", "-Djna.nosys=true", "-Dlog4j2.disable.jmx=true", "-Dopensearch.distribution.type=tar"],
];

const homeOf = ({ data }: EnginePlace): string => join(data, "home");
const urlOf = ({ port }: EnginePlace): string => `http://127.0.0.1:${port}`;

const descriptorOf = (name: string, main: string): string => `name=${name}
description=${name}
version=${VERSION}
classname=${main}
java.version=11
opensearch.version=${VERSION}
extended.plugins=
has.native.controller=false
`;

/** The distribution's own policy files are not among the jars: sockets are all that is needed. */
const POLICY = `grant {
  permission java.net.SocketPermission "*", "accept,connect,resolve,listen";
  permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read";
};
`;

const settings = (at: EnginePlace): string => `cluster.name: marquee
node.name: one
discovery.type: single-node
network.host: 127.0.0.1
http.port: ${at.port}
transport.port: ${at.port + 1}
path.data: ${join(at.data, "indexes")}
path.logs: ${join(at.data, "logs")}
cluster.routing.allocation.disk.threshold_enabled: false
`;

const LOGGING = `rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} %m%n
`;

/** Lays out what its distribution has as folders, from the jars; returns those that are for everybody. */
async function layOut(at: EnginePlace, libs: string): Promise<readonly string[]> {
  const home = homeOf(at);
  const jars = (await readdir(libs)).filter((name) => name.endsWith(".jar"));
  await rm(join(home, "modules"), { recursive: true, force: true });
  for (const folder of ["config", "lib", "plugins"]) await mkdir(join(home, folder), { recursive: true });
  for (const { name, main, jars: own } of MODULES) {
    const folder = join(home, "modules", name);
    await mkdir(folder, { recursive: true });
    for (const jar of jars.filter((each) => own.test(each))) await copyFile(join(libs, jar), join(folder, jar));
    await writeFile(join(folder, "plugin-descriptor.properties"), descriptorOf(name, main));
    await writeFile(join(folder, "plugin-security.policy"), POLICY);
  }
  await writeFile(join(home, "config/opensearch.yml"), settings(at));
  await writeFile(join(home, "config/log4j2.properties"), LOGGING);
  return jars.filter((jar) => !MODULES.some(({ jars: own }) => own.test(jar))).map((jar) => join(libs, jar));
}

/** OpenSearch, put together from its jars: its distribution is in no registry of packages, but everything that is in it is. */
export const opensearch: Engine = {
  name: "opensearch",
  what: `search: OpenSearch ${VERSION} (kernel/ports/search.ts)`,
  licence: "Apache-2.0",
  async install(at) {
    await ensureProgram("java", "openjdk-17-jre-headless", at.say);
    await installJars({ folder: at.programs, artifacts: ARTIFACTS, say: at.say });
  },
  async command(at) {
    const java = await ensureProgram("java", "openjdk-17-jre-headless", at.say);
    const classpath = await layOut(at, join(at.programs, "libs"));
    const paths = [`-Dopensearch.path.home=${homeOf(at)}`, `-Dopensearch.path.conf=${join(homeOf(at), "config")}`];
    const main = ["-cp", classpath.join(delimiter), "org.opensearch.bootstrap.OpenSearch"];
    return { program: java, args: [...JVM, ...paths, ...main], cwd: homeOf(at) };
  },
  async health(at) {
    const search = await openOpenSearch({ url: urlOf(at) });
    const { ok, detail } = await search.state();
    if (!ok) throw problem.unavailable(detail);
    return `OpenSearch ${VERSION}`;
  },
  environment: (at) => ({ MARQUEE_SEARCH_URL: urlOf(at) }),
};
