import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchAll, numberIn, ownIdOf } from "./matching.ts";

const own = [
  { id: "ch-one", number: 1, name: "Marquee One" },
  { id: "ch-two", number: 2, name: "Channel Two" },
  { id: "ch-three", number: 3, name: "Drei" },
];
const foreign = (externalId: string, ...names: readonly string[]) => ({ externalId, names });

test("ids come before names, names before numbers, and all of it is explained", () => {
  const matches = matchAll(
    [foreign("ch-one"), foreign("x2", "CHANNEL two HD"), foreign("x3", "Third", "3"), foreign("x4", "Fourth")],
    own,
    new Set(),
  );
  assert.deepEqual(
    Object.fromEntries(matches),
    Object.fromEntries([
      ["ch-one", { channelId: "ch-one", foundBy: "id", explanation: "it has the id 'ch-one'" }],
      [
        "x2",
        {
          ...{ channelId: "ch-two", foundBy: "name" },
          explanation: "it is called 'CHANNEL two HD', which is the same name but for the picture's quality",
        },
      ],
      ["x3", { channelId: "ch-three", foundBy: "number", explanation: "it has the number 3" }],
      ["x4", { channelId: "", foundBy: "none", explanation: "no channel has its id, one of its names or its number" }],
    ]),
  );
});

test("a channel is given once, and who comes too late is told by whom", () => {
  const matches = matchAll([foreign("hd", "Drei HD"), foreign("sd", "Drei")], own, new Set());
  assert.equal(matches.get("sd")?.channelId, "ch-three");
  assert.deepEqual(matches.get("hd"), {
    ...{ channelId: "", foundBy: "none" },
    explanation:
      "it is called 'Drei HD', which is the same name but for the picture's quality, but 'ch-three' is taken by 'sd'",
  });
  assert.match(
    matchAll([foreign("sd", "Drei")], own, new Set(["ch-three"])).get("sd")?.explanation ?? "",
    /taken by hand/,
  );
});

test("what could be two channels is neither", () => {
  const twins = [...own, { id: "ch-drei", number: 0, name: "DREI" }];
  const match = matchAll([foreign("x", "Drei")], twins, new Set()).get("x");
  assert.equal(match?.channelId, "");
  assert.match(match?.explanation ?? "", /2 channels have it: ch-three, ch-drei/);
});

test("property: no channel is given twice, whatever names and numbers they have", () => {
  const names = fc.array(fc.constantFrom("1", "2", "Marquee One", "Drei", "Drei HD", "Channel Two", "", "4K"), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 8 }), (all) => {
      const matches = matchAll(
        all.map((each, i) => foreign(`x${i}`, ...each)),
        own,
        new Set(),
      );
      const given = [...matches.values()].flatMap(({ channelId }) => (channelId === "" ? [] : [channelId]));
      assert.equal(new Set(given).size, given.length);
      assert.equal(matches.size, all.length);
      for (const { explanation } of matches.values()) assert.notEqual(explanation, "");
    }),
  );
});

test("numbers are found among names, and ids are made that others do not have", () => {
  assert.equal(numberIn(["CFTO", "201 CFTO", "201"]), 201);
  assert.equal(numberIn(["BBC1 HD", "7-1"]), 0);
  assert.equal(ownIdOf("BBC One.uk", new Set()), "ch-bbc-one-uk");
  assert.equal(ownIdOf("BBC One.uk", new Set(["ch-bbc-one-uk"])), "ch-bbc-one-uk-2");
  assert.equal(ownIdOf("日本", new Set()), "ch-channel");
});
