import { APP_NAME, type UnleashClient } from "./unleash-client.ts";

/** How often a flag was on, off, and which variants it had, since the last report. */
interface Count {
  yes: number;
  no: number;
  variants: Record<string, number>;
}

export interface Usage {
  count(name: string, isOn: boolean, variant: string | undefined): void;
  /** Tells Unleash; what could not be told is told next time. */
  report(): Promise<void>;
}

/** Figures of use, by which Unleash shows what is asked for and what nobody needs any more. */
export function openUsage(client: UnleashClient, instanceId: string): Usage {
  let counts = new Map<string, Count>();
  let sinceMs = Date.now();

  function of(name: string): Count {
    const known = counts.get(name);
    if (known) return known;
    const fresh = { yes: 0, no: 0, variants: {} };
    counts.set(name, fresh);
    return fresh;
  }

  return {
    count(name, isOn, variant) {
      const count = of(name);
      count[isOn ? "yes" : "no"] += 1;
      if (variant !== undefined) count.variants[variant] = (count.variants[variant] ?? 0) + 1;
    },
    async report() {
      if (counts.size === 0) return;
      const [told, start] = [counts, sinceMs];
      [counts, sinceMs] = [new Map(), Date.now()];
      const bucket = {
        start: new Date(start).toISOString(),
        stop: new Date(sinceMs).toISOString(),
        toggles: Object.fromEntries(told),
      };
      try {
        await client.post("metrics", { appName: APP_NAME, instanceId, bucket });
      } catch (error) {
        sinceMs = start;
        for (const [name, { yes, no, variants }] of told) {
          const count = of(name);
          count.yes += yes;
          count.no += no;
          for (const [variant, times] of Object.entries(variants))
            count.variants[variant] = (count.variants[variant] ?? 0) + times;
        }
        throw error;
      }
    },
  };
}
