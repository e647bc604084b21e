import type { Engine } from "./engine.ts";
import { kafka } from "./kafka.ts";

/** Every engine that can be run on this machine; docs/engines.md describes them. */
export const engines: readonly Engine[] = [kafka];
