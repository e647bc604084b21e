/**
 * The web API: what browsers ask of the web BFF under /api/web/v1. These schemas validate, serialise and document it; the OpenAPI
 * document is generated from them. Clients use only the types.
 */
import { z } from "zod";
import { About, Opinion } from "./recommendations/index.ts";

export {
  type Airing,
  ChannelOrder,
  Guide,
  type GridProgramme,
  type GuideChannel,
  GuideNow,
  GuideOrderedBy,
  GuideProgramme,
  GuideSearch,
} from "./guide.ts";

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const text = (lengthMax: number) => z.string().max(lengthMax);
const url = z.string().max(2_048);

/** A picture in several widths; `srcset`-ready. `color` fills the slot until the picture is there. */
export const Image = z.object({
  /** Addresses by width in pixels, ascending, WebP: [{ width: 320, url: "/images/…" }, …]. */
  sources: z.array(z.object({ width: z.int(), url })).max(8),
  /** The dominant colour, `#rrggbb`. */
  color: z.string().regex(/^#[0-9a-f]{6}$/),
  /** A 20-pixel-wide WebP as a data URL, blurred by the page until the picture is there; may be empty. */
  blurDataUrl: text(2_000),
  alt: text(200),
});

export const AgeRating = z.enum(["0", "6", "12", "16", "18"]);

export const Card = z.object({
  id,
  kind: z.enum(["film", "series", "episode"]),
  title: text(200),
  /** One line under the title: `2026 · 1 h 12 min · Drama`. */
  facts: text(200),
  synopsis: text(300),
  ageRating: AgeRating,
  image: Image.nullable(),
  /** 0 to 1 where the profile has started it. */
  progress: z.number().min(0).max(1).nullable(),
  /** What to play when the card's play button is pressed: the film itself or an episode. Null while nothing is playable. */
  playId: id.nullable(),
  /** `S1 E2` in rails that show episodes. */
  badge: text(40).nullable(),
  state: z.enum(["playable", "processing", "unavailable"]),
  /** 0 to 1 while the title is still being encoded. */
  processingProgress: z.number().min(0).max(1).nullable(),
});

export const Rail = z.object({
  id: text(64),
  title: text(100),
  kind: z.enum(["continue", "new", "genre", "list", "coming", "for_you", "because", "popular"]),
  /** Of "because": the title that gave more to the score of each of these than anything else. */
  about: About.nullable().default(null),
  cards: z.array(Card).max(30),
});

export const Hero = z.object({
  card: Card,
  backdrop: Image.nullable(),
  /** A silent MP4 of a few seconds that plays over the still once. */
  previewUrl: url.nullable(),
  tagline: text(300),
});

export const Home = z.object({
  hero: Hero.nullable(),
  rails: z.array(Rail).max(20),
  /** True when a part fell back to something simpler; not announced to people. */
  partial: z.boolean(),
});

export const Episode = z.object({
  id,
  number: z.int(),
  title: text(200),
  synopsis: text(1_000),
  durationS: z.number(),
  image: Image.nullable(),
  progress: z.number().nullable(),
  state: z.enum(["playable", "processing", "unavailable"]),
});

/** Why something cannot be watched by this account, and what would unlock it; null when it can. */
const locked = z.object({ reason: z.enum(["tier", "age", "market", "window"]), message: text(300) }).nullable();

/** Chapters in the order of their starts; a title may be empty. */
const chapters = z.array(z.object({ startS: z.number().min(0), title: text(120) })).max(200);

export const Title = z.object({
  id,
  kind: z.enum(["film", "series", "episode"]),
  title: text(200),
  synopsis: text(2_000),
  facts: text(200),
  year: z.int().nullable(),
  durationS: z.number(),
  chapters,
  ageRating: AgeRating,
  genres: z.array(text(60)).max(10),
  cast: z.array(z.object({ name: text(100), role: text(100) })).max(30),
  audioLanguages: z.array(text(35)).max(40),
  subtitleLanguages: z.array(text(35)).max(40),
  backdrop: Image.nullable(),
  poster: Image.nullable(),
  /** A silent MP4 of a few seconds that plays over the backdrop once. */
  previewUrl: url.nullable(),
  seasons: z.array(z.object({ number: z.int(), title: text(100), episodes: z.array(Episode).max(200) })).max(50),
  playId: id.nullable(),
  resumePositionS: z.number(),
  progress: z.number().nullable(),
  inMyList: z.boolean(),
  /** What the profile says of it; of an episode, of its series. */
  opinion: Opinion,
  state: z.enum(["playable", "processing", "unavailable"]),
  processingProgress: z.number().nullable(),
  locked,
  more: z.array(Card).max(20),
  seriesId: id.nullable(),
  seriesTitle: text(200).nullable(),
  nextEpisodeId: id.nullable(),
});

/** What a channel shows at a moment. */
const programme = z.object({
  title: text(200),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  /** Whether it may be seen again from its beginning while it is on. */
  canStartOver: z.boolean(),
});
export const PresentProgramme = z.object({ programme: programme.nullable() });

export const Channel = z.object({
  id,
  /** What a viewer types. */
  number: z.int(),
  name: text(200),
  logo: url.nullable(),
  language: text(35),
  ageRating: AgeRating,
  onAir: z.boolean(),
  locked,
  now: programme.nullable(),
});

export const ChannelList = z.object({ channels: z.array(Channel).max(500) });

/** What clients are told of feature flags, by name; a switch that a client does not know is none of its business. */
export const ClientFlags = z.object({
  flags: z.object({ "kill.web.previews": z.boolean() }),
});

export const DeviceType = z.enum(["web", "android_tv", "apple_tv", "tizen", "webos", "stb", "ios", "android", "cast"]);
export const Device = z.object({ id: z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/), type: DeviceType, name: text(80) });

