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

/** One thing of a title that moved it in an order. */
export const Influence = z.object({
  what: z.enum([
    "suits",
    "meaning",
    "taste",
    "added",
    "year",
    "age",
    "length",
    "series",
    "genres",
    "people",
    "preview",
    "watched",
    "finished",
    "clicked",
    "liked",
  ]),
  /** Whether it speaks for the title. */
  helps: z.boolean(),
  /** By how many places it stands further up with it; below 0 further down. */
  places: z.int(),
});

/**
 * What put a title in its place. model: the order in which people choose; fallback: that should have been, and was not there in time; default: it is in use for
 * nobody here; outside: it is not among those that are put in order; unknown: it could not be found out.
 */
const BY = ["model", "fallback", "default", "outside", "unknown"] as const;
const PLACE = {
  model: z
    .object({
      version: z.int(),
      since: z.iso.datetime(),
      /** Of profiles, in percent; below 100 it is on trial. */
      share: z.int(),
    })
    .nullable(),
  /** The first is 1; 0 where it cannot be said. */
  place: z.int(),
  /** Of how many. */
  titles: z.int(),
  /** The strongest first. */
  influences: z.array(Influence).max(4),
};

/** What put a title where it stands on a home. off: nothing is put in an order for this profile. */
export const HomePlace = z.object({ by: z.enum([...BY, "off"]), ...PLACE });

/** What put a title where it stands in a search. named: it is called as somebody searched. */
export const SearchPlace = z.object({ by: z.enum([...BY, "named"]), ...PLACE });

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
  /** On the profile's home. */
  home: HomePlace,
  /** In the search that somebody came by; null where they did not, or where it cannot be had. */
  search: SearchPlace.nullable(),
  /** Something could not be had in time. */
  partial: z.boolean(),
});

export type Opinion = z.infer<typeof Opinion>;
export type Click = z.infer<typeof Click>;
export type Personalisation = z.infer<typeof Personalisation>;
export type Influence = z.infer<typeof Influence>;
export type HomePlace = z.infer<typeof HomePlace>;
export type SearchPlace = z.infer<typeof SearchPlace>;
export type Why = z.infer<typeof Why>;
