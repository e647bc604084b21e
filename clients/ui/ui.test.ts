import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, inkOn, visibleOn } from "./color.ts";
import { directionOf, LOCALES, loadMessages, pickLocale } from "./locale.ts";
import { en } from "./messages/en.ts";
import { ago, clock, durationInWords, languageInWords, timeLeft } from "./time.ts";

test("durations are said the way people say them", () => {
  assert.equal(durationInWords(35, en), "35 s");
  assert.equal(durationInWords(59.6, en), "1 min");
  assert.equal(durationInWords(42 * 60, en), "42 min");
  assert.equal(durationInWords(72 * 60, en), "1 h 12 min");
  assert.equal(durationInWords(7_199, en), "2 h");
  assert.equal(durationInWords(Number.NaN, en), "0 s");
});

test("time left is never said shorter than it is", () => {
  assert.equal(timeLeft(0, 42 * 60 - 30, en), "42 min left");
  assert.equal(timeLeft(100, 130, en), "less than a minute left");
  assert.equal(timeLeft(500, 130, en), "less than a minute left");
});

test("a clock keeps its width through a film", () => {
  assert.equal(clock(65), "1:05");
  assert.equal(clock(65, 4_000), "0:01:05");
  assert.equal(clock(64.9), "1:04");
  assert.equal(clock(59.999999), "1:00", "a film of a minute is one also where its samples end a little earlier");
  assert.equal(clock(3_753, 4_000), "1:02:33");
  assert.equal(clock(Number.NaN, 10), "0:00");
});

test("moments are told from now, in the reader's language", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");
  assert.equal(ago("2026-11-23T11:59:30Z", now, "en", en), "just now");
  assert.equal(ago("2026-11-23T09:00:00Z", now, "en", en), "3 hours ago");
  assert.equal(ago("2026-11-22T11:00:00Z", now, "de", en), "gestern");
  assert.equal(ago("never", now, "en", en), "just now");
});

test("languages have names, and what is none stays as it is", () => {
  assert.equal(languageInWords("de", "es"), "Alemán");
  assert.equal(languageInWords("not a tag", "en"), "not a tag");
});

test("a profile's language comes first, then the browser's by weight, then English", () => {
  assert.equal(pickLocale("ar", "de"), "ar");
  assert.equal(pickLocale("", "fr, es;q=0.5, de-AT;q=0.9"), "de");
  assert.equal(pickLocale(null, "de;q=0, fr"), "en");
  assert.equal(pickLocale("xx", ""), "en");
  assert.equal(directionOf("ar"), "rtl");
});

/** Every leaf of a catalogue as a line of text; functions are asked with arguments that show. */
function leaves(value: unknown, path: string): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, String(Reflect.apply(value, null, ["7", "9"]))]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, `${path}.${key}`));
}

test("every language says everything, and says what it is told", async () => {
  const english = leaves(en, "");
  for (const locale of LOCALES) {
    const own = new Map(leaves(await loadMessages(locale), ""));
    for (const [path, text] of english) {
      const said = own.get(path) ?? "";
      assert.ok(said.trim() !== "", `${locale}${path} is empty`);
      if (text.includes("7")) assert.match(said, /7|٧/, `${locale}${path} loses its argument`);
    }
    assert.equal(own.size, english.length, locale);
  }
});

test("names that other programs look for are these", () => {
  assert.deepEqual(
    [en.signIn, en.email, en.password, en.play, en.resume, en.player.pause, en.search, en.myList, en.continueWatching],
    ["Sign in", "Email", "Password", "Play", "Resume", "Pause", "Search", "My list", "Continue watching"],
  );
  assert.deepEqual(
    [
      en.player.mute,
      en.player.unmute,
      en.player.subtitlesAndAudio,
      en.player.fullScreen,
      en.player.pip,
      en.player.seek,
    ],
    ["Mute", "Unmute", "Subtitles and audio", "Full screen", "Picture in picture", "Seek"],
  );
});

test("any tenant's accent can be read on and be seen", () => {
  for (const accent of ["#f2b04c", "#1d2bd6", "#000000", "#ffffff", "#777777", "#7a0019"]) {
    assert.ok(contrast(accent, inkOn(accent)) >= 4.5, accent);
    assert.ok(contrast(visibleOn(accent, "#0b0a0c", 4.5), "#0b0a0c") >= 4.5, accent);
  }
  assert.equal(visibleOn("#f2b04c", "#0b0a0c", 4.5), "#f2b04c");
});
