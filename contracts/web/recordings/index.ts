/** What the web API says of recordings. */
import { z } from "zod";

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const seconds = z.int().min(0).max(7_200);
const Padding = z.object({ beforeS: seconds, afterS: seconds });

export const Recording = z.object({
  id,
  /** What is played, at `/recordings/{id}`. */
  contentId: id,
  channelName: z.string().max(200),
  /** By language (BCP 47); empty where the guide does not say which it is. */
  titles: z.record(z.string().max(35), z.string().max(1_000)),
  startMs: z.int(),
  stopMs: z.int(),
  state: z.enum(["scheduled", "recording", "completed", "failed"]),
  /** Why it failed: cancelled, no_record, no_signal or channel_gone; else empty. */
  failure: z.string().max(40),
  /** How much of it is there. */
  recordedS: z.int(),
  /** How much of it is missing. */
  missingS: z.int(),
  isOfSeries: z.boolean(),
});

export const SeriesRule = z.object({
  id,
  title: z.string().max(1_000),
  isAnyChannel: z.boolean(),
  isNewOnly: z.boolean(),
  /** 0: all. */
  keep: z.int(),
});

export const Recordings = z.object({
  recordings: z.array(Recording).max(500),
  series: z.array(SeriesRule).max(200),
  quota: z.object({ usedS: z.int(), maxS: z.int() }),
});

export const NewRecording = z.object({ programmeId: id, padding: Padding.optional() });

export const NewSeriesRule = z.object({
  seriesId: z.string().min(1).max(200),
  /** Left out: any channel. */
  channelId: id.optional(),
  isNewOnly: z.boolean().default(true),
  keep: z.int().min(0).max(100).default(0),
  padding: Padding.optional(),
});

export type Recording = z.infer<typeof Recording>;
export type SeriesRule = z.infer<typeof SeriesRule>;
export type Recordings = z.infer<typeof Recordings>;
export type NewRecording = z.input<typeof NewRecording>;
export type NewSeriesRule = z.input<typeof NewSeriesRule>;
