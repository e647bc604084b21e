import type { TraceRecord } from "#kernel/tracing";

/**
 * Journeys that operators ask for by name (ARCH-001 section 9, "Key Traced Journeys"): a journey is one trace or several, each known by the
 * name of its first span. What goes on by events or jobs is a trace of its own, linked to the one that it came of.
 */
export const JOURNEYS = {
  "sign-in": [/^(GET|POST) \/(sign-in|sign-up)/, /^GET \/oauth\//, /^POST \/oauth\//, /^GET \/auth\/callback$/],
  playback: [/^POST \/api\/web\/v1\/playback\/sessions$/, /^POST \/license\/$/],
  search: [/^GET \/api\/web\/v1\/search$/],
  home: [/^GET \/api\/web\/v1\/home$/],
  ingest: [/^ingest\/Import$/, / works on (ingest|encoding)$/, / consumes content\.ingest/],
  events: [/ consumes /],
} as const satisfies Readonly<Record<string, readonly RegExp[]>>;

export type Journey = keyof typeof JOURNEYS;

export const isJourney = (name: string): name is Journey => Object.hasOwn(JOURNEYS, name);

export const isOf = (journey: Journey, { name }: Pick<TraceRecord, "name">): boolean =>
  JOURNEYS[journey].some((pattern) => pattern.test(name));
