/**
 * AVC slice headers (ISO/IEC 14496-10, 7.3.2.1.1 seq_parameter_set_data, 7.3.2.2 pic_parameter_set_rbsp, 7.3.3 slice_header),
 * read only as far as it takes to find where a header ends. Not supported, and refused: slice groups (FMO), data
 * partitioning, auxiliary and multiview slices.
 */

import { FormatError } from "#media/format";
import { NalBits } from "./bits.ts";
import { isKnownParameterSet, type SliceParser } from "./slices.ts";

const NAL_SLICE = 1;
const NAL_IDR = 5;
const NAL_SPS = 7;
const NAL_PPS = 8;
/** Data partitions (2 to 4), auxiliary (19) and extension slices (20, 21) carry pictures that we could not protect. */
const NAL_REFUSED = new Set([2, 3, 4, 19, 20, 21]);

const PROFILES_WITH_CHROMA_FORMAT = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const REFERENCES_MAX = 32;
/** The memory management loop of a header ends in an operation 0; a hostile one never does. */
const OPERATIONS_MAX = 128;

const SLICE_P = 0;
const SLICE_B = 1;
const SLICE_I = 2;
const SLICE_SP = 3;
const SLICE_SI = 4;

interface Sps {
  readonly separateColourPlane: boolean;
  readonly chromaArrayType: number;
  readonly frameNumBits: number;
  readonly pocType: number;
  readonly pocLsbBits: number;
  readonly deltaPicOrderAlwaysZero: boolean;
  readonly frameMbsOnly: boolean;
}

interface Pps {
  readonly sps: Sps;
  readonly entropyCodingMode: boolean;
  readonly bottomFieldPicOrder: boolean;
  readonly references: readonly [number, number];
  readonly weightedPred: boolean;
  readonly weightedBipredIdc: number;
  readonly deblockingControl: boolean;
  readonly redundantPicCnt: boolean;
}

/** A parser that knows the parameter sets of an avcC record. */
export function createAvcSliceParser(parameterSets: readonly Uint8Array[]): SliceParser {
  const spsById = new Map<number, Sps>();
  const ppsById = new Map<number, Pps>();
  const typeOf = (nal: Uint8Array) => (nal[0] ?? 0) & 31;
  for (const nal of parameterSets) if (typeOf(nal) === NAL_SPS) parseSps(nal, spsById);
  for (const nal of parameterSets) if (typeOf(nal) === NAL_PPS) parsePps(nal, spsById, ppsById);
  return {
    clearHeaderBytes(bytes, start, end) {
      const header = bytes[start] ?? 0;
      const type = header & 31;
      if (type === NAL_SLICE || type === NAL_IDR) {
        return sliceHeaderBytes(new NalBits(bytes, start, end, start + 1), type, (header >> 5) & 3, ppsById);
      }
      if (NAL_REFUSED.has(type)) throw new FormatError("avc", `NAL units of type ${type} are not supported`, start);
      if ((type === NAL_SPS || type === NAL_PPS) && !isKnownParameterSet(parameterSets, bytes, start, end)) {
        throw new FormatError("avc", "a sample brings a parameter set that avcC does not have", start);
      }
      return null;
    },
  };
}

function parseSps(nal: Uint8Array, into: Map<number, Sps>): void {
  const bits = new NalBits(nal, 0, nal.length, 1);
  const profile = bits.u(8);
  bits.skip(16);
  const id = bits.ueAtMost(31, "seq_parameter_set_id");
  let chromaFormat = 1;
  let separateColourPlane = false;
  if (PROFILES_WITH_CHROMA_FORMAT.has(profile)) {
    chromaFormat = bits.ueAtMost(3, "chroma_format_idc");
    if (chromaFormat === 3) separateColourPlane = bits.u1() === 1;
    bits.ue();
    bits.ue();
    bits.skip(1);
    if (bits.u1() === 1) skipScalingLists(bits, chromaFormat === 3 ? 12 : 8);
  }
  const frameNumBits = bits.ueAtMost(12, "log2_max_frame_num_minus4") + 4;
  const pocType = bits.ueAtMost(2, "pic_order_cnt_type");
  let pocLsbBits = 0;
  let deltaPicOrderAlwaysZero = false;
  if (pocType === 0) pocLsbBits = bits.ueAtMost(12, "log2_max_pic_order_cnt_lsb_minus4") + 4;
  else if (pocType === 1) {
    deltaPicOrderAlwaysZero = bits.u1() === 1;
    bits.se();
    bits.se();
    for (let left = bits.ueAtMost(255, "num_ref_frames_in_pic_order_cnt_cycle"); left > 0; left--) bits.se();
  }
  bits.ue();
  bits.skip(1);
  bits.ue();
  bits.ue();
  const frameMbsOnly = bits.u1() === 1;
  const chromaArrayType = separateColourPlane ? 0 : chromaFormat;
  into.set(id, {
    separateColourPlane,
    chromaArrayType,
    frameNumBits,
    pocType,
    pocLsbBits,
    deltaPicOrderAlwaysZero,
    frameMbsOnly,
  });
}

