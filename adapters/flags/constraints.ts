import { BlockList, isIP } from "node:net";
import { RE2JS } from "re2js";
import semver from "semver";
import type { Operator } from "#kernel/ports/flags";
import type { Constraint } from "./document.ts";

/** Attributes by name; `undefined` where one is not known. */
export type Attributes = Readonly<Record<string, string | undefined>>;
export type Test = (context: Attributes) => boolean;

/** Whether a value stands in a relation to the constraint's own; made once, asked often. */
type Comparison = (value: string | undefined, context: Attributes) => boolean;

const never: Comparison = () => false;

/**
 * A constraint as a function of the context, after https://docs.getunleash.io/reference/activation-strategies#constraints. What cannot be
 * understood (an unknown operator, a broken pattern) holds for nobody, inverted or not where the operator itself is unknown.
 */
export function testOf(constraint: Constraint): Test {
  const make = Object.hasOwn(OPERATORS, constraint.operator) ? OPERATORS[constraint.operator as Operator] : undefined;
  if (make === undefined) return () => false;
  const compare = make(constraint);
  const { contextName, inverted = false } = constraint;
  return (context) => compare(context[contextName], context) !== inverted;
}

const wordsOf = ({ values }: Constraint): string[] => values.map((value) => value.trim()).filter(Boolean);

function isOneOf(constraint: Constraint): Comparison {
  const words = new Set(wordsOf(constraint));
  return (value) => value !== undefined && words.has(value);
}

const text =
  (relation: (value: string, word: string) => boolean) =>
  (constraint: Constraint): Comparison => {
    const folded = (word: string): string => (constraint.caseInsensitive ? word.toLowerCase() : word);
    const words = wordsOf(constraint).map(folded);
    return (value) => value !== undefined && words.some((word) => relation(folded(value), word));
  };

const number =
  (relation: (value: number, limit: number) => boolean) =>
  (constraint: Constraint): Comparison => {
    const limit = Number(constraint.value);
    // NaN stands in no relation, so a text that is no number holds for nobody.
    return (value) => value !== undefined && relation(Number(value), limit);
  };

const date =
  (relation: (moment: number, limit: number) => boolean) =>
  (constraint: Constraint): Comparison => {
    const limit = Date.parse(constraint.value ?? "");
    return (_, { currentTime }) => relation(currentTime === undefined ? Date.now() : Date.parse(currentTime), limit);
  };

/** A version as https://semver.org has it: without a `v`, which the library would forgive. */
const isVersion = (version: string): boolean => semver.valid(version) !== null && !version.startsWith("v");

const version =
  (relation: (order: number) => boolean) =>
  (constraint: Constraint): Comparison => {
    const limit = constraint.value?.trim() ?? "";
    if (!isVersion(limit)) return never;
    return (value) => value !== undefined && isVersion(value) && relation(semver.compare(value, limit));
  };

/** RE2 has no backtracking, so no pattern can take its time, whoever wrote it. */
function pattern({ value, caseInsensitive }: Constraint): Comparison {
  try {
    const compiled = RE2JS.compile(value ?? "", caseInsensitive ? RE2JS.CASE_INSENSITIVE : 0);
    return (subject) => subject !== undefined && compiled.matcher(subject).find();
  } catch {
    return never;
  }
}

/** Addresses and networks such as `10.0.0.0/8`; what is neither is left out. */
export function networks(ranges: readonly string[]): (address: string | undefined) => boolean {
  const known = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix, ...more] = range.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    const bitsMax = family === "ipv6" ? 128 : 32;
    const bits = prefix === undefined ? bitsMax : /^\d{1,3}$/.test(prefix) ? Number(prefix) : bitsMax + 1;
    if (isIP(address) !== 0 && more.length === 0 && bits <= bitsMax) known.addSubnet(address, bits, family);
  }
  return (address = "") => isIP(address) !== 0 && known.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

const OPERATORS: Readonly<Record<Operator, (constraint: Constraint) => Comparison>> = {
  IN: isOneOf,
  NOT_IN: (constraint) => {
    const isIn = isOneOf(constraint);
    return (value, context) => !isIn(value, context);
  },
  STR_STARTS_WITH: text((value, word) => value.startsWith(word)),
  STR_ENDS_WITH: text((value, word) => value.endsWith(word)),
  STR_CONTAINS: text((value, word) => value.includes(word)),
  NUM_EQ: number((value, limit) => value === limit),
  NUM_GT: number((value, limit) => value > limit),
  NUM_GTE: number((value, limit) => value >= limit),
  NUM_LT: number((value, limit) => value < limit),
  NUM_LTE: number((value, limit) => value <= limit),
  DATE_AFTER: date((moment, limit) => moment > limit),
  DATE_BEFORE: date((moment, limit) => moment < limit),
  SEMVER_EQ: version((order) => order === 0),
  SEMVER_GT: version((order) => order > 0),
  SEMVER_GTE: version((order) => order >= 0),
  SEMVER_LT: version((order) => order < 0),
  SEMVER_LTE: version((order) => order <= 0),
  REGEX: pattern,
  IN_CIDR: (constraint) => networks(wordsOf(constraint)),
};
