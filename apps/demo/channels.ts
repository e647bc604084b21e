import { Live } from "#contracts/live";
import { type Context, Problem } from "#kernel";
import type { Host } from "#kernel/host";

/** The channel with the clock: two rungs, which two cores can make beside a player. */
export const MARQUEE_LIVE = {
  channel: {
    ...{ id: "ch-marquee-live", number: 1, name: "Marquee Live", language: "en", latency: "low", tier: "basic" },
    ladder: ["720p-h264-2500k", "360p-h264-700k"],
  },
  inputs: [{ kind: "demo" }],
};

/** Makes the demo's channels where they are not there yet; they cost nothing until somebody watches. */
export async function makeChannels(host: Host, context: Context): Promise<void> {
  await host
    .client(Live, "demo")
    .add(MARQUEE_LIVE, context)
    .catch((error: unknown) => {
      if (!(error instanceof Problem && error.code === "already_exists")) throw error;
    });
}