export const StartSession = z.object({ contentId: id, device: Device });

export const Session = z.object({
  sessionId: id,
  manifests: z.object({ hls: url, dash: url }),
  /** The delivery networks of this session, the chosen one first; each has a token of its own. */
  cdns: z
    .array(z.object({ id: text(20), baseUrl: url, token: z.string().max(2_048) }))
    .min(1)
    .max(4),
  token: z.string().max(2_048),
  tokenExpiresAt: z.iso.datetime(),
  licenses: z.object({
    clearkey: url.nullable(),
    widevine: url.nullable(),
    playready: url.nullable(),
    fairplay: url.nullable(),
  }),
  /** Where the FairPlay certificate is. */
  fairplayCertificate: url.nullable(),
  /** On the player's clock, which counts ads, as positions of heartbeats do. */
  resumePositionS: z.number().min(0),
  heartbeatIntervalS: z.number(),
  /** Where ads interrupt the title, in the title, and for how long. */
  adBreaks: z.array(z.object({ atS: z.number(), durationS: z.number() })).max(50),
  /** What the player shows: title, subtitle line, next episode, thumbnails are in the manifests. */
  content: z.object({
    id,
    title: text(200),
    subtitle: text(200),
    durationS: z.number(),
    chapters,
    nextEpisodeId: id.nullable(),
    introStartS: z.number().nullable(),
    introEndS: z.number().nullable(),
    backId: id,
  }),
  /** For channels only. */
  live: z
    .object({
      latency: z.enum(["low", "standard"]),
      /** How far back the viewer may go. */
      dvrWindowS: z.number(),
      /** What was on when the session began, to start it over; null where nobody knows. */
      programme: programme.nullable(),
    })
    .nullable(),
});

/** The spec's QoE fields (ARCH-001 section 9). Counters count from the session's start. */
export const Heartbeat = z.object({
  sequence: z.int().min(0).max(10_000_000),
  positionS: z.number().min(0).max(1_000_000),
  durationS: z.number().min(0).max(1_000_000),
  state: z.enum(["playing", "paused", "buffering", "ended"]),
  cdnId: text(20),
  videoStartTimeMs: z.int().min(0).max(600_000).nullable(),
  rebufferCount: z.int().min(0).max(100_000),
  rebufferDurationMs: z.int().min(0).max(100_000_000),
  bitrateKbps: z.int().min(0).max(1_000_000),
  averageBitrateKbps: z.int().min(0).max(1_000_000),
  bitrateMaxKbps: z.int().min(0).max(1_000_000),
  bitrateSwitches: z.int().min(0).max(1_000_000),
  width: z.int().min(0).max(16_384),
  height: z.int().min(0).max(16_384),
  resolutionDrops: z.int().min(0).max(1_000_000),
  droppedFrames: z.int().min(0).max(100_000_000),
  decodedFrames: z.int().min(0).max(1_000_000_000),
  throughputKbps: z.int().min(0).max(10_000_000),
  bufferS: z.number().min(0).max(100_000),
  /** How far the picture of a channel is behind the world; null for what is not live. */
  liveLatencyMs: z.int().min(0).max(2_000_000_000).nullable().default(null),
  errors: z.array(z.object({ code: text(40), message: text(300) })).max(10),
});

export const HeartbeatAnswer = z.object({
  heartbeatIntervalS: z.number(),
  /** Set when the platform wants the player on another network now; the order of ids is the new preference. */
  switchTo: z.array(text(20)).max(4).nullable(),
  /** True when the session is over on the server (ended elsewhere): stop playing and say so. */
  ended: z.boolean(),
});

