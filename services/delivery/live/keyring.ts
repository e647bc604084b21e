import { MARKS } from "#contracts/origin/edges";
import { type Clock, type Context, problem, systemContext } from "#kernel";
import type { TrackProtection } from "#media/cenc";
import { type DrmByKid, drmOf } from "#media/hls";
import type { KeyClass } from "#media/presentation";
import type { LivePlatform } from "./service.ts";

/** Sets of this many days stay in memory: those of a window and some around it. */
const DAYS_MAX = 64;

/** A channel's keys of one day. */
export interface DayKeys {
  readonly dayIndex: number;
  /** For the packager alone. */
  readonly protections: Readonly<Record<KeyClass, TrackProtection>>;
  readonly drm: DrmByKid;
}

export interface Keyring {
  /** The set of a day, made where there is none yet; rejects where there is none to be had. */
  day(dayIndex: number): Promise<DayKeys>;
  /** The sets of days, as far as they could be had before; one that is missing is fetched. */
  days(indices: Iterable<number>): Promise<ReadonlyMap<number, DayKeys>>;
}

/** ARCH-001 section 8: a channel's key set of each day is a revision of its keys. */
export function openKeyring(
  { call, clock }: Pick<LivePlatform, "call"> & { readonly clock: Clock },
  of: { readonly tenant: string; readonly channelId: string },
): Keyring {
  const known = new Map<number, Promise<DayKeys>>();

  async function load(dayIndex: number): Promise<DayKeys> {
    const context: Context = systemContext(of.tenant, "live", { clock });
    const set = { contentId: of.channelId, packageRevision: dayIndex };
    const signals = await call.keys.createSet(set, context);
    const [{ keys }, licenses] = await Promise.all([
      call.keys.getSet(set, context),
      call.license.locate({ sessionId: MARKS.session, token: MARKS.token }, context),
    ]);
    const protectionOf = (keyClass: KeyClass): TrackProtection => {
      const key = keys.find((candidate) => candidate.keyClass === keyClass);
      const signal = signals.keys.find(({ kid }) => kid === key?.kid);
      if (!key || !signal) throw problem.internal(`the key set ${dayIndex} of '${of.channelId}' lacks ${keyClass}`);
      return {
        key: key.key,
        kid: key.kid,
        ivHex: Buffer.from(key.iv).toString("hex"),
        pssh: [signals.psshCommon, signal.psshWidevine, signal.psshPlayready],
      };
    };
    return {
      dayIndex,
      protections: {
        AUDIO: protectionOf("AUDIO"),
        SD: protectionOf("SD"),
        HD: protectionOf("HD"),
        UHD: protectionOf("UHD"),
      },
      drm: drmOf(signals, licenses),
    };
  }

  function day(dayIndex: number): Promise<DayKeys> {
    const found = known.get(dayIndex);
    if (found) return found;
    const loading = load(dayIndex);
    known.set(dayIndex, loading);
    // What could not be had is asked for again.
    loading.catch(() => known.delete(dayIndex));
    for (const old of known.keys()) {
      if (known.size <= DAYS_MAX) break;
      known.delete(old);
    }
    return loading;
  }

  return {
    day,
    async days(indices) {
      const found = await Promise.all([...new Set(indices)].map(day));
      return new Map(found.map((keys) => [keys.dayIndex, keys]));
    },
  };
}
