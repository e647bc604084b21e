/** What a section asks for, in one form for splice_insert and for segments of a time_signal (ANSI/SCTE 35 2023, sections 9.7.3, 9.7.4 and 10.3.3). */
import { PTS_MODULUS, type SpliceInfo } from "./model.ts";

export interface Cue {
  /** Of the event, such as `insert-31230` or `segment-1207959694-52`: the same for its start and its end. */
  readonly id: string;
  /** `out` leaves the programme for ads, `in` returns to it, `cancel` takes an announced event back, `mark` is anything else. */
  readonly action: "out" | "in" | "cancel" | "mark";
  /** When, in ticks of 90 kHz with the adjustment of the section; null: at once. */
  readonly pts: number | null;
  readonly durationS: number | null;
  /** Whether the return comes by itself once the duration is over. */
  readonly autoReturn: boolean;
  /** segmentation_type_id; null for a splice_insert. */
  readonly typeId: number | null;
}

export const TICKS_PER_S = 90_000;
/**
 * Segments during which ads stand in place of the programme; each ends with its number + 1 (table 23): break, provider and
 * distributor advertisements, placement opportunities, overlays' opportunities, and ad blocks.
 */
const AD_STARTS: ReadonlySet<number> = new Set([0x22, 0x30, 0x32, 0x34, 0x36, 0x38, 0x3a, 0x44, 0x46]);

/** A time of a section on the stream's own clock. */
export const adjusted = (info: SpliceInfo, ptsTime: number): number => (ptsTime + info.ptsAdjustment) % PTS_MODULUS;

/** The cues of a section; none for what has no event, such as splice_null and encrypted sections. */
export function cuesOf(info: SpliceInfo): Cue[] {
  const { command } = info;
  if (command.kind === "insert") {
    const base = { id: `insert-${command.eventId}`, typeId: null };
    if (command.cancel) return [{ ...base, action: "cancel", pts: null, durationS: null, autoReturn: false }];
    const ptsTime = command.components === null ? command.ptsTime : (command.components[0]?.ptsTime ?? null);
    return [
      {
        ...base,
        action: command.outOfNetwork ? "out" : "in",
        pts: ptsTime === null ? null : adjusted(info, ptsTime),
        durationS: command.breakDuration === null ? null : command.breakDuration.duration / TICKS_PER_S,
        autoReturn: command.breakDuration?.autoReturn ?? false,
      },
    ];
  }
  if (command.kind !== "timeSignal") return [];
  const pts = command.ptsTime === null ? null : adjusted(info, command.ptsTime);
  return info.descriptors.flatMap((each): Cue[] => {
    if (each.kind !== "segmentation") return [];
    const none = { pts, durationS: null, autoReturn: false };
    // A cancellation says no type; it takes back every segment of the event.
    if (each.cancel) return [{ ...none, id: `segment-${each.eventId}`, action: "cancel", typeId: null }];
    const { eventId, typeId } = each;
    const durationS = each.duration === null ? null : each.duration / TICKS_PER_S;
    if (AD_STARTS.has(typeId))
      return [{ ...none, id: `segment-${eventId}-${typeId}`, action: "out", durationS, typeId }];
    if (AD_STARTS.has(typeId - 1)) return [{ ...none, id: `segment-${eventId}-${typeId - 1}`, action: "in", typeId }];
    return [{ ...none, id: `segment-${eventId}-${typeId}`, action: "mark", durationS, typeId }];
  });
}
