import type { Engine } from "./engine.ts";
import { redis } from "./redis.ts";
import { s3 } from "./s3.ts";
import { vault } from "./vault.ts";

/** Every engine that can be run on this machine. */
export const engines: readonly Engine[] = [redis, s3, vault];
