import { z } from "zod";
import { problem } from "#kernel/errors";

/**
 * The answer of Unleash's client API, `GET /api/client/features` (format version 2): features with their strategies, and segments. Members
 * that we do not use are left out. The delta form (`events`) of newer servers changes what was known before.
 */
const maybe = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value): z.output<T> | undefined => value ?? undefined);
const list = <T extends z.ZodType>(schema: T) =>
  z
    .array(schema)
    .nullish()
    .transform((value): z.output<T>[] => value ?? []);
const word = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const Constraint = z.object({
  contextName: z.string().default(""),
  operator: z.string(),
  value: maybe(word),
  values: list(word),
  inverted: maybe(z.boolean()),
  caseInsensitive: maybe(z.boolean()),
});
export type Constraint = z.output<typeof Constraint>;

const Payload = z.object({ type: z.string(), value: z.string() });
const Variant = z.object({
  name: z.string(),
  weight: z.number().default(0),
  stickiness: maybe(z.string()),
  payload: maybe(Payload),
  overrides: list(z.object({ contextName: z.string(), values: z.array(z.string()) })),
});
export type Variant = z.output<typeof Variant>;

const Strategy = z.object({
  name: z.string(),
  parameters: z
    .record(z.string(), word.nullish())
    .nullish()
    .transform((value) => value ?? {}),
  constraints: list(Constraint),
  segments: list(z.number()),
  variants: list(Variant),
});
export type Strategy = z.output<typeof Strategy>;

const Feature = z.object({
  name: z.string(),
  enabled: z.boolean(),
  strategies: list(Strategy),
  variants: list(Variant),
  dependencies: list(z.object({ feature: z.string(), enabled: maybe(z.boolean()), variants: list(z.string()) })),
});
export type Feature = z.output<typeof Feature>;

const Segment = z.object({ id: z.number(), constraints: list(Constraint) });
export type Segment = z.output<typeof Segment>;

const Event = z.discriminatedUnion("type", [
  z.object({ type: z.literal("hydration"), features: z.array(Feature), segments: list(Segment) }),
  z.object({ type: z.literal("feature-updated"), feature: Feature }),
  z.object({ type: z.literal("feature-removed"), featureName: z.string() }),
  z.object({ type: z.literal("segment-updated"), segment: Segment }),
  z.object({ type: z.literal("segment-removed"), segmentId: z.number() }),
]);
const Answer = z.union([
  z.object({ features: z.array(Feature), segments: list(Segment) }),
  z.object({ events: z.array(Event).max(100_000) }),
]);

/** What is known of flags. */
export interface Document {
  readonly features: readonly Feature[];
  readonly segments: readonly Segment[];
}

export const EMPTY: Document = { features: [], segments: [] };

/** Reads an answer; `invalid_argument` names the member at fault. */
export function readDocument(answer: unknown, before: Document = EMPTY): Document {
  const read = Answer.safeParse(answer);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw problem.invalid(
      `this is no list of features in Unleash's format: ${issue?.path.join(".") || "the document"}: ${issue?.message ?? ""}`,
    );
  }
  if ("features" in read.data) return read.data;
  const features = new Map(before.features.map((feature) => [feature.name, feature]));
  const segments = new Map(before.segments.map((segment) => [segment.id, segment]));
  for (const event of read.data.events) {
    if (event.type === "hydration") {
      features.clear();
      segments.clear();
      for (const feature of event.features) features.set(feature.name, feature);
      for (const segment of event.segments) segments.set(segment.id, segment);
    } else if (event.type === "feature-updated") features.set(event.feature.name, event.feature);
    else if (event.type === "feature-removed") features.delete(event.featureName);
    else if (event.type === "segment-updated") segments.set(event.segment.id, event.segment);
    else segments.delete(event.segmentId);
  }
  return { features: [...features.values()], segments: [...segments.values()] };
}
