export { type Audit, audited } from "./audit.ts";
export { systemClock, type Clock } from "./clock.ts";
export { type Config, isLoopback } from "./config.ts";
export {
  assertOwnProfile,
  ownerOf,
  assertTenant,
  type Context,
  requireProfile,
  requireUser,
  systemContext,
  type Viewer,
} from "./context.ts";
export {
  type Client,
  type Clients,
  type Contract,
  defineContract,
  event,
  type Handlers,
  type PayloadOf,
} from "./contract.ts";
export { type Db, isUniqueViolation, type Tx } from "./db.ts";
export { Problem, problem, PROBLEM_CODES, type ProblemCode, toProblem } from "./errors.ts";
export type { Received } from "./events.ts";
export { once } from "./idempotency.ts";
export { newId } from "./ids.ts";
export { follow, type ModelTx } from "./read-models.ts";
export {
  type Addresses,
  defineService,
  type HttpMount,
  on,
  type Periodic,
  type Platform,
  type Service,
  type Uses,
} from "./service.ts";
export type { Sink, SinkBatch, SunkEvent } from "./sink.ts";
export type { Metrics } from "./metrics.ts";
export type { Logger } from "./telemetry.ts";
