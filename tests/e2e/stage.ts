/** What all scenarios share: the product, the film they watch, and the folder of their pictures. */
import type { Film, RunningProduct } from "./product.ts";

export interface Stage {
  readonly product: RunningProduct;
  /** The demo film that is there first. */
  readonly film: Film;
  /** Screenshots go here. */
  readonly shots: string;
}

/** A scenario declares its tests at once; the stage is there when they run. */
export type Scenario = (stage: () => Stage) => void;
