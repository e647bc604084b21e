import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { arrange, compare, daysOf, type Known, type Mended, merge, type Placed, type Slot } from "./domain.ts";

const MINUTE_MS = 60_000;
const at = (clock: string): number => Date.parse(`2026-03-01T${clock}:00Z`);

function slot(title: string, start: string | number, stop: string | number | null, more: Partial<Slot> = {}): Slot {
  const ms = (time: string | number): number => (typeof time === "number" ? time : at(time));
  return {
    ...{
      source: "s",
      importId: "i",
      seq: 0,
      startMs: ms(start),
      stopMs: stop === null ? null : ms(stop),
      lengthS: null,
    },
    ...{ clumpIndex: 0, clumpCount: 1, title, titleKey: title.toLowerCase(), seriesId: `t-${title}`, episodeKey: "" },
    ...{ hash: title, ...more },
  };
}

/** `One 20:00-21:00`, and how often the rule mended something. */
function arranged(slots: readonly Slot[]): { guide: string[]; mended: Partial<Record<Mended, number>> } {
  const mended: Partial<Record<Mended, number>> = {};
  const inOrder = slots.map((one, seq) => ({ ...one, seq }));
  const guide = shown(arrange(inOrder, (what) => (mended[what] = (mended[what] ?? 0) + 1)));
  return { guide, mended };
}
const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 16);
const shown = (all: readonly Placed[]): string[] =>
  all.map(({ title, startMs, stopMs }) => `${title} ${clock(startMs)}-${clock(stopMs)}`);

describe("one source", () => {
  it("lets the later of two that overlap be right, and drops what has no duration", () => {
    const slots = [slot("One", "20:00", "21:00"), slot("Two", "20:30", "21:30"), slot("Zero", "20:30", "20:30")];
    assert.deepEqual(arranged(slots), {
      guide: ["One 20:00-20:30", "Two 20:30-21:30"],
      mended: { overlap_cut: 1, no_duration: 1 },
    });
  });

  it("takes a part of a programme for the programme, and a stopgap of half a day for none", () => {
    const film = [slot("Film", "20:00", "23:00"), slot("News flash", "21:00", "21:05")];
    assert.deepEqual(arranged(film), { guide: ["Film 20:00-23:00"], mended: { inside: 1 } });
    const stopgap = [slot("To be announced", "06:00", "23:00"), slot("News", "12:00", "12:30")];
    assert.deepEqual(arranged(stopgap).guide, ["To be announced 06:00-12:00", "News 12:00-12:30"]);
  });

  it("ends what has no end where the next begins, or after its length, or after an hour", () => {
    const slots = [slot("One", "20:00", null), slot("Two", "21:00", null), slot("Last", "21:30", null)];
    const { guide, mended } = arranged(slots);
    assert.deepEqual(guide, ["One 20:00-21:00", "Two 21:00-21:30", "Last 21:30-22:30"]);
    assert.deepEqual(mended, { end_assumed: 1 });
    assert.deepEqual(arranged([slot("Film", "20:00", null, { lengthS: 5_400 })]).guide, ["Film 20:00-21:30"]);
    assert.deepEqual(
      arranged([slot("Eve", "01:00", null), slot("Morning", "09:00", "10:00")]).guide[0],
      "Eve 01:00-02:00",
    );
  });

  it("takes what is said twice once, and the first of two that start together", () => {
    const slots = [slot("Dup", "12:00", null), slot("Dup", "12:00", "13:00"), slot("Other", "12:00", "13:00")];
    assert.deepEqual(arranged(slots), { guide: ["Dup 12:00-13:00"], mended: { duplicate: 1, same_start: 1 } });
  });

  it("divides a slot that several share", () => {
    const share = (title: string, clumpIndex: number) => slot(title, "12:00", "13:00", { clumpIndex, clumpCount: 2 });
    assert.deepEqual(arranged([share("Weather", 1), share("News", 0)]).guide, [
      "News 12:00-12:30",
      "Weather 12:30-13:00",
    ]);
  });

  it("keeps gaps, but for a moment that belongs to nobody", () => {
    const slots = [slot("One", "20:00", "20:58"), slot("Two", "21:00", "22:00"), slot("Three", "23:00", "23:30")];
    assert.deepEqual(arranged(slots).guide, ["One 20:00-21:00", "Two 21:00-22:00", "Three 23:00-23:30"]);
  });

  it("drops a programme of 400 days", () => {
    const slots = [slot("Eternity", "10:00", at("10:00") + 400 * 86_400_000), slot("News", "12:00", "12:30")];
    assert.deepEqual(arranged(slots), { guide: ["News 12:00-12:30"], mended: { too_long: 1 } });
  });

  const anySlots = fc.array(
    fc.record({
      title: fc.constantFrom("A", "B", "C"),
      start: fc.integer({ min: 0, max: 600 }),
      length: fc.option(fc.integer({ min: -5, max: 500 }), { nil: null }),
    }),
    { maxLength: 25 },
  );
  const slotsOf = (all: readonly { title: string; start: number; length: number | null }[]): Slot[] =>
    all.map(({ title, start, length }, seq) =>
      slot(
        title,
        at("00:00") + start * MINUTE_MS,
        length === null || length < 0 ? null : at("00:00") + (start + length) * MINUTE_MS,
        { seq },
      ),
    );

  it("property: whatever comes, nothing overlaps, all is in order, and nothing is invented", () => {
    fc.assert(
      fc.property(anySlots, (all) => {
        const slots = slotsOf(all);
        const placed = arrange(slots, () => {});
        for (const [i, one] of placed.entries()) {
          assert.ok(one.stopMs > one.startMs, "it lasts");
          assert.ok(i === 0 || one.startMs >= (placed[i - 1]?.stopMs ?? 0), "it begins when the one before has ended");
          assert.ok(
            slots.some(({ seq, title, startMs }) => seq === one.seq && title === one.title && startMs === one.startMs),
          );
        }
      }),
    );
  });

  it("property: the order of a document changes nothing where no two start together", () => {
    fc.assert(
      fc.property(anySlots, fc.infiniteStream(fc.nat()), (all, chance) => {
        const unique = [...new Map(slotsOf(all).map((one) => [one.startMs, one])).values()];
        const shuffled = unique
          .map((one) => [chance.next().value, one] as const)
          .toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
        assert.deepEqual(
          arrange(
            shuffled.map(([, one]) => one),
            () => {},
          ),
          arrange(unique, () => {}),
        );
      }),
    );
  });

  it("property: what is arranged is arranged as it is the second time", () => {
    fc.assert(
      fc.property(anySlots, (all) => {
        const once = arrange(slotsOf(all), () => {});
        assert.deepEqual(shown(arrange(once, () => {})), shown(once));
      }),
    );
  });
});

