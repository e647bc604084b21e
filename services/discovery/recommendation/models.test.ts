import assert from "node:assert/strict";
import { test } from "node:test";
import { openModel, openModels } from "./models.ts";

const titles = ["a", "b", "c", "d"].map((id, at) => ({
  ...{ id, features: [at < 2 ? "Space" : "Love"], ageRating: id === "b" ? 16 : 0 },
}));

test("a model whose worker died is made anew for the next one who asks", async () => {
  const set = {
    titles,
    histories: [[0, 1]],
  };
  let made = 0;
  const models = openModels(() => openModel(set, ++made));
  const [first, same] = await Promise.all([models.load("demo"), models.load("demo")]);
  assert.equal(first, same);
  const wish = { liked: ["a"], excluded: [], ageRatingMax: 18, count: 2 };
  assert.equal((await first.recommend(wish))[0]?.id, "b");
  first.close();
  await assert.rejects(first.recommend(wish));
  const second = await models.load("demo");
  assert.equal(second.trainedAtMs, 2);
  assert.equal((await second.recommend(wish)).length, 2);
  models.close();
});
