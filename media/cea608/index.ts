/**
 * CEA-608 line 21 captions: out of the SEI messages of H.264 and HEVC (ATSC A/53 part 4), and into cues.
 *
 *   import { createCcExtractor, decodeCea608 } from "#media/cea608";
 */
export { type Cea608Captions, type Cea608Channel, type Cea608Options, type CcPacket, decodeCea608 } from "./decode.ts";
export { type CcExtractor, type CcPair, createCcExtractor, pairsOfSei } from "./sei.ts";
