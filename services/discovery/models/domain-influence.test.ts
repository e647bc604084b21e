import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { predictGbdt, trainGbdt } from "#learning/gbdt";
import { seededRandom } from "#learning/random";
import { influencesOf, OF_NO_TITLE, placeOf, placesOf, variantsOf } from "./domain-influence.ts";
import { columnsOf, type Order, ORDERS, orders } from "./domain-order.ts";

type Rows = readonly (readonly number[])[];
type Model = (rows: Rows) => readonly number[];

function explained(order: Order, rows: Rows, at: number, model: Model) {
  const variants = variantsOf(order, rows, at);
  const scores = { list: model(rows), variants: model(variants.map(({ features }) => features)) };
  return { variants, scores, influences: influencesOf(variants, scores, at) };
}

const rowsOf = (order: Order) => {
  const value = fc.oneof(
    { weight: 1, arbitrary: fc.constant(Number.NaN) },
    { weight: 4, arbitrary: fc.integer({ min: -9, max: 9 }) },
  );
  const width = columnsOf(order).length;
  return fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 2, maxLength: 12 });
};
/** A list, one of its titles, and a model that looks at some of the features. */
const cases = fc.constantFrom(...ORDERS).chain((order) =>
  fc.record({
    order: fc.constant(order),
    rows: rowsOf(order),
    at: fc.nat(),
    weights: fc.array(fc.constantFrom(0, 0, 1, -2), {
      ...{ minLength: columnsOf(order).length, maxLength: columnsOf(order).length },
    }),
  }),
);
const modelOf =
  (weights: readonly number[]): Model =>
  (rows) =>
    rows.map((row) =>
      row.reduce((sum, value, place) => sum + (Number.isNaN(value) ? 0 : value * (weights[place] ?? 0)), 0),
    );

describe("what moved a title in an order", () => {
  it("is said of every feature of a title, once", () => {
    for (const order of ORDERS) {
      const said = [...placesOf(order).values()].flat().map((place) => columnsOf(order)[place] ?? "");
      assert.equal(new Set(said).size, said.length);
      const all = columnsOf(order).filter((name) => !OF_NO_TITLE.includes(name));
      assert.deepEqual(said.toSorted(), all.toSorted());
    }
  });

  it("is of features that the model has and looks at, and of nothing else", () => {
    fc.assert(
      fc.property(cases, ({ order, rows, at: any, weights }) => {
        const at = any % rows.length;
        const { influences } = explained(order, rows, at, modelOf(weights));
        for (const { what, effect } of influences) {
          const places = placesOf(order).get(what) ?? [];
          assert.ok(
            places.some((place) => weights[place] !== 0),
            `${what} has no weight`,
          );
          assert.ok(
            places.some((place) => !Number.isNaN(rows[at]?.[place])),
            `${what} is not known of the title`,
          );
          assert.notEqual(effect, 0);
        }
      }),
    );
  });

  it("is what the score and the place lose without it", () => {
    fc.assert(
      fc.property(cases, ({ order, rows, at: any, weights }) => {
        const at = any % rows.length;
        const model = modelOf(weights);
        const { influences, scores, variants } = explained(order, rows, at, model);
        for (const { what, effect, places } of influences) {
          const features = variants.find((variant) => variant.what === what)?.features ?? [];
          const without = scores.list.with(at, model([features])[0] ?? 0);
          assert.equal(effect, (scores.list[at] ?? 0) - (without[at] ?? 0));
          const placeIn = (list: readonly number[]) =>
            [...list.keys()].sort((a, b) => (list[b] ?? 0) - (list[a] ?? 0) || a - b).indexOf(at);
          assert.equal(placeOf(scores.list[at] ?? 0, scores.list, at), placeIn(scores.list));
          assert.equal(places, placeIn(without) - placeIn(scores.list));
          assert.ok(effect > 0 ? places >= 0 : places <= 0, "what raises a score moves nothing down");
        }
        const sizes = influences.map(({ effect }) => Math.abs(effect));
        assert.deepEqual(
          sizes,
          sizes.toSorted((a, b) => b - a),
        );
      }),
    );
  });

  it("is nothing in a list of equals, and nothing that is the same for the whole list", () => {
    const width = columnsOf("home-order").length;
    const equal = Array.from({ length: 5 }, () => Array.from({ length: width }, (_, place) => place));
    assert.deepEqual(variantsOf("home-order", equal, 2), []);
    const unknown = equal.with(
      2,
      Array.from({ length: width }, () => Number.NaN),
    );
    assert.deepEqual(variantsOf("home-order", unknown, 2), [], "what is not known cannot be otherwise");
  });

  it("is the length, to a model that learned that people choose short films", () => {
    const random = seededRandom(7);
    const length = columnsOf("search-order").indexOf("duration");
    const row = (minutes: number) =>
      columnsOf("search-order").map((_, place) => (place === length ? minutes : random()));
    const training = Array.from({ length: 1_200 }, () => row(40 + 120 * random()));
    const tableOf = (rows: Rows) => ({
      values: Float32Array.from(rows.flat()),
      columns: columnsOf("search-order").length,
    });
    const labels = Float32Array.from(training, (one) => ((one[length] ?? 0) < 90 ? 1 : 0));
    const trained = trainGbdt(tableOf(training), labels, orders["search-order"].options);
    const model: Model = (rows) => [...predictGbdt(trained, tableOf(rows))];
    const list = [60, 100, 110, 120, 130, 140].map(row);
    const [short, long] = [0, 5].map((at) => explained("search-order", list, at, model).influences[0]);
    assert.deepEqual([short?.what, long], ["length", undefined]);
    assert.ok((short?.effect ?? 0) > 0.5 && (short?.places ?? 0) > 0, JSON.stringify(short));
    // Among short ones it is what speaks against the only long one.
    const among = explained("search-order", [140, 50, 60, 70, 80].map(row), 0, model).influences[0];
    assert.equal(among?.what, "length");
    assert.ok((among?.effect ?? 0) < -0.5 && (among?.places ?? 0) < 0, JSON.stringify(among));
  });
});
