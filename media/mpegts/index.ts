/**
 * MPEG transport streams (ISO/IEC 13818-1), read as far as splices need it: programmes, their clock, sections of SCTE 35.
 *
 *   const reader = createTsReader();
 *   for (const event of reader.push(chunk)) if (event.kind === "splice") decodeSplice(event.section);
 */
export { crc32Mpeg } from "./crc.ts";
export { createTsReader, SCTE35_STREAM_TYPE, type TsEvent, type TsReader } from "./reader.ts";
export type { TsProgramMap, TsStream } from "./tables.ts";
