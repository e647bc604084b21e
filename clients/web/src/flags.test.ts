import assert from "node:assert/strict";
import { test } from "node:test";
import { createFlags } from "./flags.ts";

const kept = (before: string | null = null) => {
  let text = before;
  return { getItem: () => text, setItem: (_: string, next: string) => void (text = next), text: () => text };
};
const answer = (isOff: boolean) => ({ flags: { "kill.web.previews": isOff } });

test("a page begins with what it kept, and hears of what changes", async () => {
  const storage = kept();
  let isOff = true;
  const first = createFlags({ load: async () => answer(isOff), storage });
  assert.equal(first.isOn("kill.web.previews"), false);
  let changes = 0;
  const leave = first.subscribe(() => (changes += 1));
  await first.refresh();
  assert.deepEqual([first.isOn("kill.web.previews"), changes], [true, 1]);
  const second = createFlags({ load: () => Promise.reject(new Error("offline")), storage });
  assert.equal(second.isOn("kill.web.previews"), true);
  await second.refresh();
  assert.equal(second.isOn("kill.web.previews"), true);
  isOff = false;
  leave();
  await first.refresh();
  assert.deepEqual([first.isOn("kill.web.previews"), changes], [false, 1]);
});

test("what a browser kept badly, or will not keep, is no fault", async () => {
  for (const text of ["{", "null", "7", '{"kill.web.previews":"yes"}'])
    assert.equal(createFlags({ load: async () => answer(true), storage: kept(text) }).isOn("kill.web.previews"), false);
  const full = {
    getItem: () => null,
    setItem() {
      throw new Error("the storage is full");
    },
  };
  const flags = createFlags({ load: async () => answer(true), storage: full });
  await flags.refresh();
  assert.equal(flags.isOn("kill.web.previews"), true);
});
