import { problem } from "#kernel";
import type { Condition, Operator } from "#kernel/ports/flags";
import { plain } from "./terminal.ts";

/** How operators write a relation, and what flags call it for texts, numbers, versions and times; the longer signs first. */
const SIGNS: readonly (readonly [
  string,
  Partial<Record<"list" | "text" | "number" | "version" | "time", Operator>>,
])[] = [
  [">=", { number: "NUM_GTE", version: "SEMVER_GTE" }],
  ["<=", { number: "NUM_LTE", version: "SEMVER_LTE" }],
  ["^=", { text: "STR_STARTS_WITH" }],
  ["$=", { text: "STR_ENDS_WITH" }],
  ["*=", { text: "STR_CONTAINS" }],
  [">", { number: "NUM_GT", version: "SEMVER_GT", time: "DATE_AFTER" }],
  ["<", { number: "NUM_LT", version: "SEMVER_LT", time: "DATE_BEFORE" }],
  ["~", { text: "REGEX" }],
  ["=", { list: "IN" }],
];
const FORM = /^([A-Za-z]+)(!?)(>=|<=|\^=|\$=|\*=|>|<|~|=)(.+)$/s;
const EXAMPLES =
  "tier=premium,basic  market!=US  appVersion>=2.1.0  userId^=usr_  userId~'^a.*z$'  remoteAddress=10.0.0.0/8";

/** Reads `tier=premium` and its like; `invalid_argument` says how conditions are written. */
export function parseCondition(text: string): Condition {
  const [, attribute = "", not, sign, value = ""] = FORM.exec(text) ?? [];
  const known = SIGNS.find(([name]) => name === sign)?.[1];
  const fault = (): Error => problem.invalid(`'${plain(text)}' is no condition; write for example ${EXAMPLES}`);
  if (!known) throw fault();
  const isInverted = not === "!";
  if (sign === "=") {
    const operator = attribute === "remoteAddress" ? "IN_CIDR" : "IN";
    return { attribute, operator, values: value.split(",").map((word) => word.trim()), isInverted };
  }
  if (known.text) {
    const values = known.text === "REGEX" ? [value] : value.split(",").map((word) => word.trim());
    return { attribute, operator: known.text, values, isInverted };
  }
  const kind = attribute === "currentTime" ? "time" : /^\d+\.\d+\.\d+/.test(value) ? "version" : "number";
  const operator = known[kind];
  if (operator === undefined) throw fault();
  return { attribute, operator, values: [value], isInverted };
}

/** A condition as it is written. */
export function conditionText({ attribute, operator, values, isInverted }: Condition): string {
  const isIn = operator === "IN" || operator === "NOT_IN" || operator === "IN_CIDR";
  const sign = isIn ? "=" : SIGNS.find(([, names]) => Object.values(names).includes(operator))?.[0];
  const isNot = isInverted !== (operator === "NOT_IN");
  return plain(`${attribute}${isNot ? "!" : ""}${sign ?? ` ${operator} `}${values.join(",")}`);
}
