import os from "node:os";

/**
 * How Node runs the product. V8's threads, which collect garbage and compile, get no more than half of the cores: with four of them on two
 * cores, as by default, whoever waits for an answer waits behind them (the heartbeats benchmark shows it).
 */
export const PRODUCT_FLAGS = [`--v8-pool-size=${Math.max(1, Math.min(4, Math.floor(os.availableParallelism() / 2)))}`];
