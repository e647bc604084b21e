import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cli } from "./cli.ts";
import { type SimulateOptions, simulate } from "./simulate.ts";

const OPTIONS: SimulateOptions = {
  ...{ personas: "200", titles: "2000", minutes: "10", seed: "11" },
  ...{ remove: false, yes: false, json: false },
};

/** A command on a product of which one thing is known; whatever else it is asked fails the test. */
function cliOf(about: object): Cli {
  const client = { about: async () => about };
  const terminal = { canAsk: false, columns: 100, out: assert.fail, note: assert.fail, redraw: () => undefined };
  return { client, terminal, dataFolder: "/nowhere" } as unknown as Cli;
}

const DEMO = { url: "http://localhost:8080", mode: "development", demo: 1 };

test("what is no number, or too many, is refused by its name before anything is asked", async () => {
  for (const [option, values] of Object.entries({
    personas: ["0", "9", "1001", "20.5", "", "many", "1e9"],
    titles: ["49", "10001", "-1", "NaN"],
    minutes: ["0", "-1", "1441", "Infinity", " "],
    seed: ["-1", "0.5", "2147483648", "x"],
  }))
    for (const value of values)
      await assert.rejects(simulate(cliOf(DEMO), { ...OPTIONS, [option]: value }), {
        code: "invalid_argument",
        message: new RegExp(`^--${option} '`),
      });
});

test("production has no part in it, whoever is sure; what is not the demo has to be told", async () => {
  for (const yes of [false, true])
    await assert.rejects(simulate(cliOf({ ...DEMO, mode: "production", demo: 0 }), { ...OPTIONS, yes }), {
      code: "failed_precondition",
      message: /in production/,
    });
  await assert.rejects(simulate(cliOf({ ...DEMO, demo: 0 }), OPTIONS), {
    code: "failed_precondition",
    message: /not the demo.*--yes/,
  });
});
