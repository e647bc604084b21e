import { type Attributes, type Test, testOf } from "./constraints.ts";
import type { Document, Feature, Segment, Strategy, Variant } from "./document.ts";
import { activationOf, type Chance, shareOf, stickinessOf } from "./strategies.ts";

/** What a feature is for a context. */
export interface Outcome {
  readonly isEnabled: boolean;
  /** The feature exists, and nobody shut it as a whole. */
  readonly isOpen: boolean;
  readonly variant: Variant | undefined;
  /** A share of people decided, not only what they are. */
  readonly isSplit: boolean;
  /** It depends on the context at all. */
  readonly isTargeted: boolean;
}

/** Features, made ready to be asked: what can be worked out once is. */
export interface Engine {
  has(name: string): boolean;
  evaluate(name: string, context: Attributes): Outcome;
}

interface Ready {
  readonly feature: Feature;
  readonly strategies: readonly { readonly spec: Strategy; readonly isTargeted: boolean; readonly holds: Test }[];
}

const VARIANT_SEED = 86_028_157;
const SHUT: Outcome = { isEnabled: false, isOpen: false, variant: undefined, isSplit: false, isTargeted: false };
const OFF: Outcome = { ...SHUT, isOpen: true, isTargeted: true };

/** Evaluates features as Unleash's client specification demands (https://github.com/Unleash/client-specification). */
export function openEngine({ features, segments }: Document, chance: Chance = Math.random): Engine {
  const segmentsById = new Map(segments.map((segment) => [segment.id, segment]));
  const ready = new Map(features.map((feature) => [feature.name, readyOf(feature, segmentsById, chance)]));

  /** Whether the features that one stands on are as it wants them; what stands on others itself may not be stood on. */
  function isSupported({ dependencies }: Feature, context: Attributes): boolean {
    return dependencies.every(({ feature: name, enabled = true, variants }) => {
      const parent = ready.get(name);
      if (!parent || parent.feature.dependencies.length > 0) return false;
      const outcome = evaluate(name, context);
      if (!enabled) return !outcome.isEnabled;
      if (!outcome.isEnabled) return false;
      return variants.length === 0 || variants.includes(outcome.variant?.name ?? "disabled");
    });
  }

  function evaluate(name: string, context: Attributes): Outcome {
    const found = ready.get(name);
    if (!found?.feature.enabled) return SHUT;
    const { feature, strategies } = found;
    if (!isSupported(feature, context)) return OFF;
    const fitting = strategies.find(({ holds }) => holds(context));
    if (!fitting && strategies.length > 0) return OFF;
    const { spec } = fitting ?? {};
    const own = spec?.variants ?? [];
    const variants = own.length > 0 ? own : feature.variants;
    const group = own.length > 0 ? (spec?.parameters["groupId"] ?? name) : name;
    const stickiness = variants[0]?.stickiness ?? (own.length > 0 ? spec?.parameters["stickiness"] : undefined);
    return {
      isEnabled: true,
      isOpen: true,
      variant: choose(variants, { group, stickiness: stickiness || "default", context, chance }),
      isSplit: variants.length > 1 || isShared(spec),
      isTargeted: fitting?.isTargeted === true || feature.dependencies.length > 0,
    };
  }

  return { has: (name) => ready.has(name), evaluate };
}

const isShared = (spec: Strategy | undefined): boolean =>
  spec !== undefined &&
  /rollout/i.test(spec.name) &&
  Number(spec.parameters["rollout"] ?? spec.parameters["percentage"]) < 100;

function readyOf(feature: Feature, segments: ReadonlyMap<number, Segment>, chance: Chance): Ready {
  const strategies = feature.strategies.map((spec) => {
    const isActive = activationOf(spec, feature.name, chance);
    const inherited = spec.segments.map((id) => segments.get(id));
    // A segment that is not there may have kept people out: nobody comes in by its absence.
    const isWhole = inherited.every((segment) => segment !== undefined);
    const tests = [...spec.constraints, ...inherited.flatMap((segment) => segment?.constraints ?? [])].map(testOf);
    return {
      spec,
      isTargeted: tests.length > 0 || !["default", "flexibleRollout"].includes(spec.name),
      holds: (context: Attributes) => isWhole && tests.every((test) => test(context)) && isActive(context),
    };
  });
  return { feature, strategies };
}

/** One of the variants: by an override that names the context, else by weight. */
function choose(
  variants: readonly Variant[],
  of: {
    readonly group: string;
    readonly stickiness: string;
    readonly context: Attributes;
    readonly chance: Chance;
  },
): Variant | undefined {
  const total = variants.reduce((sum, { weight }) => sum + weight, 0);
  if (total <= 0) return undefined;
  const named = variants.find(({ overrides }) =>
    overrides.some(({ contextName, values }) => values.includes(of.context[contextName] ?? "")),
  );
  if (named) return named;
  const id =
    stickinessOf(of.stickiness, of.context, of.chance) ||
    (of.stickiness === "default" && of.context["remoteAddress"]) ||
    String(of.chance());
  const place = shareOf(id, of.group, total, VARIANT_SEED);
  let reached = 0;
  return variants.find(({ weight }) => {
    reached += weight;
    return weight > 0 && reached >= place;
  });
}
