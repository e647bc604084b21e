import { isLoopback, problem, type Viewer } from "#kernel";
import { openRateLimit, type Rate } from "#kernel/rate-limit";
import type { WebParts } from "./parts.ts";

/** Nobody is named twice: a viewer by the account, anybody else by the address. */
export interface Asker {
  readonly tenant: string;
  readonly viewer: Pick<Viewer, "userId"> | null;
  readonly ip: string;
}

/** Takes one request of the client and of the tenant; `resource_exhausted` (429) says how long to wait. */
export type Rates = (asker: Asker) => void;

/** A burst is what may come at once after a rest of as many seconds. */
const BURST_S = 3;
/** Many people may share an address. */
const PER_ADDRESS = 4;

const rateOf = (perS: number): Rate => ({ perS, burst: perS * BURST_S });

export function openRates({ config, clock, metrics }: Pick<WebParts, "config" | "clock" | "metrics">): Rates {
  const viewers = openRateLimit(rateOf(config.MARQUEE_RATE_VIEWER));
  const addresses = openRateLimit(rateOf(config.MARQUEE_RATE_VIEWER * PER_ADDRESS));
  const tenants = config.MARQUEE_RATE_TENANT ? openRateLimit(rateOf(config.MARQUEE_RATE_TENANT)) : undefined;
  const refused = metrics.counter("requests_refused_total", "Requests that were told to come back later", [
    "queue",
    "reason",
  ]);
  const refuse = (whose: string, waitS: number): never => {
    refused.inc({ queue: "rate", reason: whose });
    const retryAfterS = Math.max(1, Math.ceil(waitS));
    throw problem.exhausted(`too many requests of this ${whose}: wait ${retryAfterS} s`, {
      ...{ reason: "too_many_requests", retryAfterS },
    });
  };
  /** Behind somebody who answers for us all strangers have one address: limiting them is that one's work. */
  const isOwnAddress = (ip: string): boolean =>
    config.MARQUEE_PUBLIC_URL === undefined && ip !== "" && !isLoopback(ip.replace(/^::ffff:/, ""));

  return ({ tenant, viewer, ip }) => {
    const nowMs = clock.nowMs();
    if (viewer) {
      const waitS = viewers.take(`${tenant}/${viewer.userId}`, nowMs);
      if (waitS > 0) refuse("account", waitS);
    } else if (isOwnAddress(ip)) {
      const waitS = addresses.take(ip, nowMs);
      if (waitS > 0) refuse("address", waitS);
    }
    const waitS = tenants?.take(tenant, nowMs) ?? 0;
    if (waitS > 0) refuse("service", waitS);
  };
}
