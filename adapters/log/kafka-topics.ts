import { setTimeout as sleep } from "node:timers/promises";
import { type Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from "@platformatic/kafka";
import { problem } from "#kernel/errors";
import type { TopicSpec } from "#kernel/ports/log";
import { isKafkaError, isUnknownTopic } from "./kafka-records.ts";

/** Room for one record of the largest size with what is around it, and for batches of smaller ones. */
export const BATCH_BYTES_MAX = 2 * 1024 * 1024;
const LEADERS_TIMEOUT_MS = 30_000;

/** Creates the topics that are missing, follows the declared retention of the others, and waits until each partition has a leader. */
export async function createKafkaTopics(
  admin: Admin,
  topics: readonly TopicSpec[],
  replication: number,
): Promise<void> {
  const existing = new Set(await admin.listTopics());
  await followRetention(
    admin,
    topics.filter(({ name }) => existing.has(name)),
  );
  // One request gives all of its topics the same settings.
  const groups = Map.groupBy(
    topics.filter(({ name }) => !existing.has(name)),
    ({ partitions, retentionMs }) => `${partitions}/${retentionMs}`,
  );
  for (const group of groups.values()) {
    const [{ partitions, retentionMs } = { partitions: 1, retentionMs: 1 }] = group;
    try {
      await admin.createTopics({
        topics: group.map(({ name }) => ({ topic: name })),
        partitions,
        replicas: replication,
        configs: [
          { name: "retention.ms", value: String(retentionMs) },
          { name: "max.message.bytes", value: String(BATCH_BYTES_MAX) },
          // What was acknowledged is on more than one broker, and one broker may be away.
          { name: "min.insync.replicas", value: String(Math.max(1, replication - 1)) },
        ],
      });
    } catch (error) {
      // Another process was quicker with some of them; the rest of the request was carried out.
      if (!isKafkaError(error, "TOPIC_ALREADY_EXISTS")) throw error;
    }
  }
  await untilLed(
    admin,
    topics.map(({ name }) => name),
  );
}

async function followRetention(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  if (topics.length === 0) return;
  const resourceType = ConfigResourceTypes.TOPIC;
  const described = await admin.describeConfigs({
    resources: topics.map(({ name }) => ({ resourceType, resourceName: name, configurationKeys: ["retention.ms"] })),
  });
  const known = new Map(described.map(({ resourceName, configs }) => [resourceName, configs[0]?.value]));
  const changed = topics.filter(({ name, retentionMs }) => known.get(name) !== String(retentionMs));
  if (changed.length === 0) return;
  await admin.incrementalAlterConfigs({
    resources: changed.map(({ name, retentionMs }) => ({
      resourceType,
      resourceName: name,
      configs: [
        {
          name: "retention.ms",
          configOperation: IncrementalAlterConfigOperationTypes.SET,
          value: String(retentionMs),
        },
      ],
    })),
  });
}

/** A broker answers for a new topic a moment after the controller created it. */
async function untilLed(admin: Admin, names: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + LEADERS_TIMEOUT_MS;
  for (;;) {
    const waiting = await admin.metadata({ topics: [...names], forceUpdate: true, retries: 0 }).then(
      ({ topics }) => names.filter((name) => !topics.get(name)?.partitions.every(({ leader }) => leader >= 0)),
      (error: unknown) => {
        if (isUnknownTopic(error) || isKafkaError(error, "LEADER_NOT_AVAILABLE")) return names;
        throw error;
      },
    );
    if (waiting.length === 0) return;
    if (performance.now() > deadlineMs)
      throw problem.unavailable(
        `topics of Kafka have no leader after ${LEADERS_TIMEOUT_MS / 1000} s: ${waiting.join(", ")}`,
      );
    await sleep(50);
  }
}
