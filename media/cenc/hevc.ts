/**
 * HEVC slice segment headers (ISO/IEC 23008-2 = ITU-T H.265, 7.3.2.2 seq_parameter_set_rbsp, 7.3.2.3
 * pic_parameter_set_rbsp, 7.3.6.1 slice_segment_header), read only as far as it takes to find where a header ends.
 * Not supported, and refused: layers above the base layer, screen content coding and 3D extensions.
 */

import { FormatError } from "#media/format";
import { ceilLog2, NalBits } from "./bits.ts";
import { isKnownParameterSet, type SliceParser } from "./slices.ts";

const NAL_SLICE_LAST = 9;
const NAL_IRAP_FIRST = 16;
const NAL_IRAP_LAST = 21;
const NAL_IRAP_RESERVED_LAST = 23;
const NAL_IDR_W_RADL = 19;
const NAL_IDR_N_LP = 20;
const NAL_VCL_LAST = 31;
const NAL_VPS = 32;
const NAL_SPS = 33;
const NAL_PPS = 34;

const SLICE_B = 0;
const SLICE_I = 2;

const REFERENCES_MAX = 16;
const SHORT_TERM_SETS_MAX = 64;
const LONG_TERM_MAX = 33;
/** general_profile_idc of the screen content coding profiles, whose headers have more fields. */
const SCC_PROFILES = new Set([9, 11]);

interface ReferencePicture {
  readonly deltaPoc: number;
  readonly isUsed: boolean;
}

interface ShortTermSet {
  /** S0 of 7.4.8: pictures before the current one, nearest first. */
  readonly negative: readonly ReferencePicture[];
  /** S1: pictures after it, nearest first. */
  readonly positive: readonly ReferencePicture[];
}

interface Sps {
  readonly separateColourPlane: boolean;
  readonly chromaArrayType: number;
  readonly picSizeInCtbs: number;
  readonly pocLsbBits: number;
  readonly sampleAdaptiveOffset: boolean;
  readonly shortTermSets: readonly ShortTermSet[];
  readonly longTermPresent: boolean;
  readonly longTermUsed: readonly boolean[];
  readonly temporalMvp: boolean;
}

interface Pps {
  readonly sps: Sps;
  readonly dependentSlices: boolean;
  readonly outputFlag: boolean;
  readonly extraSliceHeaderBits: number;
  readonly cabacInit: boolean;
  readonly references: readonly [number, number];
  readonly chromaQpOffsets: boolean;
  readonly chromaQpOffsetLists: boolean;
  readonly weightedPred: boolean;
  readonly weightedBipred: boolean;
  readonly hasEntryPoints: boolean;
  readonly loopFilterAcrossSlices: boolean;
  readonly deblockingOverride: boolean;
  readonly deblockingDisabled: boolean;
  readonly listsModification: boolean;
  readonly headerExtension: boolean;
}

/** A parser that knows the parameter sets of an hvcC record. */
export function createHevcSliceParser(parameterSets: readonly Uint8Array[]): SliceParser {
  const spsById = new Map<number, Sps>();
  const ppsById = new Map<number, Pps>();
  for (const nal of parameterSets) if (nalType(nal[0]) === NAL_SPS) parseSps(nal, spsById);
  for (const nal of parameterSets) if (nalType(nal[0]) === NAL_PPS) parsePps(nal, spsById, ppsById);
  return {
    clearHeaderBytes(bytes, start, end) {
      const type = nalType(bytes[start]);
      if (type <= NAL_VCL_LAST) {
        const layer = (((bytes[start] ?? 0) & 1) << 5) | ((bytes[start + 1] ?? 0) >> 3);
        const isSlice = type <= NAL_SLICE_LAST || (type >= NAL_IRAP_FIRST && type <= NAL_IRAP_LAST);
        if (!isSlice || layer !== 0) {
          throw new FormatError("hevc", `NAL units of type ${type} in layer ${layer} are not supported`, start);
        }
        return sliceHeaderBytes(new NalBits(bytes, start, end, start + 2), type, ppsById);
      }
      const isParameterSet = type >= NAL_VPS && type <= NAL_PPS;
      if (isParameterSet && !isKnownParameterSet(parameterSets, bytes, start, end)) {
        throw new FormatError("hevc", "a sample brings a parameter set that hvcC does not have", start);
      }
      return null;
    },
  };
}

