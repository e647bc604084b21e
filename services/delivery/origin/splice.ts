import type { AdPlan } from "#media/breaks";
import { type MpdOptions, type MpdPeriod, writePeriods } from "#media/dash";
import {
  type HlsPiece,
  type MultivariantOptions,
  type TextPiece,
  writeMultivariantPlaylist,
  writeSplicedPlaylist,
  writeSplicedSubtitles,
} from "#media/hls";
import {
  audioLike,
  type AudioTrack,
  placePresentation,
  type Presentation,
  slicePresentation,
  type TextTrack,
  videoLike,
  type VideoTrack,
} from "#media/presentation";
import type { ManifestPath, Package } from "./manifests.ts";

// Manifests of a title with ads in it. They are made for a plan and not for a session: who is shown the same ads reads the same ones.

/** Pieces of the title and ads, in the order in which they are played. */
export interface Spliced {
  readonly title: Package;
  readonly pieces: readonly (Package & { readonly isAd: boolean })[];
}

export interface Places {
  readonly dash: Pick<MpdOptions, "locations" | "steering">;
  readonly hls: Pick<MultivariantOptions, "pathways" | "steeringServerUri">;
}

/** Cuts the title at its breaks and puts the ads between; each ad as it is seen from the title's folder. */
export function splice(title: Package, plan: AdPlan, ads: ReadonlyMap<string, Package>): Spliced {
  const pieces: (Package & { isAd: boolean })[] = [];
  const { presentation } = title;
  let fromS = 0;
  const addTitle = (toS: number): void => {
    if (toS > fromS) pieces.push({ ...title, presentation: slicePresentation(presentation, fromS, toS), isAd: false });
    fromS = Math.max(fromS, toS);
  };
  for (const { atS, ads: wanted } of plan.breaks) {
    addTitle(Math.min(atS, presentation.durationS));
    for (const { contentId, packageRevision } of wanted) {
      const ad = ads.get(contentId);
      const base = `../../${contentId}/r${packageRevision}/`;
      if (ad) pieces.push({ ...ad, presentation: placePresentation(ad.presentation, base), isAd: true });
    }
  }
  addTitle(presentation.durationS);
  return { title, pieces };
}

/** Null where the title has no such track, or where nobody of that name asks. */
export function writeSpliced(path: ManifestPath, spliced: Spliced, places: Places | null): string | null {
  const { title, pieces } = spliced;
  if (places === null) return null;
  if (path.kind === "dash")
    return writePeriods(
      pieces.map(({ presentation, drm }): MpdPeriod => ({ presentation, drm })),
      places.dash,
    );
  if (path.kind === "hls") {
    // Pictures for scrubbing know the title alone.
    const whole = slicePresentation(title.presentation, 0, title.presentation.durationS);
    return writeMultivariantPlaylist(whole, { drm: title.drm, ...places.hls, mediaName: `index-${path.planId}.m3u8` });
  }
  return "profile" in path ? writeTrack(spliced, path.profile) : null;
}

function writeTrack({ title: { presentation }, pieces }: Spliced, profile: string): string | null {
  const video = presentation.video.find((track) => track.profile === profile);
  const audio = presentation.audio.find((track) => track.profile === profile);
  const text = presentation.text.find((track) => track.profile === profile);
  if (text) return writeSplicedSubtitles(pieces.flatMap((piece) => textOf(piece.presentation, piece.isAd, text)));
  const trackOf = (of: Presentation): VideoTrack | AudioTrack | undefined =>
    video ? videoLike(of.video, video) : audio ? audioLike(of.audio, audio) : undefined;
  if (!video && !audio) return null;
  const found = pieces.flatMap(({ presentation: of, drm }): HlsPiece[] => {
    const track = trackOf(of);
    return track ? [{ presentation: of, track, drm }] : [];
  });
  return writeSplicedPlaylist(found);
}

function textOf(presentation: Presentation, isAd: boolean, like: TextTrack): TextPiece[] {
  if (isAd) return [{ silentS: presentation.durationS }];
  const track = presentation.text.find(({ profile }) => profile === like.profile);
  return track ? [{ track }] : [];
}
