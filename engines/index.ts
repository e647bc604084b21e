import { clickhouse } from "./clickhouse.ts";
import type { Engine } from "./engine.ts";
import { kafka } from "./kafka.ts";
import { redis } from "./redis.ts";
import { s3 } from "./s3.ts";
import { vault } from "./vault.ts";

/** Every engine that can be run on this machine; docs/engines.md describes them. */
export const engines: readonly Engine[] = [clickhouse, kafka, redis, s3, vault];