function nalType(firstByte: number | undefined): number {
  return ((firstByte ?? 0) >> 1) & 63;
}

/** profile_tier_level (7.3.3); answers general_profile_idc. */
function readProfileTierLevel(bits: NalBits, subLayersMinus1: number): number {
  bits.skip(3);
  const profile = bits.u(5);
  bits.skip(80 + 8);
  const present: [number, number][] = [];
  for (let i = 0; i < subLayersMinus1; i++) present.push([bits.u1(), bits.u1()]);
  if (subLayersMinus1 > 0) bits.skip(2 * (8 - subLayersMinus1));
  for (const [hasProfile, hasLevel] of present) bits.skip(hasProfile * 88 + hasLevel * 8);
  return profile;
}

function parseSps(nal: Uint8Array, into: Map<number, Sps>): void {
  const bits = new NalBits(nal, 0, nal.length, 2);
  bits.skip(4);
  const subLayersMinus1 = bits.u(3);
  bits.skip(1);
  const profile = readProfileTierLevel(bits, subLayersMinus1);
  if (SCC_PROFILES.has(profile)) throw new FormatError("hevc", `profile ${profile} (screen content) is not supported`);
  const id = bits.ueAtMost(15, "sps_seq_parameter_set_id");
  const chromaFormat = bits.ueAtMost(3, "chroma_format_idc");
  const separateColourPlane = chromaFormat === 3 && bits.u1() === 1;
  const width = bits.ueAtMost(65_535, "pic_width_in_luma_samples");
  const height = bits.ueAtMost(65_535, "pic_height_in_luma_samples");
  if (bits.u1() === 1) for (let i = 0; i < 4; i++) bits.ue();
  bits.ue();
  bits.ue();
  const pocLsbBits = bits.ueAtMost(12, "log2_max_pic_order_cnt_lsb_minus4") + 4;
  const orderingInfos = bits.u1() === 1 ? subLayersMinus1 + 1 : 1;
  for (let i = 0; i < orderingInfos * 3; i++) bits.ue();
  const ctbLog2 =
    3 +
    bits.ueAtMost(3, "log2_min_luma_coding_block_size_minus3") +
    bits.ueAtMost(3, "log2_diff_max_min_luma_coding_block_size");
  for (let i = 0; i < 4; i++) bits.ue();
  if (bits.u1() === 1 && bits.u1() === 1) skipScalingListData(bits);
  bits.skip(1);
  const sampleAdaptiveOffset = bits.u1() === 1;
  if (bits.u1() === 1) {
    bits.skip(8);
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  const shortTermSets: ShortTermSet[] = [];
  const setCount = bits.ueAtMost(SHORT_TERM_SETS_MAX, "num_short_term_ref_pic_sets");
  for (let i = 0; i < setCount; i++) shortTermSets.push(readShortTermSet(bits, i, setCount, shortTermSets));
  const longTermPresent = bits.u1() === 1;
  const longTermUsed: boolean[] = [];
  if (longTermPresent) {
    const count = bits.ueAtMost(LONG_TERM_MAX - 1, "num_long_term_ref_pics_sps");
    for (let i = 0; i < count; i++) {
      bits.skip(pocLsbBits);
      longTermUsed.push(bits.u1() === 1);
    }
  }
  const temporalMvp = bits.u1() === 1;
  into.set(id, {
    separateColourPlane,
    chromaArrayType: separateColourPlane ? 0 : chromaFormat,
    picSizeInCtbs: Math.ceil(width / 2 ** ctbLog2) * Math.ceil(height / 2 ** ctbLog2),
    pocLsbBits,
    sampleAdaptiveOffset,
    shortTermSets,
    longTermPresent,
    longTermUsed,
    temporalMvp,
  });
}

/** scaling_list_data (7.3.4). */
function skipScalingListData(bits: NalBits): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (bits.u1() === 0) {
        bits.ue();
        continue;
      }
      if (size > 1) bits.se();
      for (let left = Math.min(64, 1 << (4 + (size << 1))); left > 0; left--) bits.se();
    }
  }
}

