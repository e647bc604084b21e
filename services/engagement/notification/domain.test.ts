import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkPreferences, choiceOf, KINDS, PREFERENCES_DEFAULT, retryAtMs, TEMPLATES } from "./domain.ts";
import { isQuiet, isZone, minuteOfDay, quietUntilMs } from "./domain-quiet.ts";
import { mailOf, wordsOf } from "./domain-words.ts";

const MINUTE_MS = 60_000;
const minute = fc.integer({ min: 0, max: 1_439 });
const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe");
/** Around the days on which clocks are set, more often than anywhere else. */
const moment = fc.oneof(
  fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) }),
  fc
    .tuple(
      fc.constantFrom(Date.UTC(2026, 2, 29), Date.UTC(2026, 9, 25), Date.UTC(2026, 2, 8), Date.UTC(2026, 3, 5)),
      fc.integer({ min: -36 * 3_600_000, max: 36 * 3_600_000 }),
    )
    .map(([day, off]) => day + off),
);

test("property: what is put off comes in the first minute that is not quiet, also when clocks are set meanwhile", () => {
  fc.assert(
    fc.property(minute, minute, zone, moment, (fromMinute, untilMinute, where, atMs) => {
      const quiet = { fromMinute, untilMinute };
      let expectedMs = atMs;
      while (isQuiet(quiet, expectedMs, where)) expectedMs = (Math.floor(expectedMs / MINUTE_MS) + 1) * MINUTE_MS;
      assert.equal(quietUntilMs(quiet, atMs, where), expectedMs);
    }),
    { numRuns: 60 },
  );
});

test("quiet hours are those of the viewer's clocks, over midnight too", () => {
  const night = { fromMinute: 22 * 60, untilMinute: 7 * 60 };
  const elevenInBerlin = Date.UTC(2026, 10, 26, 22, 0);
  assert.equal(minuteOfDay(elevenInBerlin, "Europe/Berlin"), 23 * 60);
  assert.ok(isQuiet(night, elevenInBerlin, "Europe/Berlin"));
  assert.ok(!isQuiet(night, elevenInBerlin, "America/Los_Angeles"));
  assert.equal(quietUntilMs(night, elevenInBerlin, "Europe/Berlin"), Date.UTC(2026, 10, 27, 6, 0));
  assert.equal(quietUntilMs(undefined, elevenInBerlin, "Europe/Berlin"), elevenInBerlin);
});

test("preferences have every kind once, and nothing that does not exist", () => {
  const given = { choices: [{ kind: "reminder", inApp: false, email: true, push: false }], zone: "", quiet: undefined };
  assert.deepEqual(choiceOf(checkPreferences(given), "reminder"), given.choices[0]);
  assert.deepEqual(
    checkPreferences({ choices: [], zone: "Europe/Berlin" }).choices.map(({ kind }) => kind),
    [...KINDS],
  );
  assert.equal(checkPreferences({ ...given, quiet: { fromMinute: 60, untilMinute: 60 } }).quiet, undefined);
  assert.throws(() => checkPreferences({ ...given, zone: "Europe/Atlantis" }), /'Europe\/Atlantis' is no time zone/);
  assert.throws(() => checkPreferences({ ...given, quiet: { fromMinute: 0, untilMinute: 1_440 } }), /minute 1440/);
  const wrong = { kind: "weather", inApp: true, email: true, push: true };
  assert.throws(
    () => checkPreferences({ ...given, choices: [wrong] }),
    /'weather' does not exist; there are: reminder/,
  );
});

test("property: no text is taken for a time zone unless clocks can be shown in it", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) => {
      if (isZone(text)) assert.ok(minuteOfDay(0, text) >= 0);
    }),
  );
});

test("tries come at growing distances, wait for as long as they are asked to, and end", () => {
  assert.equal(retryAtMs(1, 1_000), 11_000);
  assert.equal(retryAtMs(2, 0), 60_000);
  assert.equal(retryAtMs(1, 0, 120_000), 120_000);
  assert.equal(retryAtMs(1, 0, 86_400_000), 3_600_000, "nobody makes us wait for a day");
  assert.equal(retryAtMs(5, 0), undefined);
});

const about = {
  titles: { de: "Die Nordsee", en: "The North Sea" },
  channelName: "Marquee One",
  startMs: Date.UTC(2026, 10, 26, 19, 15),
};

test("a reminder speaks the language and the zone of its reader", () => {
  const berlin = "Europe/Berlin";
  assert.deepEqual(wordsOf("reminder.starts", about, { language: "de-AT", zone: berlin }), {
    title: "Die Nordsee",
    body: "Beginnt um 20:15 auf Marquee One.",
  });
  assert.deepEqual(wordsOf("reminder.starts", about, { language: "en", zone: "UTC" }), {
    title: "The North Sea",
    body: "Starts at 19:15 on Marquee One.",
  });
  assert.match(
    wordsOf("reminder.moved", about, { language: "de", zone: berlin }).body,
    /Donnerstag.*26\. November.*20:15/,
  );
  const words = wordsOf("reminder.cancelled", about, { language: "fi", zone: berlin });
  assert.match(words.title, /The North Sea/, "who has no words of ours reads English");
});

test("property: every template has words in every language, and a mail's subject is one line", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TEMPLATES),
      fc.constantFrom("en", "de", "es", "ar", "xx", ""),
      fc.dictionary(fc.constantFrom("en", "de", "", "fr"), fc.string({ maxLength: 400 })),
      (template, language, titles) => {
        const words = wordsOf(template, { ...about, titles }, { language, zone: PREFERENCES_DEFAULT.zone });
        assert.ok(words.title.length <= 200 && words.body.includes("Marquee One"));
        const { subject, text } = mailOf(words, language, {
          open: "https://a.test/n/1",
          account: "https://a.test/account",
        });
        assert.ok(subject !== "" && !/[\u0000-\u001f\u007f]/.test(subject));
        assert.ok(text.includes("https://a.test/n/1") && text.includes("https://a.test/account"));
      },
    ),
  );
});
