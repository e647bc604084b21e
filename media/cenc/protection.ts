/**
 * How a track says that it is protected (ISO/IEC 14496-12, 8.12; ISO/IEC 23001-7, 8.2):
 *
 *   sinf{ frma(original type) schm(scheme, version) schi{ tenc } }
 *   tenc version 1: reserved(8) crypt_byte_block(4) skip_byte_block(4) isProtected(8) Per_Sample_IV_Size(8) KID(128)
 *                   [constant_IV_size(8) constant_IV] where isProtected and Per_Sample_IV_Size is 0
 */

import { FormatError } from "#media/format";
import { boxBody, ByteReader, ByteWriter, childBoxes, findBox, readBoxes, type TrackInit } from "#media/isobmff";
import { VIDEO_PATTERN } from "./cipher.ts";

const SCHEME_VERSION = 0x00010000;

export interface Protection {
  /** `cbcs`, or `cenc`, `cens` and `cbc1`, which we read but never write. */
  readonly scheme: string;
  /** 32 lower-case hexadecimal digits. */
  readonly kid: string;
  readonly cryptBlocks: number;
  readonly skipBlocks: number;
  readonly perSampleIvBytes: number;
  readonly constantIv: Uint8Array;
}

/** 16 bytes of 32 hexadecimal digits; the name goes into the error. */
export function bytesOfHex(hex: string, name: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/.test(hex)) {
    throw new FormatError("cenc", `${name} '${hex.slice(0, 64)}' is not 32 lower-case hexadecimal digits`);
  }
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

/** The sinf box of a CBCS track: 1 of 10 blocks for video, all blocks for audio, a constant initialisation vector. */
export function writeSinf(track: TrackInit, kid: string, ivHex: string): Uint8Array {
  const isVideo = track.kind === "video";
  const writer = new ByteWriter();
  writer.box("sinf", () => {
    writer.box("frma", () => writer.fourcc(track.sampleEntry));
    writer.fullBox("schm", 0, 0, () => {
      writer.fourcc("cbcs");
      writer.u32(SCHEME_VERSION);
    });
    writer.box("schi", () => {
      writer.fullBox("tenc", 1, 0, () => {
        writer.u8(0);
        writer.u8(isVideo ? (VIDEO_PATTERN.cryptBlocks << 4) | VIDEO_PATTERN.skipBlocks : 0);
        writer.u8(1);
        writer.u8(0);
        writer.bytes(bytesOfHex(kid, "KID"));
        writer.u8(16);
        writer.bytes(bytesOfHex(ivHex, "constant IV"));
      });
    });
  });
  return writer.finish();
}

/** What a track's sinf says; null for a clear track. Throws FormatError for a sinf that contradicts itself. */
export function readProtection(track: TrackInit): Protection | null {
  if (track.sinf === null) return null;
  const sinf = readBoxes(track.sinf)[0];
  const children = sinf === undefined ? [] : childBoxes(sinf);
  const schm = findBox(children, "schm");
  const schi = findBox(children, "schi");
  const tenc = schi === undefined ? undefined : findBox(childBoxes(schi), "tenc");
  if (schm === undefined || tenc === undefined) throw new FormatError("cenc", "sinf lacks 'schm' or 'tenc'");
  const scheme = new ByteReader(boxBody(schm), 4).fourcc();
  const reader = new ByteReader(boxBody(tenc));
  const version = reader.u8();
  reader.skip(4);
  const pattern = reader.u8();
  const isProtected = reader.u8();
  const perSampleIvBytes = reader.u8();
  const kid = Buffer.from(reader.take(16)).toString("hex");
  const constantIv = isProtected === 1 && perSampleIvBytes === 0 ? reader.take(reader.u8()) : new Uint8Array();
  if (isProtected === 1 && ![0, 8, 16].includes(perSampleIvBytes)) {
    throw new FormatError("cenc", `Per_Sample_IV_Size ${perSampleIvBytes} is not 0, 8 or 16`);
  }
  return {
    scheme,
    kid,
    cryptBlocks: version === 0 ? 0 : pattern >> 4,
    skipBlocks: version === 0 ? 0 : pattern & 15,
    perSampleIvBytes,
    constantIv,
  };
}