/** st_ref_pic_set (7.3.7) with the derivation of 7.4.8, equations 7-61 to 7-64. */
function readShortTermSet(bits: NalBits, index: number, setCount: number, sets: readonly ShortTermSet[]): ShortTermSet {
  const isPredicted = index !== 0 && bits.u1() === 1;
  if (!isPredicted) {
    const negativeCount = bits.ueAtMost(REFERENCES_MAX, "num_negative_pics");
    const positiveCount = bits.ueAtMost(REFERENCES_MAX, "num_positive_pics");
    const readList = (count: number, sign: number): ReferencePicture[] => {
      let deltaPoc = 0;
      return Array.from({ length: count }, () => {
        deltaPoc += sign * (bits.ueAtMost(32_767, "delta_poc_minus1") + 1);
        return { deltaPoc, isUsed: bits.u1() === 1 };
      });
    };
    return { negative: readList(negativeCount, -1), positive: readList(positiveCount, 1) };
  }
  // Only a slice header's own set, whose index is the number of sets, says which earlier one it builds on.
  const back = index === setCount ? bits.ue() + 1 : 1;
  const reference = sets[index - back];
  if (reference === undefined) throw new FormatError("hevc", `a reference picture set builds on set ${index - back}`);
  const sign = bits.u1() === 1 ? -1 : 1;
  const deltaRps = sign * (bits.ueAtMost(32_767, "abs_delta_rps_minus1") + 1);
  // The flags' order is that of the reference set: S0, then S1, then the reference picture itself.
  const candidates = [...reference.negative, ...reference.positive, { deltaPoc: 0, isUsed: true }].map((picture) => {
    const isUsed = bits.u1() === 1;
    const isKept = isUsed || bits.u1() === 1;
    return { deltaPoc: picture.deltaPoc + deltaRps, isUsed, isKept };
  });
  const kept = candidates.filter((candidate) => candidate.isKept);
  if (kept.length > REFERENCES_MAX) throw new FormatError("hevc", `${kept.length} pictures in a reference picture set`);
  const negative = kept.filter(({ deltaPoc }) => deltaPoc < 0).sort((a, b) => b.deltaPoc - a.deltaPoc);
  const positive = kept.filter(({ deltaPoc }) => deltaPoc > 0).sort((a, b) => a.deltaPoc - b.deltaPoc);
  return { negative, positive };
}

