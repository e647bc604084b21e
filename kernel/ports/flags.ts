import type { Stateful } from "./state.ts";

/**
 * The flags port, after OpenFeature's flag evaluation API (https://openfeature.dev/specification/sections/flag-evaluation): a typed value with a
 * default, a context of attributes, a reason. Evaluation is a function of what is known in this process: it neither waits nor throws.
 */
export interface Flags extends Stateful {
  evaluate<T extends FlagValue>(flag: Flag<T>, context: FlagContext): Evaluation<T>;
  /** Every rule that the store has, by name; flags without one have their default. */
  rules(): readonly FlagRule[];
  /** Replaces a flag's rule; it holds here when this resolves. `failed_precondition` where flags are changed elsewhere. */
  put(rule: FlagRule): Promise<void>;
  /** Takes a flag's rule away: its default holds again. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

export type FlagValue = boolean | string | number | FlagObject;
export type FlagObject = { readonly [name: string]: unknown };

/** A switch that the code asks for. Names are Unleash's: letters, digits, `.`, `_` and `-`. */
export interface Flag<T extends FlagValue = FlagValue> {
  readonly name: string;
  /** What holds while nobody said otherwise, and when nothing can be known. */
  readonly fallback: T;
  /** What it does, for operators. */
  readonly what: string;
}

/** For whom a flag is asked. Names are those that constraints use; an attribute that is not known is left out. */
export interface FlagContext {
  readonly tenant?: string | undefined;
  readonly userId?: string | undefined;
  readonly profileId?: string | undefined;
  /** The device: what a rollout sticks to while nobody is signed in. */
  readonly sessionId?: string | undefined;
  readonly remoteAddress?: string | undefined;
  /** The plan, such as `premium`. */
  readonly tier?: string | undefined;
  /** Such as `tv`, `mobile` or `web`. */
  readonly deviceType?: string | undefined;
  /** The operating system, such as `android`, `tvos` or `windows`. */
  readonly platform?: string | undefined;
  /** Three numbers, so that versions can be compared: `17.4.0`. */
  readonly osVersion?: string | undefined;
  readonly appVersion?: string | undefined;
  /** ISO 3166-1 alpha-2. */
  readonly market?: string | undefined;
  /** The service that is called, or the BFF that asks. */
  readonly service?: string | undefined;
  /** RFC 3339; without it now. */
  readonly currentTime?: string | undefined;
}

/** OpenFeature's reasons: the default holds, somebody shut it, it is the same for all, a rule decided, a share decided, what decided may be old, or it cannot be used. */
export type FlagReason = "DEFAULT" | "DISABLED" | "STATIC" | "TARGETING_MATCH" | "SPLIT" | "STALE" | "ERROR";

export interface Evaluation<T extends FlagValue = FlagValue> {
  readonly value: T;
  readonly reason: FlagReason;
  /** The variant's name, where the flag has some. */
  readonly variant?: string;
  readonly errorCode?: "TYPE_MISMATCH" | "PARSE_ERROR";
}

/** A flag as the store has it. Several audiences are tried in their order; the first that fits decides. */
export interface FlagRule {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly audiences: readonly Audience[];
}

/** For whom a flag is open, and with which value. */
export interface Audience {
  /** All of them hold; none: everybody. */
  readonly conditions: readonly Condition[];
  /** The share of them, 0 to 100; who is in it stays in it while it grows. */
  readonly percent: number;
  /** The attribute that the share is taken by; `default` is the user, or the device where nobody is signed in. */
  readonly stickiness: string;
  /** Values by weight; none: plain `true`. */
  readonly variants: readonly Variant[];
}

export interface Variant {
  readonly name: string;
  /** Of all weights' sum. */
  readonly weight: number;
  readonly value: FlagValue;
}

/** The operators of Unleash's constraints. */
export type Operator =
  | "IN"
  | "NOT_IN"
  | "STR_STARTS_WITH"
  | "STR_ENDS_WITH"
  | "STR_CONTAINS"
  | "NUM_EQ"
  | "NUM_GT"
  | "NUM_GTE"
  | "NUM_LT"
  | "NUM_LTE"
  | "DATE_AFTER"
  | "DATE_BEFORE"
  | "SEMVER_EQ"
  | "SEMVER_GT"
  | "SEMVER_GTE"
  | "SEMVER_LT"
  | "SEMVER_LTE"
  | "REGEX"
  | "IN_CIDR";

export interface Condition {
  /** The name of an attribute of the context. */
  readonly attribute: string;
  readonly operator: Operator;
  /** One for the operators that compare, several for the others. */
  readonly values: readonly string[];
  readonly isInverted: boolean;
}
