import { hostname } from "node:os";
import { type Attributes, networks, type Test } from "./constraints.ts";
import type { Strategy } from "./document.ts";
import { murmur3 } from "./murmur3.ts";

/** Takes chance as an argument, from 0 up to 1. */
export type Chance = () => number;

const STRATEGY_SEED = 0;

/** A number from 1 to `of` that stays the same for one id in one group. */
export const shareOf = (id: string, group: string, of: number, seed: number): number =>
  (murmur3(`${group}:${id}`, seed) % of) + 1;

/** A list as strategies' parameters have it. */
const wordsOf = (text: string | null | undefined): string[] => (text ? text.trim().split(/\s*,\s*/) : []);

/** Whom a share is taken by; undefined where the context does not say. */
export function stickinessOf(stickiness: string, context: Attributes, chance: Chance): string | undefined {
  if (stickiness === "random") return String(chance());
  if (stickiness === "default") return context["userId"] || context["sessionId"] || String(chance());
  return context[stickiness] || undefined;
}

/** An activation strategy of Unleash as a function of the context (https://docs.getunleash.io/reference/activation-strategies); one that we do not know holds for nobody. */
export function activationOf({ name, parameters }: Strategy, feature: string, chance: Chance): Test {
  const percentage = Number(parameters["percentage"] ?? parameters["rollout"] ?? 0);
  const byShare =
    (group: string, idOf: (context: Attributes) => string | undefined): Test =>
    (context) => {
      const id = idOf(context);
      return id !== undefined && percentage > 0 && shareOf(id, group, 100, STRATEGY_SEED) <= percentage;
    };
  const group = parameters["groupId"] ?? "";
  switch (name) {
    case "default":
      return () => true;
    case "userWithId": {
      const ids = new Set(wordsOf(parameters["userIds"]));
      return ({ userId }) => userId !== undefined && ids.has(userId);
    }
    case "gradualRolloutUserId":
      return byShare(group, ({ userId }) => userId || undefined);
    case "gradualRolloutSessionId":
      return byShare(group, ({ sessionId }) => sessionId || undefined);
    case "gradualRolloutRandom":
      return () => percentage > chance() * 100;
    case "flexibleRollout": {
      const stickiness = parameters["stickiness"] || "default";
      return byShare(group || feature, (context) => stickinessOf(stickiness, context, chance));
    }
    case "remoteAddress": {
      const isInside = networks(wordsOf(parameters["IPs"]));
      return ({ remoteAddress }) => isInside(remoteAddress);
    }
    case "applicationHostname": {
      const names = wordsOf(parameters["hostNames"]?.toLowerCase());
      return () => names.includes(hostname().toLowerCase());
    }
    default:
      return () => false;
  }
}
