/** The guide as browsers ask for it. Grids are composed when a schedule changes: what is empty is left out of them, because there are thousands. */
import { z } from "zod";

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const text = (lengthMax: number) => z.string().max(lengthMax);
const ms = z.int();

export const GuideChannel = z.object({
  id,
  /** Null where it has none. */
  number: z.int().nullable(),
  name: text(1_000),
  logoUrl: text(2_048).nullable(),
  /** Whether it can be watched here, or stands in the guide alone. */
  playable: z.boolean(),
});

export const GridProgramme = z.object({
  id,
  startMs: ms,
  stopMs: ms,
  title: text(1_000),
  subtitle: text(1_000).optional(),
  season: z.int().optional(),
  episode: z.int().optional(),
  category: text(1_000).optional(),
  /** Years. */
  age: z.int().optional(),
  flag: z.enum(["new", "premiere", "repeat"]).optional(),
  /** The title in other languages, by tag. */
  titles: z.record(z.string(), z.string()).optional(),
  /** True where this profile is too young to learn what it is. */
  locked: z.boolean().optional(),
});

export const GuideOrderedBy = z.enum(["own", "learned", "number"]);

export const Guide = z.object({
  /** In the profile's own order, in one that was learned from what it watches, or by number. */
  channels: z
    .array(
      GuideChannel.extend({
        /** Programmes that start on each of the days asked for, in their order. */
        days: z.array(z.array(GridProgramme)),
      }),
    )
    .max(200),
  /** How many channels there are. */
  total: z.int(),
  orderedBy: GuideOrderedBy,
  /** The learned order could not be had, and numbers stand in its place. */
  partial: z.boolean(),
  days: z.array(z.string()),
  nowMs: ms,
});

export const GuideNow = z.object({
  channels: z.array(GuideChannel.extend({ now: GridProgramme.nullable(), next: GridProgramme.nullable() })).max(200),
  total: z.int(),
  orderedBy: GuideOrderedBy,
  partial: z.boolean(),
  nowMs: ms,
});

export const Airing = GridProgramme.extend({ channel: GuideChannel });

export const GuideProgramme = Airing.extend({
  description: text(20_000),
  /** `Drama · 2024 · 45 min`. */
  facts: text(1_000),
  credits: z.array(z.object({ name: text(1_000), role: text(1_000) })).max(40),
  imageUrl: text(2_048).nullable(),
  seriesId: text(64).nullable(),
  /** Why this is taken for an episode of its series. */
  identity: text(3_000),
  /** Other times that the episode, or else the series, is shown, the earliest first. */
  airings: z.array(Airing).max(20),
  /** What can be done now. */
  canWatch: z.boolean(),
  canStartOver: z.boolean(),
  canRecord: z.boolean(),
  canRemind: z.boolean(),
  /** Whether the profile is to be reminded of it. */
  isReminded: z.boolean(),
  nowMs: ms,
});

export const GuideSearch = z.object({ programmes: z.array(Airing).max(50) });
export const ChannelOrder = z.object({ channelIds: z.array(id).max(1_000) });

export type GuideChannel = z.infer<typeof GuideChannel>;
export type GridProgramme = z.infer<typeof GridProgramme>;
export type Guide = z.infer<typeof Guide>;
export type GuideNow = z.infer<typeof GuideNow>;
export type Airing = z.infer<typeof Airing>;
export type GuideProgramme = z.infer<typeof GuideProgramme>;
