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

/** The channel that shows the demo's films, one after the other. */
const MARQUEE_ONE = {
  channel: {
    ...{ id: "ch-marquee-one", number: 2, name: "Marquee One", language: "en", latency: "standard", tier: "basic" },
    ...{ ageRating: 12, ladder: ["720p-h264-4000k", "360p-h264-800k"] },
  },
  inputs: [{ kind: "schedule" }],
};

/** Makes the demo's channels where they are not there yet; they cost nothing until somebody watches. */
export async function makeChannels(host: Host, context: Context): Promise<void> {
  for (const channel of [MARQUEE_LIVE, MARQUEE_ONE])
    await host
      .client(Live, "demo")
      .add(channel, context)
      .catch((error: unknown) => {
        if (!(error instanceof Problem && error.code === "already_exists")) throw error;
      });
}
