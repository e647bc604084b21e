/** MPEG-DASH: a static MPD written from a presentation, and sent out with a caller's query. */
export { appendQueryToMpd, prepareMpd } from "./query.ts";
export { DASH_NAME, type DashLocation, type MpdOptions, writeMpd } from "./write.ts";