describe("several sources", () => {
  const place = (...slots: readonly Slot[]): Placed[] => arrange(slots, () => {});

  it("takes the first whole and lets the others fill its gaps", () => {
    const first = place(slot("A", "20:00", "21:00"), slot("C", "22:00", "23:00"));
    const second = place(slot("x", "19:30", "20:30"), slot("y", "21:00", "22:00"), slot("z", "22:55", "23:05"));
    assert.deepEqual(shown(merge([first, second])), [
      ...["x 19:30-20:00", "A 20:00-21:00", "y 21:00-22:00", "C 22:00-23:00", "z 23:00-23:05"],
    ]);
    assert.deepEqual(shown(merge([first, place(slot("long", "20:00", "21:20"))])), ["A 20:00-21:00", "C 22:00-23:00"]);
  });

  const chain = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 90 })), { maxLength: 12 })
    .map((steps) => {
      let minute = 0;
      return steps.map(([gap, length], seq) => {
        const start = minute + gap;
        minute = start + length;
        return slot(String(seq), at("00:00") + start * MINUTE_MS, at("00:00") + minute * MINUTE_MS, { seq });
      });
    });

  it("property: nothing overlaps, and what the first one says stands as it was said", () => {
    fc.assert(
      fc.property(chain, chain, chain, (a, b, c) => {
        const sources = [a, b, c].map((slots) => place(...slots));
        const merged = merge(sources);
        for (const [i, one] of merged.entries()) {
          assert.ok(one.stopMs > one.startMs);
          assert.ok(i === 0 || one.startMs >= (merged[i - 1]?.stopMs ?? 0));
        }
        for (const one of sources[0] ?? []) assert.ok(merged.includes(one));
      }),
    );
  });
});

