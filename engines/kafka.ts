import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Admin } from "@platformatic/kafka";
import type { Engine, EnginePlace } from "./engine.ts";
import { installJars } from "./maven.ts";
import { ensureProgram, JAVA_PACKAGE, runProgram } from "./programs.ts";

const KAFKA_VERSION = "4.4.0";
const LOG4J_VERSION = "2.25.5";
const ARTIFACTS = [
  `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
  // Kafka logs through SLF4J 1.7 and leaves the binding to the distribution.
  `org.apache.logging.log4j:log4j-slf4j-impl:${LOG4J_VERSION}`,
];
/** Any 16 bytes in base64url; a cluster of one machine has no neighbours to be confused with. */
const CLUSTER_ID = "bWFycXVlZS1lbmdpbmVzIQ";

const settingsFile = (at: EnginePlace): string => join(at.data, "server.properties");
const dataFolder = (at: EnginePlace): string => join(at.data, "kafka");

/**
 * Apache Kafka in KRaft mode: broker and controller in one process, loopback only. It is for one machine: one replica of
 * everything, a small heap, and no waiting for further members when a consumer group is new.
 */
const settings = (at: EnginePlace): string => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${at.port + 1}
listeners=PLAINTEXT://127.0.0.1:${at.port},CONTROLLER://127.0.0.1:${at.port + 1}
advertised.listeners=PLAINTEXT://127.0.0.1:${at.port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=${dataFolder(at)}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.segment.bytes=67108864
log.cleaner.dedupe.buffer.size=16777216
`;

const LOGGING = `rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} %m%n
logger.server.name=kafka.server
logger.server.level=info
logger.version.name=org.apache.kafka.common.utils
logger.version.level=info
`;

export const kafka: Engine = {
  name: "kafka",
  what: "the event log (kernel/ports/log.ts)",
  licence: "Apache-2.0",
  async install(at) {
    await ensureProgram("java", JAVA_PACKAGE, at.say);
    await installJars({ folder: at.programs, artifacts: ARTIFACTS, say: at.say });
  },
  async command(at) {
    const java = await ensureProgram("java", JAVA_PACKAGE, at.say);
    const classpath = join(at.programs, "libs", "*");
    const logging = join(at.data, "log4j2.properties");
    await mkdir(at.data, { recursive: true });
    await writeFile(settingsFile(at), settings(at));
    await writeFile(logging, LOGGING);
    const isFormatted = await readFile(join(dataFolder(at), "meta.properties"), "utf8").then(
      () => true,
      () => false,
    );
    if (!isFormatted)
      await runProgram(java, [
        ...["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", `-Dlog4j2.configurationFile=${logging}`],
        ...["-cp", classpath, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", settingsFile(at)],
      ]);
    return {
      program: java,
      args: [
        ...["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"],
        `-Dlog4j2.configurationFile=${logging}`,
        ...["-cp", classpath, "kafka.Kafka", settingsFile(at)],
      ],
    };
  },
  async health(at) {
    const admin = new Admin({
      clientId: "marquee-engines",
      bootstrapBrokers: [`127.0.0.1:${at.port}`],
      retries: 0,
      connectTimeout: 2_000,
    });
    try {
      const { brokers } = await admin.metadata({ retries: 0 });
      if (brokers.size === 0) throw new Error("the broker is not registered yet");
      // The protocol does not tell the version, but the broker writes it down when it starts.
      const log = await readFile(join(at.data, "engine.log"), "utf8").catch(() => "");
      return `Apache Kafka ${[...log.matchAll(/Kafka version: (\S+)/g)].at(-1)?.[1] ?? "of an unknown version"}`;
    } finally {
      await admin.close();
    }
  },
  environment: (at) => ({ MARQUEE_KAFKA_BROKERS: `127.0.0.1:${at.port}` }),
};