function parsePps(nal: Uint8Array, spsById: ReadonlyMap<number, Sps>, into: Map<number, Pps>): void {
  const bits = new NalBits(nal, 0, nal.length, 2);
  const id = bits.ueAtMost(63, "pps_pic_parameter_set_id");
  const sps = spsById.get(bits.ue());
  if (sps === undefined) throw new FormatError("hevc", "a picture parameter set refers to no sequence parameter set");
  const dependentSlices = bits.u1() === 1;
  const outputFlag = bits.u1() === 1;
  const extraSliceHeaderBits = bits.u(3);
  bits.skip(1);
  const cabacInit = bits.u1() === 1;
  const l0 = bits.ueAtMost(REFERENCES_MAX - 2, "num_ref_idx_l0_default_active_minus1") + 1;
  const l1 = bits.ueAtMost(REFERENCES_MAX - 2, "num_ref_idx_l1_default_active_minus1") + 1;
  bits.se();
  bits.skip(1);
  const transformSkip = bits.u1() === 1;
  if (bits.u1() === 1) bits.ue();
  bits.se();
  bits.se();
  const chromaQpOffsets = bits.u1() === 1;
  const weightedPred = bits.u1() === 1;
  const weightedBipred = bits.u1() === 1;
  bits.skip(1);
  const tiles = bits.u1() === 1;
  const entropySync = bits.u1() === 1;
  if (tiles) skipTiles(bits);
  const loopFilterAcrossSlices = bits.u1() === 1;
  let deblockingOverride = false;
  let deblockingDisabled = false;
  if (bits.u1() === 1) {
    deblockingOverride = bits.u1() === 1;
    deblockingDisabled = bits.u1() === 1;
    if (!deblockingDisabled) {
      bits.se();
      bits.se();
    }
  }
  if (bits.u1() === 1) skipScalingListData(bits);
  const listsModification = bits.u1() === 1;
  bits.ue();
  const headerExtension = bits.u1() === 1;
  let chromaQpOffsetLists = false;
  if (bits.u1() === 1) {
    const hasRangeExtension = bits.u1() === 1;
    if (bits.u(7) !== 0)
      throw new FormatError("hevc", "multilayer, 3D and screen content extensions are not supported");
    if (hasRangeExtension) {
      if (transformSkip) bits.ue();
      bits.skip(1);
      chromaQpOffsetLists = bits.u1() === 1;
    }
  }
  into.set(id, {
    sps,
    dependentSlices,
    outputFlag,
    extraSliceHeaderBits,
    cabacInit,
    references: [l0, l1],
    chromaQpOffsets,
    chromaQpOffsetLists,
    weightedPred,
    weightedBipred,
    hasEntryPoints: tiles || entropySync,
    loopFilterAcrossSlices,
    deblockingOverride,
    deblockingDisabled,
    listsModification,
    headerExtension,
  });
}

function skipTiles(bits: NalBits): void {
  const columns = bits.ueAtMost(8191, "num_tile_columns_minus1");
  const rows = bits.ueAtMost(8191, "num_tile_rows_minus1");
  if (bits.u1() === 0) for (let i = 0; i < columns + rows; i++) bits.ue();
  bits.skip(1);
}

function sliceHeaderBytes(bits: NalBits, type: number, ppsById: ReadonlyMap<number, Pps>): number {
  const isFirst = bits.u1() === 1;
  if (type >= NAL_IRAP_FIRST && type <= NAL_IRAP_RESERVED_LAST) bits.skip(1);
  const ppsId = bits.ue();
  const pps = ppsById.get(ppsId);
  if (pps === undefined) {
    throw new FormatError("hevc", `a slice refers to picture parameter set ${ppsId}, which hvcC lacks`);
  }
  let isDependent = false;
  if (!isFirst) {
    isDependent = pps.dependentSlices && bits.u1() === 1;
    bits.skip(ceilLog2(pps.sps.picSizeInCtbs));
  }
  if (!isDependent) readIndependentFields(bits, type, pps);
  if (pps.hasEntryPoints) {
    const count = bits.ueAtMost(440 * 22, "num_entry_point_offsets");
    if (count > 0) bits.skip(count * (bits.ueAtMost(31, "offset_len_minus1") + 1));
  }
  if (pps.headerExtension) bits.skip(8 * bits.ueAtMost(256, "slice_segment_header_extension_length"));
  bits.byteAlignment();
  return bits.consumedBytes;
}

/** Everything that a dependent slice segment takes over from the slice it depends on. */
function readIndependentFields(bits: NalBits, nal: number, pps: Pps): void {
  const { sps } = pps;
  bits.skip(pps.extraSliceHeaderBits);
  const type = bits.ueAtMost(2, "slice_type");
  if (pps.outputFlag) bits.skip(1);
  if (sps.separateColourPlane) bits.skip(2);
  let temporalMvp = false;
  let pictures = 0;
  if (nal !== NAL_IDR_W_RADL && nal !== NAL_IDR_N_LP) {
    bits.skip(sps.pocLsbBits);
    pictures = readShortTermPictures(bits, sps) + (sps.longTermPresent ? readLongTermPictures(bits, sps) : 0);
    if (sps.temporalMvp) temporalMvp = bits.u1() === 1;
  }
  let filtersSao = false;
  if (sps.sampleAdaptiveOffset) {
    const luma = bits.u1() === 1;
    const chroma = sps.chromaArrayType !== 0 && bits.u1() === 1;
    filtersSao = luma || chroma;
  }
  if (type !== SLICE_I) readInterFields(bits, type === SLICE_B, pps, pictures, temporalMvp);
  bits.se();
  if (pps.chromaQpOffsets) {
    bits.se();
    bits.se();
  }
  if (pps.chromaQpOffsetLists) bits.skip(1);
  let deblockingDisabled = pps.deblockingDisabled;
  if (pps.deblockingOverride && bits.u1() === 1) {
    deblockingDisabled = bits.u1() === 1;
    if (!deblockingDisabled) {
      bits.se();
      bits.se();
    }
  }
  if (pps.loopFilterAcrossSlices && (filtersSao || !deblockingDisabled)) bits.skip(1);
}

