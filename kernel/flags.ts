import type { Context } from "./context.ts";
import { problem } from "./errors.ts";
import type { Flag, FlagContext, Flags } from "./ports/flags.ts";

/** For whom a call's flags are asked; what the request says besides comes from the BFF that took it. */
export function flagContextOf(
  { tenant, viewer }: Pick<Context, "tenant" | "viewer">,
  more: FlagContext = {},
): FlagContext {
  if (!viewer) return { tenant, ...more };
  const { userId, profileId, tier, deviceId } = viewer;
  return { tenant, userId, profileId: profileId || undefined, tier, sessionId: deviceId, ...more };
}

const switches = new Map<string, Flag<boolean>>();

/** Shuts a service: while it is on, its calls and its HTTP are refused. Events wait for it in the log. */
export function serviceSwitch(service: string): Flag<boolean> {
  const known = switches.get(service);
  if (known) return known;
  const made: Flag<boolean> = {
    ...{ name: `kill.service.${service}`, fallback: false },
    what: `shuts the service ${service}: its calls are refused as unavailable`,
  };
  switches.set(service, made);
  return made;
}

/** Whom the operator's own calls come from: they go through, or nobody could look into a service that is shut. */
const OPERATOR = "admin";

/** Whether a service's kill switch is on for a call. */
export const isShut = (flags: Flags, service: string, context: Context): boolean =>
  context.caller !== OPERATOR && flags.evaluate(serviceSwitch(service), flagContextOf(context, { service })).value;

/** `unavailable`, because it passes: consumers wait for a service that is shut as for one that is being restarted. */
export const shutFault = (service: string): Error =>
  problem.unavailable(`the service '${service}' is shut by the flag ${serviceSwitch(service).name}`, {
    reason: "switched_off",
    retryAfterS: 60,
  });
