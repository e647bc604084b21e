import type { Access } from "./log.ts";

/** What an edge counts of itself, in Prometheus' text form. */
export interface Counters {
  note(access: Access): void;
  renewals: number;
  purges: number;
  text(edgeId: string, gauges: Readonly<Record<string, number>>): string;
}

export function openCounters(): Counters {
  const requests = new Map<string, number>();
  const sources = new Map<string, number>();
  const refusals = new Map<string, number>();
  let bytes = 0;
  const add = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);
  return {
    renewals: 0,
    purges: 0,
    note(access) {
      add(requests, String(access.status));
      if (access.source !== "-") add(sources, access.source);
      if (access.reason !== "") add(refusals, access.reason);
      bytes += access.bytes;
    },
    text(edgeId, gauges) {
      const lines: string[] = [];
      const family = (name: string, label: string, map: ReadonlyMap<string, number>): void => {
        lines.push(`# TYPE marquee_edge_${name}_total counter`);
        for (const [key, value] of map)
          lines.push(`marquee_edge_${name}_total{edge="${edgeId}",${label}="${key}"} ${value}`);
      };
      family("requests", "status", requests);
      family("objects", "source", sources);
      family("refusals", "reason", refusals);
      const totals = { sent_bytes: bytes, renewals: this.renewals, purges: this.purges };
      for (const [name, value] of Object.entries(totals)) {
        lines.push(
          `# TYPE marquee_edge_${name}_total counter`,
          `marquee_edge_${name}_total{edge="${edgeId}"} ${value}`,
        );
      }
      for (const [name, value] of Object.entries(gauges)) {
        lines.push(`# TYPE marquee_edge_${name} gauge`, `marquee_edge_${name}{edge="${edgeId}"} ${value}`);
      }
      return `${lines.join("\n")}\n`;
    },
  };
}
