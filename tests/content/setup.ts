// What the tests of the content services share: clips that ffmpeg draws, and the services that a film goes through.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { Keys } from "#contracts/keys";
import { Metadata } from "#contracts/metadata";
import { Tenant } from "#contracts/tenant";
import { topics } from "#contracts/topics";
import { openEvents, type Received } from "#kernel/events";
import type { Llm } from "#kernel/ports/llm";
import type { Service } from "#kernel/service";
import catalog from "../../services/content/catalog/service.ts";
import encoding from "../../services/content/encoding/service.ts";
import ingest from "../../services/content/ingest/service.ts";
import metadata from "../../services/content/metadata/service.ts";
import keys from "../../services/content/keys/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost } from "../host.ts";
import { movableClock } from "../playback/setup.ts";

const run = promisify(execFile);

/** A clip of a moving picture with a tone. */
export async function drawClip(path: string, options: { readonly pattern?: string; readonly seconds?: number } = {}) {
  const { pattern = "testsrc2=size=640x360:rate=25", seconds = 5 } = options;
  const picture = ["-f", "lavfi", "-i", pattern, "-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000"];
  const sound = ["-c:a", "aac", "-metadata:s:a:0", "language=eng", "-shortest"];
  const video = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
  await run("ffmpeg", ["-v", "error", "-y", ...picture, "-t", String(seconds), ...video, ...sound, path]);
  return path;
}

export async function startContent(
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly folder?: string;
    /** Also looks at titles, which takes its time. */
    readonly withMetadata?: boolean;
    readonly llm?: Llm;
    /** Services beside those that a film goes through. */
    readonly more?: readonly Service[];
  } = {},
) {
  const { withMetadata = false, more = [], ...rest } = options;
  const env = withMetadata ? { MARQUEE_ENRICH: "1", ...options.env } : (options.env ?? {});
  const clock = movableClock();
  const services = [tenant, catalog, ingest, encoding, keys, ...(withMetadata ? [metadata] : []), ...more];
  const host = await startTestHost({ ...rest, env, services, clock });
  const call = {
    catalog: host.client(Catalog, "test"),
    encodings: host.client(Encoding, "test"),
    imports: host.client(Ingest, "test"),
    keys: host.client(Keys, "test"),
    metadata: host.client(Metadata, "test"),
    tenants: host.client(Tenant, "test"),
  };
  return {
    ...host,
    ...call,
    clock,
    at: (name: string) => join(host.folder, name),
    /** Looks until there is something to see; ffmpeg takes its time on a busy machine. */
    async until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
      for (let tries = 0; tries < 1_200; tries++) {
        const seen = await look();
        if (seen) return seen;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`${what} did not come within a minute`);
    },
    /** Every event of a name, in the order of its partitions. */
    async heard<T>(name: string): Promise<readonly Received<T>[]> {
      const reader = await openEvents([Catalog, Encoding, Ingest, Metadata], topics, host.adapters.registry, clock);
      const topic = topics.routes[name]?.topic ?? "";
      const ends = await host.adapters.log.offsets(topic);
      const starts = new Map([...ends.keys()].map((partition) => [partition, 0]));
      const records = await host.adapters.log.read(topic, starts, 10_000);
      const wanted = records.filter((record) => reader.nameOf(record) === name);
      return (await Promise.all(wanted.map((record) => reader.decode(record)))) as Received<T>[];
    },
  };
}

export type ContentHost = Awaited<ReturnType<typeof startContent>>;
