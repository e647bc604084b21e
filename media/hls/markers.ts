/**
 * Breaks in playlists of encoders that mark them by tags of their own.
 *
 *   #EXT-OATCLS-SCTE35:BASE64                                     the section of the break that follows
 *   #EXT-X-CUE-OUT[:[DURATION=]SECONDS]                           the next segment is the first of a break
 *   #EXT-X-CUE-OUT-CONT:ELAPSED/SECONDS                           the next segment is within one
 *   #EXT-X-CUE-OUT-CONT:ElapsedTime=…,Duration=…,SCTE35=BASE64
 *   #EXT-X-CUE-IN                                                 the next segment is the programme again
 */
import { FormatError } from "#media/format";
import { cuesOf, decodeSpliceText } from "#media/scte35";
import { decimal, fail, type HlsLine, type HlsParseLimits, integer, LIMITS, readLines } from "./lines.ts";

export interface HlsBreak {
  /** Media sequence numbers: the first segment of the break, and the first behind it; null while it runs. */
  readonly startSequence: number;
  readonly endSequence: number | null;
  /** What was announced; null where nothing was. */
  readonly plannedDurationS: number | null;
  /** How long it was, or has been so far; with what had passed before the playlist begins. */
  readonly durationS: number;
  /** Of the section, as its event's id; null without a section, or with one that nobody can read. */
  readonly eventId: string | null;
  readonly scte35: string | null;
}

type Open = { -readonly [K in keyof HlsBreak]: HlsBreak[K] };

/** The breaks of a media playlist in their order. A return without a break means nothing. Throws FormatError for a number that is none. */
export function readHlsBreaks(text: string, limits: HlsParseLimits = {}): HlsBreak[] {
  const breaks: HlsBreak[] = [];
  let sequence = 0;
  let segments = 0;
  let durationS = 0;
  let section: string | null = null;
  let open: Open | null = null;

  const close = (): void => {
    if (open) breaks.push({ ...open, endSequence: sequence });
    open = null;
  };
  const begin = (plannedDurationS: number | null, passedS: number): void => {
    const read = { eventId: eventIdOf(section), scte35: section };
    open = { startSequence: sequence, endSequence: null, plannedDurationS, durationS: passedS, ...read };
    section = null;
  };

  for (const line of readLines(text, limits)) {
    if (line.tag === "EXT-X-MEDIA-SEQUENCE") sequence = integer(line.value, line.number, line.tag);
    else if (line.tag === "EXTINF") durationS = decimal(line.value.split(",")[0] ?? "", line.number, "EXTINF");
    else if (line.tag === "EXT-OATCLS-SCTE35") section = line.value;
    else if (line.tag === "EXT-X-CUE-IN") close();
    else if (line.tag === "EXT-X-CUE-OUT") {
      close();
      begin(plannedOf(line), 0);
    } else if (line.tag === "EXT-X-CUE-OUT-CONT" && !open) {
      const { passedS, plannedS, scte35 } = continued(line);
      section = scte35 ?? section;
      begin(plannedS, passedS);
    } else if (line.tag === null) {
      segments++;
      if (segments > (limits.segmentsMax ?? LIMITS.segments)) throw fail(line.number, "too many segments");
      sequence++;
      if (open) (open as Open).durationS += durationS;
    }
  }
  return open ? [...breaks, open] : breaks;
}

/** Numbers of events alone are compared by readers; a section that is broken leaves the break as it is. */
function eventIdOf(section: string | null): string | null {
  if (section === null) return null;
  try {
    return cuesOf(decodeSpliceText(section)).find(({ action }) => action === "out")?.id ?? null;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

function plannedOf(line: HlsLine): number | null {
  const value = line.value
    .trim()
    .replace(/^DURATION=/i, "")
    .replaceAll('"', "");
  return value === "" ? null : decimal(value, line.number, "EXT-X-CUE-OUT");
}

function continued(line: HlsLine): {
  readonly passedS: number;
  readonly plannedS: number | null;
  readonly scte35: string | null;
} {
  const named = new Map(
    line.value.split(",").map((each) => {
      const at = each.indexOf("=");
      return [each.slice(0, Math.max(0, at)).trim().toLowerCase(), each.slice(at + 1).replaceAll('"', "")] as const;
    }),
  );
  const [elapsed, planned] = line.value.includes("=")
    ? [named.get("elapsedtime"), named.get("duration")]
    : line.value.split("/");
  const seconds = (value: string | undefined): number | null =>
    value === undefined || value === "" ? null : decimal(value.trim(), line.number, "EXT-X-CUE-OUT-CONT");
  return { passedS: seconds(elapsed) ?? 0, plannedS: seconds(planned), scte35: named.get("scte35") ?? null };
}