/** Answers how many pictures the current one may refer to; together with the long-term ones NumPicTotalCurr (7-55). */
function readShortTermPictures(bits: NalBits, sps: Sps): number {
  const count = sps.shortTermSets.length;
  let set: ShortTermSet | undefined;
  if (bits.u1() === 0) set = readShortTermSet(bits, count, count, sps.shortTermSets);
  else set = sps.shortTermSets[count > 1 ? bits.u(ceilLog2(count)) : 0];
  if (set === undefined) throw new FormatError("hevc", "a slice refers to a reference picture set that is not there");
  return [...set.negative, ...set.positive].filter((picture) => picture.isUsed).length;
}

function readLongTermPictures(bits: NalBits, sps: Sps): number {
  const known = sps.longTermUsed.length;
  const fromSps = known > 0 ? bits.ueAtMost(LONG_TERM_MAX, "num_long_term_sps") : 0;
  const own = bits.ueAtMost(LONG_TERM_MAX, "num_long_term_pics");
  let used = 0;
  for (let i = 0; i < fromSps + own; i++) {
    if (i < fromSps) {
      const index = known > 1 ? bits.u(ceilLog2(known)) : 0;
      if (sps.longTermUsed[index] === true) used++;
    } else {
      bits.skip(sps.pocLsbBits);
      used += bits.u1();
    }
    if (bits.u1() === 1) bits.ue();
  }
  return used;
}

function readInterFields(bits: NalBits, isB: boolean, pps: Pps, pictures: number, temporalMvp: boolean): void {
  let [l0, l1] = pps.references;
  if (bits.u1() === 1) {
    l0 = bits.ueAtMost(REFERENCES_MAX - 2, "num_ref_idx_l0_active_minus1") + 1;
    if (isB) l1 = bits.ueAtMost(REFERENCES_MAX - 2, "num_ref_idx_l1_active_minus1") + 1;
  }
  if (pps.listsModification && pictures > 1) {
    for (const count of isB ? [l0, l1] : [l0]) if (bits.u1() === 1) bits.skip(count * ceilLog2(pictures));
  }
  if (isB) bits.skip(1);
  if (pps.cabacInit) bits.skip(1);
  if (temporalMvp) {
    const fromL0 = !isB || bits.u1() === 1;
    if ((fromL0 ? l0 : l1) > 1) bits.ue();
  }
  if (isB ? pps.weightedBipred : pps.weightedPred) skipPredWeightTable(bits, isB ? [l0, l1] : [l0], pps.sps);
  bits.ue();
}

/** pred_weight_table (7.3.6.3); in the base layer every reference has its flags. */
function skipPredWeightTable(bits: NalBits, counts: readonly number[], sps: Sps): void {
  const hasChroma = sps.chromaArrayType !== 0;
  bits.ue();
  if (hasChroma) bits.se();
  for (const count of counts) {
    const luma = Array.from({ length: count }, () => bits.u1());
    const chroma = hasChroma ? Array.from({ length: count }, () => bits.u1()) : [];
    for (let i = 0; i < count; i++) {
      for (let values = (luma[i] ?? 0) * 2 + (chroma[i] ?? 0) * 4; values > 0; values--) bits.se();
    }
  }
}
