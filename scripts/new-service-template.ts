/** The text of a new room, by file. It is the look of services/playback/bookmark, with one table and one event. */
export function roomFiles(area: string, name: string): Map<string, string> {
  const Name = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const room = `services/${area}/${name}`;
  const contract = `contracts/${name}`;
  return new Map([
    [`${contract}/${name}.proto`, proto(name, Name)],
    [`${contract}/index.ts`, contractIndex(name, Name)],
    [`${contract}/events/changed.avsc`, changedEvent(name, Name)],
    [`${room}/service.ts`, service(name, Name)],
    [`${room}/domain.ts`, domain()],
    [`${room}/domain.test.ts`, domainTest()],
    [`${room}/store.ts`, store()],
    [`${room}/migrations/0001_${name}.sql`, migration()],
  ]);
}

const proto = (name: string, Name: string): string => `syntax = "proto3";

package marquee.${name}.v1;

// TODO(${name}): what this service is for, in one sentence.

service ${Name}Service {
  rpc Get(GetRequest) returns (GetResponse);
  // The newest first.
  rpc List(ListRequest) returns (ListResponse);
  rpc Save(SaveRequest) returns (SaveResponse);
}

message Item {
  string item_id = 1;
  string title = 2;
  int64 updated_at_ms = 3;
}

message GetRequest {
  string item_id = 1;
}

message GetResponse {
  Item item = 1;
}

message ListRequest {
  uint32 limit = 1;
}

message ListResponse {
  repeated Item items = 1;
}

message SaveRequest {
  string item_id = 1;
  string title = 2;
}

message SaveResponse {
  Item item = 1;
}
`;

const contractIndex = (name: string, Name: string): string => `import { defineContract, event } from "#kernel/contract";
import { type ${Name}Changed, ${name}ChangedSchema } from "./gen/events.ts";
import { ${Name}Service } from "./gen/${name}_pb.js";

export type { ${Name}Changed } from "./gen/events.ts";
export type * from "./gen/${name}_pb.js";

export const ${Name} = defineContract({
  name: "${name}",
  rpc: ${Name}Service,
  events: {
    changed: event<${Name}Changed>()("${name}.changed", ${name}ChangedSchema),
  },
});
`;

const changedEvent = (name: string, Name: string): string => `${JSON.stringify(
  {
    type: "record",
    name: `${Name}Changed`,
    namespace: `marquee.${name}`,
    doc: "An item was saved with another title than before.",
    event: `${name}.changed`,
    fields: [
      { name: "itemId", type: "string", doc: "Which." },
      { name: "title", type: "string", doc: "Its title now." },
    ],
  },
  null,
  2,
)}
`;

const service = (
  name: string,
  Name: string,
): string => `// ${Name}: TODO(${name}): what this service is for, in one sentence.
import { ${Name} } from "#contracts/${name}";
import { type Clock, type Db, defineService, problem } from "#kernel";
import { type Item, titleOf } from "./domain.ts";
import * as store from "./store.ts";

const LIMIT_MAX = 50; // A row of a page shows 20; unbounded reads are forbidden.

interface Parts {
  readonly db: Db<typeof ${Name}>;
  readonly clock: Clock;
}

export default defineService({
  contract: ${Name},
  uses: {},
  slo: { p99Ms: 100, availability: 0.999 },
  ai: { feeds: "nothing yet", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  start: ({ db, clock }): Parts => ({ db, clock }),

  rpc: ({ db, clock }) => ({
    async get({ itemId }, context) {
      const found = await db.tx(context, (tx) => store.find(tx, itemId));
      if (!found) throw problem.notFound(\`item '\${itemId}' does not exist\`);
      return { item: toMessage(found) };
    },
    async list({ limit }, context) {
      const found = await db.tx(context, (tx) => store.newest(tx, Math.min(limit || LIMIT_MAX, LIMIT_MAX)));
      return { items: found.map(toMessage) };
    },
    async save({ itemId, title }, context) {
      const item: Item = { itemId, title: titleOf(title), updatedAtMs: clock.nowMs() };
      // Saved and announced together, or neither.
      await db.tx(context, async (tx) => {
        const before = await store.find(tx, itemId);
        await store.save(tx, item);
        if (before?.title !== item.title) tx.emit("changed", { itemId, title: item.title });
      });
      return { item: toMessage(item) };
    },
  }),

  ready: ({ db }) => db.ping(),
});

const toMessage = (item: Item) => ({ ...item, updatedAtMs: BigInt(item.updatedAtMs) });
`;

const domain = (): string => `import { problem } from "#kernel/errors";

export interface Item {
  readonly itemId: string;
  readonly title: string;
  readonly updatedAtMs: number;
}

export const TITLE_CHARS_MAX = 200;

/** A title as it is kept: white space is one space, and there is something to read. */
export function titleOf(input: string): string {
  const title = input.trim().replaceAll(/\\s+/g, " ");
  if (title === "") throw problem.invalid("the title is empty: give it at least one character");
  if (title.length > TITLE_CHARS_MAX)
    throw problem.invalid(\`the title has \${title.length} characters, at most \${TITLE_CHARS_MAX} are kept: shorten it\`);
  return title;
}
`;

const domainTest = (): string => `import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TITLE_CHARS_MAX, titleOf } from "./domain.ts";

test("a title loses its needless white space", () => {
  assert.equal(titleOf("  The   Third\\nMan "), "The Third Man");
});

test("a title that is kept is kept as it is the second time", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: TITLE_CHARS_MAX }), (input) => {
      fc.pre(input.trim() !== "");
      assert.equal(titleOf(titleOf(input)), titleOf(input));
    }),
  );
});

test("nothing and too much are refused, with the remedy", () => {
  assert.throws(() => titleOf(" "), /at least one character/);
  assert.throws(() => titleOf("x".repeat(TITLE_CHARS_MAX + 1)), /201 characters, at most 200/);
});
`;

const store = (): string => `import type { Kysely } from "kysely";
import type { Tx } from "#kernel";
import type { Item } from "./domain.ts";

// A type and not an interface, because Kysely wants something that has an index signature.
type Tables = {
  items: { tenant: string; item_id: string; title: string; updated_at_ms: number };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const toItem = (row: Tables["items"]): Item => ({ itemId: row.item_id, title: row.title, updatedAtMs: row.updated_at_ms });

export async function find(tx: Tx, itemId: string): Promise<Item | undefined> {
  const row = await tables(tx).selectFrom("items").selectAll().where("item_id", "=", itemId).executeTakeFirst();
  return row && toItem(row);
}

export async function newest(tx: Tx, limit: number): Promise<Item[]> {
  const rows = await tables(tx).selectFrom("items").selectAll().orderBy("updated_at_ms", "desc").limit(limit).execute();
  return rows.map(toItem);
}

export async function save(tx: Tx, item: Item): Promise<void> {
  const row = { title: item.title, updated_at_ms: item.updatedAtMs };
  await tables(tx)
    .insertInto("items")
    .values({ tenant: tx.tenant, item_id: item.itemId, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "item_id"]).doUpdateSet(row))
    .execute();
}
`;

const migration = (): string => `CREATE TABLE items (
  tenant text NOT NULL,
  item_id text NOT NULL,
  title text NOT NULL CHECK (title <> ''),
  updated_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, item_id)
);
CREATE INDEX items_newest ON items (tenant, updated_at_ms DESC);
`;
