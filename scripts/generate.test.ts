import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { eventsModule } from "./generate-events.ts";
import { REPOSITORY } from "./files.ts";
import { drift, writeGenerated } from "./generate.ts";

const root = mkdtempSync(path.join(tmpdir(), "marquee-generate-test-"));
const put = (file: string, content: string): void => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), content);
};
const get = (file: string): string => readFileSync(path.join(root, file), "utf8");

const ended = {
  type: "record",
  name: "FilmEnded",
  namespace: "marquee.cinema",
  event: "cinema.film_ended",
  doc: "The credits have run.",
  fields: [
    { name: "filmId", type: "string", doc: "Whose end it was." },
    { name: "at", type: { type: "long", logicalType: "timestamp-millis" } },
    { name: "seat", type: ["null", "int"], default: null },
    { name: "mood", type: { type: "enum", name: "Mood", symbols: ["moved", "bored"] } },
    { name: "ratings", type: { type: "map", values: "double" } },
    { name: "poster", type: "bytes" },
    {
      name: "cast",
      type: { type: "array", items: { type: "record", name: "Person", fields: [{ name: "name", type: "string" }] } },
    },
    { name: "moods", type: { type: "array", items: ["null", "Mood"] } },
  ],
};

before(() => {
  cpSync(path.join(REPOSITORY, "buf.yaml"), path.join(root, "buf.yaml"));
  cpSync(path.join(REPOSITORY, "tsconfig.json"), path.join(root, "tsconfig.json"));
  symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(root, "node_modules"));
  put("package.json", '{ "type": "module" }');
  put(
    "contracts/seat/seat.proto",
    'syntax = "proto3";\npackage marquee.seat.v1;\nmessage Seat {\n  uint32 row = 1;\n}\n',
  );
  put(
    "contracts/cinema/cinema.proto",
    `syntax = "proto3";
package marquee.cinema.v1;
import "seat/seat.proto";
enum Screen {
  SCREEN_UNSPECIFIED = 0;
  SCREEN_WIDE = 1;
}
message Ticket {
  marquee.seat.v1.Seat seat = 1;
  Screen screen = 2;
}
service CinemaService {
  rpc Book(Ticket) returns (Ticket);
}
`,
  );
  put("contracts/cinema/events/film_ended.avsc", JSON.stringify(ended));
  put("contracts/cinema/openapi.ts", 'export const openApiDocument = (): object => ({ openapi: "3.1.0" });\n');
});
after(() => rmSync(root, { recursive: true, force: true }));

describe("generate", () => {
  test("writes code that type-checks and that Node runs as it is", async () => {
    const changed = await writeGenerated(root);
    assert.deepEqual(changed, [
      "contracts/cinema/gen/cinema_pb.d.ts",
      "contracts/cinema/gen/cinema_pb.js",
      "contracts/cinema/gen/events.ts",
      "contracts/cinema/gen/openapi.json",
      "contracts/seat/gen/seat_pb.d.ts",
      "contracts/seat/gen/seat_pb.js",
    ]);
    put(
      "contracts/use.ts",
      `import { create, toBinary } from "@bufbuild/protobuf";
import { Screen, TicketSchema } from "./cinema/gen/cinema_pb.js";
import { type FilmEnded, filmEndedSchema } from "./cinema/gen/events.ts";
const ended: FilmEnded = { filmId: "f", at: 1, seat: null, mood: "moved", ratings: { a: 1 }, poster: new Uint8Array(), cast: [{ name: "x" }], moods: [null, "bored"] };
const name: "cinema.film_ended" = filmEndedSchema.event;
const ticket = create(TicketSchema, { seat: { row: 7 }, screen: Screen.WIDE });
console.log(name, ended.filmId, toBinary(TicketSchema, ticket).length);
`,
    );
    const run = spawnSync(process.execPath, ["contracts/use.ts"], { cwd: root, encoding: "utf8" });
    assert.equal(run.stdout, "cinema.film_ended f 6\n", run.stderr);
    const tsc = path.join(root, "node_modules/@typescript/native/bin/tsc");
    const types = spawnSync(process.execPath, [tsc, "-p", "tsconfig.json"], { cwd: root, encoding: "utf8" });
    assert.equal(types.status, 0, types.stdout);
  });

  test("is the same the second time, and drift names what is stale, changed or missing", async () => {
    await writeGenerated(root);
    assert.deepEqual(await writeGenerated(root), []);
    assert.deepEqual(await drift(root), []);
    put("contracts/cinema/gen/events.ts", `${get("contracts/cinema/gen/events.ts")}// edited\n`);
    put("contracts/cinema/gen/old_pb.js", "");
    rmSync(path.join(root, "contracts/seat/gen/seat_pb.js"));
    assert.deepEqual(await drift(root), [
      "contracts/cinema/gen/events.ts is out of date",
      "contracts/seat/gen/seat_pb.js is missing",
      "contracts/cinema/gen/old_pb.js is generated from nothing any more",
    ]);
    await writeGenerated(root);
    assert.deepEqual(await drift(root), []);
  });
});

describe("events that cannot be", () => {
  const module = (change: object): string =>
    eventsModule("cinema", [{ file: "x.avsc", text: JSON.stringify({ ...ended, ...change }) }]);
  const refusals: readonly [string, object, RegExp][] = [
    [
      "another contract's namespace",
      { namespace: "marquee.other" },
      /x\.avsc: namespace 'marquee\.other' must be 'marquee\.cinema'/,
    ],
    ["no dotted name", { event: "ended" }, /x\.avsc: .*dotted name/s],
    ["an ambiguous union", { fields: [{ name: "a", type: ["int", "string"] }] }, /must be "null" and one other type/],
    ["an unknown type", { fields: [{ name: "a", type: "text" }] }, /x\.avsc: .*text/s],
    ["a default of another type", { fields: [{ name: "a", type: "int", default: "1" }] }, /x\.avsc: .*default/s],
    ["a field that is not camelCase", { fields: [{ name: "film_id", type: "int" }] }, /camelCase/],
  ];
  for (const [what, change, expected] of refusals) {
    test(what, () => assert.throws(() => module(change), expected));
  }
  test("the same event twice", () => {
    const file = { file: "x.avsc", text: JSON.stringify(ended) };
    assert.throws(() => eventsModule("cinema", [file, file]), /declared twice/);
  });
});
