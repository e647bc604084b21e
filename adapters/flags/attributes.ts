import type { FlagContext } from "#kernel/ports/flags";

/** By name, for what operators write; as a record, so that none can be forgotten. */
const NAMES: Readonly<Record<keyof FlagContext, true>> = {
  ...{
    tenant: true,
    userId: true,
    profileId: true,
    sessionId: true,
    remoteAddress: true,
    tier: true,
    deviceType: true,
  },
  ...{ platform: true, osVersion: true, appVersion: true, market: true, service: true, currentTime: true },
};

export const ATTRIBUTES: ReadonlySet<string> = new Set(Object.keys(NAMES));
