import assert from "node:assert/strict";
import { test } from "node:test";
import { toYaml } from "./yaml.ts";

test("lists of members, text of several lines and what must be quoted are YAML", () => {
  const data = {
    groups: [
      {
        name: 'a "b": #c',
        rules: [
          { expr: "x\n  > 1", for: undefined, labels: {} },
          { n: 1, ok: true },
        ],
      },
    ],
    none: [],
    words: ["a", "- b"],
  };
  assert.equal(
    toYaml(data, "One.\nTwo."),
    `# One.
# Two.
groups:
  - name: "a \\"b\\": #c"
    rules:
      - expr: |-
          x
            > 1
        labels: {}
      - n: 1
        ok: true
none: []
words:
  - "a"
  - "- b"
`,
  );
});
