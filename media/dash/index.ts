/** MPEG-DASH: MPDs written from films and from channels, and sent out with a caller's query. */
export {
  type LiveMpd,
  type LiveMpdEvent,
  type LiveMpdInsert,
  type LiveMpdPeriod,
  type LiveMpdTrack,
  writeLiveMpd,
} from "./live.ts";
export { appendQueryToMpd, prepareMpd } from "./query.ts";
export { DASH_NAME, type DashLocation, type MpdOptions, type MpdPeriod, writeMpd, writePeriods } from "./write.ts";
