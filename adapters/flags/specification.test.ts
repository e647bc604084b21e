import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import type { Attributes } from "./constraints.ts";
import { readDocument } from "./document.ts";
import { openEngine } from "./engine.ts";

/** The cases that every client of Unleash is held to, as its makers publish them. */
interface Case {
  readonly description: string;
  readonly context: Readonly<Record<string, unknown>> & { readonly properties?: Readonly<Record<string, unknown>> };
  readonly toggleName: string;
  readonly expectedResult: unknown;
}
interface Specification {
  readonly name: string;
  readonly state: unknown;
  readonly tests?: readonly Case[];
  readonly variantTests?: readonly Case[];
}

const require = createRequire(import.meta.url);
const load = <T>(name: string): T => require(`@unleash/client-specification/specifications/${name}`) as T;

/** Our attributes are flat: what Unleash calls properties has names of its own. */
function attributesOf({ properties = {}, ...fields }: Case["context"]): Attributes {
  const entries = Object.entries({ ...properties, ...fields }).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

for (const file of load<readonly string[]>("index.json")) {
  const specification = load<Specification>(file);
  const engine = openEngine(readDocument(specification.state));
  describe(`Unleash client specification ${specification.name}`, () => {
    for (const { description, context, toggleName, expectedResult } of specification.tests ?? []) {
      test(description, () =>
        assert.equal(engine.evaluate(toggleName, attributesOf(context)).isEnabled, expectedResult),
      );
    }
    for (const { description, context, toggleName, expectedResult } of specification.variantTests ?? []) {
      test(description, () => {
        const { isEnabled, variant } = engine.evaluate(toggleName, attributesOf(context));
        const said = {
          name: variant?.name ?? "disabled",
          ...(variant?.payload ? { payload: variant.payload } : {}),
          enabled: variant !== undefined,
          feature_enabled: isEnabled,
        };
        assert.deepEqual(said, expectedResult);
      });
    }
  });
}