function skipScalingLists(bits: NalBits, count: number): void {
  for (let list = 0; list < count; list++) {
    if (bits.u1() === 0) continue;
    let last = 8;
    let next = 8;
    for (let i = 0; i < (list < 6 ? 16 : 64) && next !== 0; i++) {
      next = (((last + bits.se()) % 256) + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

function parsePps(nal: Uint8Array, spsById: ReadonlyMap<number, Sps>, into: Map<number, Pps>): void {
  const bits = new NalBits(nal, 0, nal.length, 1);
  const id = bits.ueAtMost(255, "pic_parameter_set_id");
  const sps = spsById.get(bits.ue());
  if (sps === undefined) throw new FormatError("avc", "a picture parameter set refers to no sequence parameter set");
  const entropyCodingMode = bits.u1() === 1;
  const bottomFieldPicOrder = bits.u1() === 1;
  if (bits.ue() > 0) throw new FormatError("avc", "slice groups (FMO) are not supported");
  const l0 = bits.ueAtMost(REFERENCES_MAX - 1, "num_ref_idx_l0_default_active_minus1") + 1;
  const l1 = bits.ueAtMost(REFERENCES_MAX - 1, "num_ref_idx_l1_default_active_minus1") + 1;
  const weightedPred = bits.u1() === 1;
  const weightedBipredIdc = bits.u(2);
  bits.se();
  bits.se();
  bits.se();
  const deblockingControl = bits.u1() === 1;
  bits.skip(1);
  const redundantPicCnt = bits.u1() === 1;
  into.set(id, {
    sps,
    entropyCodingMode,
    bottomFieldPicOrder,
    references: [l0, l1],
    weightedPred,
    weightedBipredIdc,
    deblockingControl,
    redundantPicCnt,
  });
}

function sliceHeaderBytes(
  bits: NalBits,
  nalType: number,
  nalRefIdc: number,
  ppsById: ReadonlyMap<number, Pps>,
): number {
  bits.ue();
  const type = bits.ueAtMost(9, "slice_type") % 5;
  const ppsId = bits.ue();
  const pps = ppsById.get(ppsId);
  if (pps === undefined)
    throw new FormatError("avc", `a slice refers to picture parameter set ${ppsId}, which avcC lacks`);
  const { sps } = pps;
  if (sps.separateColourPlane) bits.skip(2);
  bits.skip(sps.frameNumBits);
  let isField = false;
  if (!sps.frameMbsOnly) {
    isField = bits.u1() === 1;
    if (isField) bits.skip(1);
  }
  if (nalType === NAL_IDR) bits.ue();
  if (sps.pocType === 0) {
    bits.skip(sps.pocLsbBits);
    if (pps.bottomFieldPicOrder && !isField) bits.se();
  } else if (sps.pocType === 1 && !sps.deltaPicOrderAlwaysZero) {
    bits.se();
    if (pps.bottomFieldPicOrder && !isField) bits.se();
  }
  if (pps.redundantPicCnt) bits.ue();
  const isIntra = type === SLICE_I || type === SLICE_SI;
  if (type === SLICE_B) bits.skip(1);
  if (!isIntra) readReferences(bits, type, pps);
  if (nalRefIdc !== 0) skipReferenceMarking(bits, nalType === NAL_IDR);
  if (pps.entropyCodingMode && !isIntra) bits.ue();
  bits.se();
  if (type === SLICE_SP) bits.skip(1);
  if (type === SLICE_SP || type === SLICE_SI) bits.se();
  if (pps.deblockingControl && bits.ueAtMost(2, "disable_deblocking_filter_idc") !== 1) {
    bits.se();
    bits.se();
  }
  return bits.consumedBytes;
}

/** num_ref_idx override, ref_pic_list_modification and pred_weight_table of P, SP and B slices. */
function readReferences(bits: NalBits, type: number, pps: Pps): void {
  let [l0, l1] = pps.references;
  if (bits.u1() === 1) {
    l0 = bits.ueAtMost(REFERENCES_MAX - 1, "num_ref_idx_l0_active_minus1") + 1;
    if (type === SLICE_B) l1 = bits.ueAtMost(REFERENCES_MAX - 1, "num_ref_idx_l1_active_minus1") + 1;
  }
  for (let list = type === SLICE_B ? 2 : 1; list > 0; list--) {
    if (bits.u1() === 0) continue;
    for (let left = OPERATIONS_MAX; bits.ueAtMost(5, "modification_of_pic_nums_idc") !== 3; left--) {
      if (left === 0) throw new FormatError("avc", "a reference list modification has no end");
      bits.ue();
    }
  }
  const weighted =
    ((type === SLICE_P || type === SLICE_SP) && pps.weightedPred) || (type === SLICE_B && pps.weightedBipredIdc === 1);
  if (!weighted) return;
  const hasChroma = pps.sps.chromaArrayType !== 0;
  bits.ue();
  if (hasChroma) bits.ue();
  for (const count of type === SLICE_B ? [l0, l1] : [l0]) {
    for (let i = 0; i < count; i++) {
      if (bits.u1() === 1) {
        bits.se();
        bits.se();
      }
      if (hasChroma && bits.u1() === 1) for (let value = 0; value < 4; value++) bits.se();
    }
  }
}

/** dec_ref_pic_marking (7.3.3.3). */
function skipReferenceMarking(bits: NalBits, isIdr: boolean): void {
  if (isIdr) {
    bits.skip(2);
    return;
  }
  if (bits.u1() === 0) return;
  for (let left = OPERATIONS_MAX; ; left--) {
    const operation = bits.ueAtMost(6, "memory_management_control_operation");
    if (operation === 0) return;
    if (left === 0) throw new FormatError("avc", "a reference marking has no end");
    if (operation !== 5) bits.ue();
    if (operation === 3) bits.ue();
  }
}
