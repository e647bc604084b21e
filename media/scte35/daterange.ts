/**
 * Splices in HLS playlists: EXT-X-DATERANGE with SCTE35-OUT, SCTE35-IN and SCTE35-CMD (RFC 8216bis, section 4.4.5.1.1).
 *
 * Both ends of a break are one range with one ID and one START-DATE. A break whose end is not known yet has PLANNED-DURATION
 * alone; one that ended early has DURATION, which says what was.
 */
import { type Cue, cuesOf } from "./cues.ts";
import { fail, toHex } from "./bits.ts";
import { decodeSplice } from "./decode.ts";

export interface SpliceRange {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly plannedDurationS: number | null;
  /** The sections as they came, in hexadecimal. */
  readonly outHex: string | null;
  readonly inHex: string | null;
  readonly cmdHex: string | null;
}

/** The older ranges go when there are more; a DVR window of hours has some dozen. */
const RANGES_MAX = 512;

/**
 * The ranges once a section was heard. `wallMs` says when a cue is in wall-clock time. A section that is heard again, as encoders
 * repeat them, changes nothing; a return without a break is no range of its own.
 */
export function applySplice(
  ranges: readonly SpliceRange[],
  section: Uint8Array,
  wallMs: (cue: Cue) => number,
): readonly SpliceRange[] {
  const hex = toHex(section);
  let next = [...ranges];
  for (const cue of cuesOf(decodeSplice(section))) {
    const known = next.findLast(({ id }) => isOf(id, cue));
    if (cue.action === "cancel") next = next.filter((range) => !isCancelled(range, cue));
    else if (cue.action === "in") {
      const open = known ?? (cue.typeId === null ? lastOpen(next) : undefined);
      if (open === undefined || open.endMs !== null) continue;
      const endMs = Math.max(open.startMs, wallMs(cue));
      next = next.map((range) => (range === open ? { ...range, endMs, inHex: hex } : range));
    } else {
      const isOut = cue.action === "out";
      const startMs = wallMs(cue);
      // Some encoders count from one again, or never on: a number that comes back behind its own end is another event.
      if (known !== undefined && startMs < (endOf(known) ?? Number.POSITIVE_INFINITY)) continue;
      next.push({
        ...{
          id: known === undefined ? cue.id : `${cue.id}${AGAIN}${startMs}`,
          startMs,
          endMs: null,
          plannedDurationS: cue.durationS,
          inHex: null,
        },
        ...{ outHex: isOut ? hex : null, cmdHex: isOut ? null : hex },
      });
    }
  }
  return next.slice(-RANGES_MAX);
}

const AGAIN = "@";
const isOf = (id: string, cue: Cue): boolean => id === cue.id || id.startsWith(`${cue.id}${AGAIN}`);

/** When a range is over: as it was, or as it was planned; null where nobody knows. */
export const endOf = ({ startMs, endMs, plannedDurationS }: SpliceRange): number | null =>
  endMs ?? (plannedDurationS === null ? null : startMs + plannedDurationS * 1_000);

/** Many encoders give the return a number of its own; it then ends the break that runs. */
const lastOpen = (ranges: readonly SpliceRange[]): SpliceRange | undefined =>
  ranges.findLast(({ id, outHex, endMs }) => outHex !== null && endMs === null && id.startsWith("insert-"));

const isCancelled = (range: SpliceRange, cue: Cue): boolean =>
  range.inHex === null && (isOf(range.id, cue) || range.id.startsWith(`${cue.id}-`));

/** A range as a line of a playlist, without the line's end. */
export function writeDateRange(range: SpliceRange): string {
  if (/["\r\n]/.test(range.id)) throw fail(`the id '${range.id.slice(0, 40)}' cannot stand in a playlist`);
  const attributes = [
    `ID="${range.id}"`,
    `START-DATE="${new Date(range.startMs).toISOString()}"`,
    ...(range.endMs === null ? [] : [`DURATION=${((range.endMs - range.startMs) / 1_000).toFixed(3)}`]),
    ...(range.plannedDurationS === null ? [] : [`PLANNED-DURATION=${range.plannedDurationS.toFixed(3)}`]),
    ...(range.cmdHex === null ? [] : [`SCTE35-CMD=0x${range.cmdHex.toUpperCase()}`]),
    ...(range.outHex === null ? [] : [`SCTE35-OUT=0x${range.outHex.toUpperCase()}`]),
    ...(range.inHex === null ? [] : [`SCTE35-IN=0x${range.inHex.toUpperCase()}`]),
  ];
  return `#EXT-X-DATERANGE:${attributes.join(",")}`;
}
