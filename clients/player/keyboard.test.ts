import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceName } from "./device.ts";
import { qualitiesOf } from "./engine.ts";
import { commandOf } from "./keyboard.ts";
import { parsePreferences } from "./preferences.ts";

const key = (name: string, held: Partial<{ ctrlKey: boolean }> = {}) =>
  commandOf({ key: name, ctrlKey: false, metaKey: false, altKey: false, target: null, ...held });

test("the keys that people know", () => {
  assert.equal(key(" "), "toggle");
  assert.equal(key("K"), "toggle");
  assert.equal(key("ArrowLeft"), "back10");
  assert.equal(key("m"), "mute");
  assert.equal(key("F"), "fullScreen");
  assert.equal(key("c"), "captions");
  assert.equal(key("Escape"), "leave");
  assert.deepEqual(key("7"), { tenths: 7 });
});

test("shortcuts of the browser stay the browser's", () => {
  assert.equal(key("f", { ctrlKey: true }), null);
  assert.equal(key("F5"), null);
  assert.equal(key("constructor"), null);
});

test("what a browser kept is taken only as far as we could have written it", () => {
  const defaults = { audioLanguage: null, subtitleLanguage: null, volume: 1, muted: false };
  assert.deepEqual(parsePreferences(null), defaults);
  assert.deepEqual(parsePreferences("{"), defaults);
  assert.deepEqual(parsePreferences('{"volume":7,"muted":"yes","audioLanguage":5}'), defaults);
  const kept = { audioLanguage: "de", subtitleLanguage: "ar", volume: 0.4, muted: true };
  assert.deepEqual(parsePreferences(JSON.stringify(kept)), kept);
});

test("one quality a height, the best of it, highest first", () => {
  const track = (height: number | null, bandwidth: number, active = false) => ({ height, bandwidth, active });
  assert.deepEqual(qualitiesOf([track(360, 1), track(1_080, 5, true), track(1_080, 6), track(null, 9)]), [
    { height: 1_080, bandwidth: 6, active: true },
    { height: 360, bandwidth: 1, active: false },
  ]);
});

test("a device's name is what its owner would call it", () => {
  const chrome =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36";
  assert.equal(deviceName(chrome), "Chrome on Windows");
  assert.equal(deviceName(`${chrome} Edg/156.0`), "Edge on Windows");
  assert.equal(
    deviceName("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"),
    "Safari on iPhone",
  );
  assert.equal(deviceName(""), "Browser");
});
