/** CRC-32/MPEG-2 (ISO/IEC 13818-1, annex A): polynomial 0x04C11DB7, begun with all ones, neither reflected nor inverted. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c1_1db7 : 0);
  return crc;
});

/** The checksum of bytes; of a section that ends with its own checksum it is 0. */
export function crc32Mpeg(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc << 8) ^ (TABLE[(crc >>> 24) ^ byte] ?? 0);
  return crc >>> 0;
}
