import type { Evaluation, Flag, FlagContext, FlagValue } from "#kernel/ports/flags";
import type { Attributes } from "./constraints.ts";
import type { Variant } from "./document.ts";
import type { Engine } from "./engine.ts";

/**
 * A flag's value as OpenFeature tells it. A feature that is on is `true`; every other kind of value is the payload of its variant. Whatever cannot
 * be used is the default, with the reason.
 */
export function valueOf<T extends FlagValue>(
  engine: Engine,
  { name, fallback }: Flag<T>,
  context: FlagContext,
): Evaluation<T> {
  if (!engine.has(name)) return { value: fallback, reason: "DEFAULT" };
  const { isEnabled, isOpen, isSplit, isTargeted, variant } = engine.evaluate(name, context as Attributes);
  const reason = !isOpen ? "DISABLED" : isSplit ? "SPLIT" : isTargeted ? "TARGETING_MATCH" : "STATIC";
  const named = variant ? { variant: variant.name } : {};
  if (typeof fallback === "boolean") return { value: isEnabled as T, reason, ...named };
  if (!isEnabled) return { value: fallback, reason };
  if (!variant?.payload) return { value: fallback, reason: "DEFAULT", ...named };
  const read = parsePayload(variant.payload);
  if (read === undefined) return { value: fallback, reason: "ERROR", errorCode: "PARSE_ERROR", ...named };
  if (typeof read !== typeof fallback)
    return { value: fallback, reason: "ERROR", errorCode: "TYPE_MISMATCH", ...named };
  return { value: read as T, reason, ...named };
}

/** What a payload holds, or undefined where it is not what it says. */
export function parsePayload({ type, value }: NonNullable<Variant["payload"]>): FlagValue | undefined {
  if (type === "number") {
    const number = Number(value);
    return value.trim() === "" || !Number.isFinite(number) ? undefined : number;
  }
  if (type !== "json") return value;
  try {
    const read: unknown = JSON.parse(value);
    const isObject = typeof read === "object" && read !== null && !Array.isArray(read);
    return isObject ? (read as FlagValue) : undefined;
  } catch {
    return undefined;
  }
}

/** A value as a variant carries it. */
export function payloadOf(value: FlagValue): NonNullable<Variant["payload"]> {
  if (typeof value === "object") return { type: "json", value: JSON.stringify(value) };
  return { type: typeof value === "number" ? "number" : "string", value: String(value) };
}
