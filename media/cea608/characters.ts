/** The character sets of CEA-608-E, section 6.4.2 and annex D. */

/** Standard characters that differ from ASCII. */
const STANDARD: Readonly<Record<number, string>> = {
  0x27: "\u2019",
  0x2a: "á",
  0x5c: "é",
  0x5e: "í",
  0x5f: "ó",
  0x60: "ú",
  0x7b: "ç",
  0x7c: "÷",
  0x7d: "Ñ",
  0x7e: "ñ",
  0x7f: "█",
};

/** 11 30 … 11 3F; the tenth is the transparent space. */
export const SPECIAL = [..."®°½¿™¢£♪à\u00a0èâêîôû"];
/** 12 20 … 12 3F: Spanish, French and miscellaneous. */
export const EXTENDED_1 = [..."ÁÉÓÚÜü‘¡*'—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»"];
/** 13 20 … 13 3F: Portuguese, German and Danish. */
export const EXTENDED_2 = [..."ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘"];

export const standardCharacter = (code: number): string => STANDARD[code] ?? String.fromCharCode(code);
