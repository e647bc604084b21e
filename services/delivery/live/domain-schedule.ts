import { LIVE_SEGMENT_S } from "#media/presentation";

/** A film that a channel may show. */
export interface Film {
  readonly contentId: string;
  readonly packageRevision: number;
  readonly indexVersion: number;
  readonly title: string;
  readonly durationS: number;
}

/** One showing of a film, in whole segments: what is left of its last one is not shown. */
export interface Airing extends Omit<Film, "durationS"> {
  readonly firstNumber: number;
  readonly lastNumber: number;
}

/** A film that is shorter than this is no programme. */
const SEGMENTS_MIN = 5;

/**
 * Adds airings from a number on until the schedule reaches `untilNumber`: films in the order of their ids, one after the other, beginning
 * behind the one that was planned last.
 */
export function planAirings(
  films: readonly Film[],
  from: { readonly number: number; readonly afterContentId: string | null },
  untilNumber: number,
  countMax: number,
): Airing[] {
  const usable = films
    .filter(({ durationS }) => segmentsOf(durationS) >= SEGMENTS_MIN)
    .toSorted((a, b) => (a.contentId < b.contentId ? -1 : 1));
  const airings: Airing[] = [];
  if (usable.length === 0) return airings;
  const after = from.afterContentId;
  let turn = after === null ? 0 : usable.findIndex(({ contentId }) => contentId > after);
  if (turn < 0) turn = 0;
  for (let number = from.number; number <= untilNumber && airings.length < countMax; turn++) {
    const film = usable[turn % usable.length];
    if (!film) break;
    const { durationS, ...told } = film;
    const lastNumber = number + segmentsOf(durationS) - 1;
    airings.push({ ...told, firstNumber: number, lastNumber });
    number = lastNumber + 1;
  }
  return airings;
}

const segmentsOf = (durationS: number): number => Math.floor(durationS / LIVE_SEGMENT_S + 1e-6);

/** The rung of a film that stands for one of the channel's: the one with the nearest height. */
export function nearestRung<Track extends { readonly height: number; readonly codec: string }>(
  tracks: readonly Track[],
  height: number,
): Track | undefined {
  return tracks
    .filter(({ codec }) => codec.startsWith("avc1"))
    .toSorted((a, b) => Math.abs(a.height - height) - Math.abs(b.height - height))[0];
}
