import { clickhouse } from "./clickhouse.ts";
import { type Engine, PORTS_PER_ENGINE } from "./engine.ts";
import { kafka } from "./kafka.ts";
import { mlflow } from "./mlflow.ts";
import { opensearch } from "./opensearch.ts";
import { otelcol } from "./otelcol.ts";
import { redis } from "./redis.ts";
import { registry } from "./registry.ts";
import { s3 } from "./s3.ts";
import { unleash } from "./unleash.ts";
import { vault } from "./vault.ts";

/** Every engine that can be run on this machine; docs/engines.md describes them. A new one stands last, so that ports stay. */
export const engines: readonly Engine[] = [
  ...[kafka, redis, s3, vault, clickhouse, registry, otelcol],
  ...[unleash, opensearch, mlflow],
];

export const FIRST_PORT_DEFAULT = 9192;

/** The first of an engine's ports under `npm run engines`. */
export const portOf = (engine: Engine, first = FIRST_PORT_DEFAULT): number =>
  first + PORTS_PER_ENGINE * engines.indexOf(engine);