export const TokenAnswer = z.object({
  cdns: z
    .array(z.object({ id: text(20), baseUrl: url, token: z.string().max(2_048) }))
    .min(1)
    .max(4),
  token: z.string().max(2_048),
  tokenExpiresAt: z.iso.datetime(),
});

export const Profile = z.object({
  id,
  name: text(40),
  isKids: z.boolean(),
  hasPin: z.boolean(),
  /** The seed of the drawn avatar and its colour. */
  avatar: z.object({ shape: z.int().min(0).max(11), color: z.string().regex(/^#[0-9a-f]{6}$/) }),
  language: text(35),
  ageRatingMax: AgeRating,
});
export const NewProfile = z.object({
  name: z.string().trim().min(1).max(40),
  isKids: z.boolean().default(false),
  avatar: Profile.shape.avatar.optional(),
  language: text(35).optional(),
  ageRatingMax: AgeRating.optional(),
});
export const ProfileChange = NewProfile.partial().extend({
  pin: z
    .string()
    .regex(/^\d{4}$/)
    .nullable()
    .optional(),
});
export const SelectProfile = z.object({
  pin: z
    .string()
    .regex(/^\d{4}$/)
    .optional(),
});

export const ActiveStream = z.object({
  sessionId: id,
  deviceName: text(80),
  deviceType: DeviceType,
  profileName: text(40),
  contentTitle: text(200),
  startedAt: z.iso.datetime(),
});

export const Account = z.object({
  email: text(254),
  name: text(100),
  plan: z.object({
    tier: z.enum(["basic", "premium"]),
    label: text(60),
    streamsMax: z.int(),
    qualityLabel: text(60),
    renewsAt: z.iso.datetime().nullable(),
  }),
  plans: z
    .array(
      z.object({
        tier: z.enum(["basic", "premium"]),
        label: text(60),
        priceLabel: text(40),
        streamsMax: z.int(),
        qualityLabel: text(60),
      }),
    )
    .max(5),
  devices: z
    .array(
      z.object({ id: text(128), name: text(80), type: DeviceType, lastSeenAt: z.iso.datetime(), isThis: z.boolean() }),
    )
    .max(100),
  streams: z.array(ActiveStream).max(20),
});

/** Who is looking: for the header and for guards. Null user: signed out. */
export const Viewer = z.object({
  user: z.object({ id, name: text(100), email: text(254), tier: z.enum(["basic", "premium"]) }).nullable(),
  profile: Profile.nullable(),
  brand: z.object({ name: text(60), accent: z.string().regex(/^#[0-9a-f]{6}$/) }),
  /** Where brokered sign-in is configured: `google`, `apple`. */
  signInWith: z.array(text(20)).max(5),
  /** Demo accounts to show on the sign-in page of a demo installation; empty elsewhere. */
  demoAccounts: z.array(z.object({ email: text(254), password: text(60) })).max(5),
});

/** RFC 9457. `type` ends with the reason: `/problems/stream_limit`. */
export const ProblemDocument = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string().optional(),
  traceId: z.string(),
  /** With reason `stream_limit`: the devices that hold the streams. */
  streams: z.array(ActiveStream).optional(),
  /** With reason `validation`: what is wrong with which member. */
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

export type Channel = z.infer<typeof Channel>;
export type PresentProgramme = z.infer<typeof PresentProgramme>;
export type ChannelList = z.infer<typeof ChannelList>;
export type ClientFlags = z.infer<typeof ClientFlags>;
export type Image = z.infer<typeof Image>;
export type AgeRating = z.infer<typeof AgeRating>;
export type Card = z.infer<typeof Card>;
export type Rail = z.infer<typeof Rail>;
export type Hero = z.infer<typeof Hero>;
export type Home = z.infer<typeof Home>;
export type Episode = z.infer<typeof Episode>;
export type Title = z.infer<typeof Title>;
export type Device = z.infer<typeof Device>;
export type DeviceType = z.infer<typeof DeviceType>;
export type StartSession = z.infer<typeof StartSession>;
export type Session = z.infer<typeof Session>;
export type Heartbeat = z.infer<typeof Heartbeat>;
export type HeartbeatAnswer = z.infer<typeof HeartbeatAnswer>;
export type TokenAnswer = z.infer<typeof TokenAnswer>;
export type Profile = z.infer<typeof Profile>;
export type NewProfile = z.infer<typeof NewProfile>;
export type ProfileChange = z.infer<typeof ProfileChange>;
export type SelectProfile = z.infer<typeof SelectProfile>;
export type ActiveStream = z.infer<typeof ActiveStream>;
export type Account = z.infer<typeof Account>;
export type Viewer = z.infer<typeof Viewer>;
export type ProblemDocument = z.infer<typeof ProblemDocument>;
