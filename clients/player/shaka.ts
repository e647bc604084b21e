/** Shaka Player, loaded when a film starts: a third of the full build for each of the two formats. */
import type shaka from "shaka-player/dist/shaka-player.dash-es2021.js";

export type Shaka = typeof shaka;
export type ShakaPlayer = shaka.Player;
export type ShakaRequest = shaka.extern.Request;
export type ShakaResponse = shaka.extern.Response;
export type VideoTrack = shaka.extern.VideoTrack;
export type ImageTrack = shaka.extern.ImageTrack;
export type Format = "dash" | "hls";

export type RequestType = shaka.net.NetworkingEngine.RequestType;

export async function loadShaka(format: Format): Promise<Shaka> {
  // The two builds declare the same names; the HLS one lacks only the DASH parser, and the other way round.
  const module =
    format === "hls"
      ? ((await import("shaka-player/dist/shaka-player.hls-es2021.js")) as unknown as { default: Shaka })
      : await import("shaka-player/dist/shaka-player.dash-es2021.js");
  return module.default;
}
