import { problem } from "#kernel/errors";
import type { Audience, Condition, FlagRule, FlagValue, Operator } from "#kernel/ports/flags";
import { RE2JS } from "re2js";
import semver from "semver";
import type { Constraint, Feature, Segment, Strategy, Variant } from "./document.ts";
import { parsePayload, payloadOf } from "./values.ts";

// A rule of the port as a feature of Unleash, and the other way round.

/** As a list because a record of them is what the type says already. */
const COMPARING: readonly Operator[] = [
  ...(["NUM_EQ", "NUM_GT", "NUM_GTE", "NUM_LT", "NUM_LTE", "DATE_AFTER", "DATE_BEFORE", "REGEX"] as const),
  ...(["SEMVER_EQ", "SEMVER_GT", "SEMVER_GTE", "SEMVER_LT", "SEMVER_LTE"] as const),
];
const isComparing = (operator: string): boolean => (COMPARING as readonly string[]).includes(operator);

export function featureOf({ name, isEnabled, audiences }: FlagRule): Feature {
  return {
    name,
    enabled: isEnabled,
    strategies: audiences.map((audience) => strategyOf(name, audience)),
    variants: [],
    dependencies: [],
  };
}

export function strategyOf(name: string, { conditions, percent, stickiness, variants }: Audience): Strategy {
  return {
    name: "flexibleRollout",
    parameters: { rollout: String(percent), stickiness, groupId: name },
    constraints: conditions.map(constraintOf),
    segments: [],
    variants: variants.map((variant) => ({
      name: variant.name,
      weight: variant.weight,
      stickiness,
      payload: payloadOf(variant.value),
      overrides: [],
    })),
  };
}

function constraintOf({ attribute, operator, values, isInverted }: Condition): Constraint {
  return {
    contextName: attribute,
    operator,
    ...(isComparing(operator) ? { value: values[0], values: [] } : { value: undefined, values: [...values] }),
    inverted: isInverted,
    caseInsensitive: false,
  };
}

/** What operators are shown of a feature. What a rule cannot say (old strategies, overrides) is shown as the nearest that it can. */
export function ruleOf(feature: Feature, segments: readonly Segment[]): FlagRule {
  const audiences = feature.strategies.map((strategy) => audienceOf(strategy, feature, segments));
  return { name: feature.name, isEnabled: feature.enabled, audiences };
}

function audienceOf(strategy: Strategy, feature: Feature, segments: readonly Segment[]): Audience {
  const { parameters, constraints } = strategy;
  const inherited = strategy.segments.flatMap((id) => segments.find((segment) => segment.id === id)?.constraints ?? []);
  const variants = strategy.variants.length > 0 ? strategy.variants : feature.variants;
  return {
    conditions: [...constraints, ...inherited, ...impliedBy(strategy)].map((constraint) => ({
      attribute: constraint.contextName,
      operator: constraint.operator as Operator,
      values: isComparing(constraint.operator) ? [constraint.value ?? ""] : constraint.values,
      isInverted: constraint.inverted ?? false,
    })),
    percent: Number(parameters["rollout"] ?? parameters["percentage"] ?? 100),
    stickiness: parameters["stickiness"] || "default",
    variants: variants.map((variant) => ({ name: variant.name, weight: variant.weight, value: shownOf(variant) })),
  };
}

/** The conditions that older strategies put into their parameters. */
function impliedBy({ name, parameters }: Strategy): Constraint[] {
  const of = (contextName: string, operator: Operator, list: string | null | undefined): Constraint => ({
    ...{ contextName, operator, values: (list ?? "").split(",").map((word) => word.trim()) },
    ...{ value: undefined, inverted: false, caseInsensitive: false },
  });
  if (name === "userWithId") return [of("userId", "IN", parameters["userIds"])];
  if (name === "remoteAddress") return [of("remoteAddress", "IN_CIDR", parameters["IPs"])];
  return [];
}

const shownOf = (variant: Variant): FlagValue =>
  (variant.payload && parsePayload(variant.payload)) ?? variant.payload?.value ?? true;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const LIMITS = { audiences: 30, conditions: 30, values: 250, text: 200, variants: 30, value: 16 * 1024 };
const STICKINESS_DEFAULTS: readonly string[] = ["default", "random"];

/** `invalid_argument` names the member at fault and what it should be. */
export function assertRule(rule: FlagRule, attributes: ReadonlySet<string>): void {
  const where = (detail: string): Error => problem.invalid(`the flag '${rule.name.slice(0, 100)}': ${detail}`);
  if (!NAME.test(rule.name)) throw where("a name has up to 100 letters, digits, '.', '_' and '-'");
  if (rule.audiences.length > LIMITS.audiences)
    throw where(`${rule.audiences.length} audiences are more than ${LIMITS.audiences}`);
  for (const { conditions, percent, stickiness, variants } of rule.audiences) {
    if (!(percent >= 0 && percent <= 100)) throw where(`${percent} % is not between 0 and 100`);
    if (!STICKINESS_DEFAULTS.includes(stickiness) && !attributes.has(stickiness))
      throw where(
        `a share cannot be taken by '${stickiness.slice(0, 40)}': use ${[...STICKINESS_DEFAULTS, ...attributes].join(", ")}`,
      );
    if (conditions.length > LIMITS.conditions) throw where(`more than ${LIMITS.conditions} conditions`);
    for (const condition of conditions) {
      if (!attributes.has(condition.attribute))
        throw where(
          `nothing is known of '${condition.attribute.slice(0, 40)}': there are ${[...attributes].join(", ")}`,
        );
      const fault = faultOf(condition);
      if (fault) throw where(fault);
    }
    if (variants.length > LIMITS.variants) throw where(`more than ${LIMITS.variants} variants`);
    for (const { weight, value } of variants) {
      if (!Number.isInteger(weight) || weight < 0 || weight > 1_000)
        throw where(`a weight of ${weight} is not a whole number from 0 to 1000`);
      if (value === "") throw where("a value has at least one character");
      if (payloadOf(value).value.length > LIMITS.value) throw where(`a value has more than ${LIMITS.value} characters`);
    }
  }
}

/** What is wrong with a condition, which would otherwise silently hold for nobody. */
function faultOf({ attribute, operator, values }: Condition): string | undefined {
  const [value = ""] = values;
  const isOf = (what: string): string => `'${value.slice(0, 60)}' for ${attribute} is not ${what}`;
  if (
    values.length === 0 ||
    values.length > LIMITS.values ||
    values.some((word) => word === "" || word.length > LIMITS.text)
  )
    return `the condition on ${attribute} has 1 to ${LIMITS.values} values of up to ${LIMITS.text} characters`;
  if (operator.startsWith("NUM_") && !Number.isFinite(Number(value))) return isOf("a number");
  if (operator.startsWith("SEMVER_") && (semver.valid(value) === null || value.startsWith("v")))
    return isOf("a version such as 2.14.0");
  if (operator.startsWith("DATE_") && Number.isNaN(Date.parse(value)))
    return isOf("a time such as 2026-12-24T20:15:00Z");
  if (operator !== "REGEX") return undefined;
  try {
    RE2JS.compile(value);
    return undefined;
  } catch {
    return isOf("a pattern that RE2 understands");
  }
}
