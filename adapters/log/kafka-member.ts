import { setTimeout as sleep } from "node:timers/promises";
import { Consumer as KafkaConsumer } from "@platformatic/kafka";
import type { ClientOptions } from "./kafka-reader.ts";

/** How long a member that died keeps its partitions; the broker's default allows no less than six seconds. */
const SESSION_TIMEOUT_MS = 10_000;
const REBALANCE_TIMEOUT_MS = 60_000;
/** How soon a member hears of another one that joins or leaves. */
const HEARTBEAT_MS = 1_000;
const LEAVE_TIMEOUT_MS = 5_000;

/** Membership in a consumer group: who has which partitions. Fetching is somebody else's, so that a long fetch delays no heartbeat. */
export interface Member {
  /** Tells the group's position to tools that watch the lag. It decides nothing. */
  report(positions: ReadonlyMap<number, number>): Promise<void>;
  leave(): Promise<void>;
}

export function joinGroup(
  client: ClientOptions,
  options: {
    readonly group: string;
    readonly topic: string;
    /** Somebody joins or leaves: let the batch under way finish, begin no other one. The group waits for it. */
    readonly onRevoke: () => Promise<void>;
    readonly onAssign: (partitions: readonly number[]) => void;
    /** The membership is lost for good; a new one is needed. */
    readonly onLost: (error: Error) => void;
  },
): Member {
  const { group, topic, onRevoke, onAssign, onLost } = options;
  let isLeaving = false;
  const member = new KafkaConsumer({
    ...client,
    // A request to join is answered when all members have finished their batches.
    requestTimeout: REBALANCE_TIMEOUT_MS + 15_000,
    groupId: group,
    autocommit: false,
    sessionTimeout: SESSION_TIMEOUT_MS,
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    retries: 5,
    retryDelay: 200,
    // The client asks for this before each request to join, and waits for the answer: here a member lets go of its partitions.
    protocolsMetadata: async () => {
      await onRevoke();
      return Buffer.alloc(0);
    },
  });
  member.topics.track(topic);
  member.on("consumer:group:join", ({ assignments }) => {
    if (isLeaving) return;
    onAssign(assignments?.find((one) => one.topic === topic)?.partitions ?? []);
  });
  member.on("error", onLost);
  member.on("consumer:heartbeat:stalled", ({ lastError }) =>
    onLost(lastError ?? new Error(`the group ${group} does not answer heartbeats`)),
  );
  member.joinGroup({}).catch(onLost);

  return {
    async report(positions) {
      await member.commit({
        offsets: [...positions].map(([partition, offset]) => ({
          topic,
          partition,
          offset: BigInt(offset),
          leaderEpoch: -1,
        })),
      });
    },
    async leave() {
      isLeaving = true;
      // It leaves the group first. A broker that is away hears of it by the session's timeout.
      const closed = member.close(true).catch(() => undefined);
      await Promise.race([closed, sleep(LEAVE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