describe("what has changed", () => {
  const known = (placed: readonly Placed[]): Known[] =>
    placed.map((one, i) => ({
      ...{ id: `old-${i}`, startMs: one.startMs, stopMs: one.stopMs, stopAssumed: one.stopAssumed, title: one.title },
      ...{ titleKey: one.titleKey, seriesId: one.seriesId, episodeKey: one.episodeKey, hash: one.hash },
    }));
  const placed = (...slots: readonly Slot[]): Placed[] => arrange(slots, () => {});

  it("follows a programme that moves, and one that is described anew", () => {
    const before = known(
      placed(slot("News", "20:00", "20:15"), slot("Film", "20:15", "22:00"), slot("Late", "22:00", "23:00")),
    );
    const after = placed(
      ...[slot("Football", "19:00", "20:40"), slot("News", "20:40", "20:55"), slot("Film", "20:55", "22:40")],
      slot("Late", "22:40", "23:00", { hash: "other words" }),
    );
    const change = compare("ch-1", before, after);
    assert.deepEqual(
      change.added.map(({ slot: one }) => one.title),
      ["Football"],
    );
    assert.deepEqual(
      change.changed.map((one) => [one.known.id, one.slot.title]),
      [
        ["old-0", "News"],
        ["old-1", "Film"],
        ["old-2", "Late"],
      ],
    );
    assert.deepEqual(change.removed, []);
  });

  it("names both days of a programme that moves past midnight", () => {
    const before = known(placed(slot("Film", "23:30", "23:50")));
    const after = placed(slot("Film", at("23:50") + 20 * MINUTE_MS, at("23:50") + 50 * MINUTE_MS));
    assert.deepEqual(daysOf(compare("ch-1", before, after)), [
      { day: "2026-03-01", added: [], changed: ["old-0"], removed: [] },
      { day: "2026-03-02", added: [], changed: ["old-0"], removed: [] },
    ]);
  });

  it("does not take another episode for the one that was", () => {
    const episode = (key: string) => ({ seriesId: "s", episodeKey: key, hash: key });
    const before = known(
      placed(slot("Soap", "18:00", "18:30", episode("e1")), slot("Soap", "19:00", "19:30", episode("e2"))),
    );
    const after = placed(slot("Soap", "18:05", "18:35", episode("e2")), slot("Soap", "19:05", "19:35", episode("e1")));
    assert.deepEqual(
      compare("ch-1", before, after).changed.map(({ known: { id }, slot: { episodeKey } }) => [id, episodeKey]),
      [
        ["old-1", "e2"],
        ["old-0", "e1"],
      ],
    );
  });

  it("property: a change makes the new guide of the old one, and ids stay unique", () => {
    const guide = fc
      .uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 15 })
      .chain((starts) =>
        fc.tuple(
          ...starts.map((start) =>
            fc.record({ start: fc.constant(start), title: fc.constantFrom("A", "B", "C", "D") }),
          ),
        ),
      )
      .map((all) =>
        placed(
          ...all.map(({ start, title }, seq) =>
            slot(title, at("00:00") + start * 30 * MINUTE_MS, at("00:00") + (start + 1) * 30 * MINUTE_MS, { seq }),
          ),
        ),
      );
    fc.assert(
      fc.property(guide, guide, (old, fresh) => {
        const first = compare("ch-1", [], old);
        const before = first.added.map(({ id, slot: one }) => ({ ...known([one])[0], id }) as Known);
        const { added, changed, removed } = compare("ch-1", before, fresh);
        const ids = new Map(before.map((one) => [one.id, `${one.title} ${one.startMs}`]));
        for (const { id } of removed) ids.delete(id);
        for (const { known: one, slot: to } of changed) ids.set(one.id, `${to.title} ${to.startMs}`);
        for (const { id, slot: one } of added) {
          assert.ok(!ids.has(id), "a new programme has an id of its own");
          ids.set(id, `${one.title} ${one.startMs}`);
        }
        assert.deepEqual([...ids.values()].toSorted(), fresh.map((one) => `${one.title} ${one.startMs}`).toSorted());
        assert.deepEqual(compare("ch-1", before, old), { added: [], changed: [], removed: [] });
      }),
    );
  });
});
