import type { TraceRecord } from "#kernel/tracing";

/**
 * Journeys that operators ask for by name (ARCH-001 section 9, "Key Traced Journeys"): a journey is one trace or several, each known by the
 * name of its first span. What goes on by jobs, or by events of several origins, is a trace of its own, linked to those that it came of; what events of
 * one origin bring about is a part of that trace.
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

export const isOf = (journey: Journey, { name, spans }: Pick<TraceRecord, "name" | "spans">): boolean => {
  const names = journey === "events" ? spans.map((span) => span.name) : [name];
  return JOURNEYS[journey].some((pattern) => names.some((one) => pattern.test(one)));
};
