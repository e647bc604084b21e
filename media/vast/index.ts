/**
 * Video Ad Serving Template (IAB Tech Lab VAST 2.0 to 4.3): documents to ads, wrappers merged into them, what is to be told of
 * them and when, and documents of our own.
 */
export { type Beacon, beaconsOf, bestFile, fillMacros, mergeWrapper, type Quartile, QUARTILES } from "./merge.ts";
export {
  type Vast,
  type VastAd,
  type VastCreative,
  type VastIcon,
  type VastLinear,
  type VastMediaFile,
  type VastOffset,
  type VastTracking,
  type VastWrapper,
  VAST_ERRORS,
} from "./model.ts";
export { parseClock, parseVast, VastError } from "./read.ts";
export { formatClock, type ServedAd, writeVast } from "./write.ts";
