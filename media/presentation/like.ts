/** Which track of an ad is played beside a track of what it interrupts. */
import type { AudioTrack, VideoTrack } from "./index.ts";

/** The rung of an ad beside a rung of what it interrupts: of the same codec, the largest that is not larger, else the smallest. */
export function videoLike(
  tracks: readonly VideoTrack[],
  like: Pick<VideoTrack, "profile" | "codec" | "height">,
): VideoTrack | undefined {
  const same = tracks.find(({ profile }) => profile === like.profile);
  if (same) return same;
  const codec = (track: Pick<VideoTrack, "codec">): string => track.codec.split(".")[0] ?? "";
  const family = tracks.filter((track) => codec(track) === codec(like));
  const bySize = (family.length > 0 ? family : tracks).toSorted((a, b) => b.height - a.height);
  return bySize.find(({ height }) => height <= like.height) ?? bySize.at(-1);
}

/** The sound of an ad beside one of what it interrupts: in its language, else the ad's own. */
export function audioLike(
  tracks: readonly AudioTrack[],
  like: Pick<AudioTrack, "profile" | "language">,
): AudioTrack | undefined {
  return (
    tracks.find(({ profile }) => profile === like.profile) ??
    tracks.find(({ language }) => language === like.language) ??
    tracks.find(({ isDefault }) => isDefault) ??
    tracks[0]
  );
}
