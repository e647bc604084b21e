import { defineContract, event } from "../../kernel/contract.ts";
import { type FeaturesUpdated, featuresUpdatedSchema } from "./gen/events.ts";
import { FeaturesService } from "./gen/features_pb.js";

export type { FeaturesUpdated } from "./gen/events.ts";
export type * from "./gen/features_pb.js";

export const Features = defineContract({
  name: "features",
  rpc: FeaturesService,
  events: {
    updated: event<FeaturesUpdated>()("features.updated", featuresUpdatedSchema),
  },
});

/** A genre as the features of `user_genre_preferences` call it, however a catalogue writes it. */
export function genreName(genre: string): string {
  const plain = genre
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_|_$/g, "");
  return plain === "sci_fi" || plain === "scifi" ? "science_fiction" : plain;
}
