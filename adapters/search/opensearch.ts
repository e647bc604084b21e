import { randomUUID } from "node:crypto";
import { z } from "zod";
import { problem } from "#kernel/errors";
import type { IndexSpec, Search, SearchIndex } from "#kernel/ports/search";
import { assertChanges, assertQuery, assertSpec } from "./checks.ts";
import { type OpenSearchClient, openSearchClient, type OpenSearchOptions } from "./opensearch-client.ts";
import { requestOf, shapeOf, sourceOf } from "./opensearch-query.ts";

export type { OpenSearchOptions } from "./opensearch-client.ts";

const About = z.object({
  version: z.object({ number: z.string(), distribution: z.string().default("elasticsearch") }),
});
const Health = z.object({ status: z.string() });
const Aliases = z.record(z.string(), z.object({ aliases: z.record(z.string(), z.unknown()) }));
const Mappings = z.record(
  z.string(),
  z.object({ mappings: z.object({ _meta: z.object({ builtVersion: z.number() }) }) }),
);
const Bulk = z.object({
  items: z.array(
    z.record(z.string(), z.object({ status: z.number(), error: z.object({ reason: z.string() }).optional() })),
  ),
});
const Found = z.object({
  hits: z.object({
    total: z.object({ value: z.number() }),
    hits: z.array(z.object({ _source: z.object({ id: z.string() }) })),
  }),
  aggregations: z
    .record(z.string(), z.object({ buckets: z.array(z.object({ key: z.string(), doc_count: z.number() })) }))
    .default({}),
});

/** Indexes of ours among others in the same engine. */
const PREFIX = "marquee-";

/**
 * Search in OpenSearch, or in Elasticsearch by the same API. An index is an alias of the generation that answers; another alias is of the one that is
 * being filled, so that every process that writes finds both.
 */
export async function openOpenSearch(options: OpenSearchOptions): Promise<Search> {
  const client = openSearchClient(options);
  const about = async (): Promise<string> => {
    const { version } = shaped(About, await client.ask("GET", ""), client);
    return `${version.distribution === "opensearch" ? "OpenSearch" : "Elasticsearch"} ${version.number}`;
  };
  await about();
  return {
    async open(spec) {
      assertSpec(spec);
      const index = indexOf(client, spec);
      await index.ensure();
      return index;
    },
    async state() {
      try {
        const { status } = shaped(Health, await client.ask("GET", "_cluster/health"), client);
        const detail = `search in ${await about()} at ${client.host}, ${status}`;
        return { ok: status !== "red", detail };
      } catch (error) {
        return { ok: false, detail: `search: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
    async close() {},
  };
}

function shaped<T>(schema: z.ZodType<T>, body: unknown, { host }: OpenSearchClient): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw problem.precondition(
    `the search engine at ${host} answers in a form that we do not know (${issue?.path.join(".")}: ${issue?.message}): is it OpenSearch 2 or Elasticsearch 8?`,
  );
}

function indexOf(client: OpenSearchClient, spec: IndexSpec): SearchIndex & { ensure(): Promise<void> } {
  const live = PREFIX + spec.name;
  const building = `${live}-building`;
  /** Of its own: no two generations ever have the same name, whoever makes them. */
  const newName = (): string => `${live}-${Date.now()}-${randomUUID().slice(0, 8)}`;
  const encode = encodeURIComponent;

  /** The generations that an alias stands for, by the engine's own names. */
  async function generations(): Promise<{ readonly live: string | undefined; readonly building: string | undefined }> {
    const body = await client.ask("GET", `${encode(`${live}-*`)}/_alias`);
    const all = Object.entries(shaped(Aliases, body ?? {}, client));
    const of = (alias: string): string | undefined => all.find(([, { aliases }]) => alias in aliases)?.[0];
    return { live: of(live), building: of(building) };
  }

  async function bulk(lines: readonly unknown[]): Promise<void> {
    if (lines.length === 0) return;
    const body = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
    const { items } = shaped(Bulk, await client.ask("POST", "_bulk?refresh=true", body), client);
    for (const item of items.flatMap((each) => Object.entries(each))) {
      const [action, { status, error }] = item;
      // What is not there cannot be deleted, and what is there already is newer than a filling.
      if (status < 300 || (action === "delete" && status === 404) || (action === "create" && status === 409)) continue;
      if (status === 429)
        throw problem.exhausted(`the search engine at ${client.host} has too much to do`, { retryAfterS: 5 });
      throw problem.internal(
        `the search engine at ${client.host} refuses a document (${status}): ${error?.reason ?? ""}`,
      );
    }
  }

  const keyOf = (tenant: string, id: string): string => `${tenant}/${id}`;

  return {
    async ensure() {
      if ((await generations()).live !== undefined) return;
      // Of two that begin together one is first; the other's index would be a second with the same alias, so it is taken away again.
      const name = newName();
      await client.ask("PUT", encode(name), { ...shapeOf(spec, 0), aliases: { [live]: {} } });
      const all = shaped(Aliases, await client.ask("GET", `_alias/${encode(live)}`), client);
      const [first] = Object.keys(all).sort();
      if (first !== name) await client.ask("DELETE", encode(name));
    },
    async isBuilt() {
      const found = shaped(Mappings, await client.ask("GET", `${encode(live)}/_mapping`), client);
      return Object.values(found).every(({ mappings }) => mappings._meta.builtVersion === spec.version);
    },
    async write(tenant, changes) {
      assertChanges(changes);
      const { live: now, building: next } = await generations();
      const targets = [now ?? live, ...(next === undefined ? [] : [next])];
      const lines = targets.flatMap((index) => [
        ...(changes.delete ?? []).map((id) => ({ delete: { _index: index, _id: keyOf(tenant, id) } })),
        ...(changes.put ?? []).flatMap((document) => [
          { index: { _index: index, _id: keyOf(tenant, document.id) } },
          sourceOf(spec, tenant, document),
        ]),
      ]);
      await bulk(lines);
    },
    async query(tenant, query) {
      assertQuery(spec, query);
      const { hits, aggregations } = shaped(
        Found,
        await client.ask("POST", `${encode(live)}/_search`, requestOf(tenant, query)),
        client,
      );
      const counted = Object.entries(aggregations).map(([field, { buckets }]) => [
        field,
        buckets.map(({ key, doc_count: count }) => ({ value: key, count })),
      ]);
      return {
        total: hits.total.value,
        ids: hits.hits.map(({ _source }) => _source.id),
        facets: Object.fromEntries(counted),
      };
    },
    async rebuild(fill) {
      const before = await generations();
      if (before.building !== undefined) await client.ask("DELETE", encode(before.building));
      const name = newName();
      await client.ask("PUT", encode(name), { ...shapeOf(spec, spec.version), aliases: { [building]: {} } });
      try {
        await fill(async (tenant, documents) => {
          assertChanges({ put: documents });
          await bulk(
            documents.flatMap((document) => [
              { create: { _index: name, _id: keyOf(tenant, document.id) } },
              sourceOf(spec, tenant, document),
            ]),
          );
        });
        const { live: old, building: still } = await generations();
        if (still !== name) throw problem.aborted(`another rebuild of '${spec.name}' has begun: leave it to that one`);
        await client.ask("POST", "_aliases", {
          actions: [
            { add: { index: name, alias: live } },
            { remove: { index: name, alias: building } },
            ...(old === undefined ? [] : [{ remove_index: { index: old } }]),
          ],
        });
      } catch (error) {
        await client.ask("DELETE", encode(name)).catch(() => undefined);
        throw error;
      }
    },
  };
}
