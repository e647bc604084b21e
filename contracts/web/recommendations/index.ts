/** What the web API says of recommendations. */
import { z } from "zod";

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

export const Opinion = z.enum(["none", "up", "down", "not_interested"]);
export const OpinionBody = z.object({ opinion: Opinion });

export const Click = z.object({
  contentId: id,
  rail: z.enum(["for_you", "because", "popular"]),
  position: z.int().min(0).max(100),
});

export const Personalisation = z.object({ enabled: z.boolean() });

/** A title that something is about: what a rail is made because of, or what speaks for another title. */
export const About = z.object({ id, title: z.string().max(200) });

export const Why = z.object({
  ...About.shape,
  /** The weightiest first. */
  reasons: z
    .array(
      z.object({
        kind: z.enum(["watched", "shared", "popular", "seen_often", "added"]),
        /** Of "watched": the title of the profile's that speaks for this one. */
        about: About.nullable(),
        /** Of "shared": the genre or person that this title has in common with what the profile likes. */
        name: z.string().max(200),
        /** Its part of all that speaks for the title, 0 to 1; 0 where it has no share of its own. */
        share: z.number().min(0).max(1),
      }),
    )
    .max(20),
  /** False where the profile wants no recommendations of its own. */
  personalised: z.boolean(),
  /** Something could not be had in time. */
  partial: z.boolean(),
});

export type Opinion = z.infer<typeof Opinion>;
export type Click = z.infer<typeof Click>;
export type Personalisation = z.infer<typeof Personalisation>;
export type Why = z.infer<typeof Why>;
