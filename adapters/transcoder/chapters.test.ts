import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { openTranscoder } from "./ffmpeg.ts";
import { chaptersOf } from "./probe.ts";

const call = promisify(execFile);
let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "marquee-chapters-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const described = (startS: number, title: string) => ({ start_time: startS.toFixed(6), tags: { title } });

test("chapters come out of MP4 and Matroska, and are not taken for subtitles", async () => {
  const list = ["0 Anfang", "1000 😀 ça = va; #1", "2500 "].map((line) => {
    const [startMs = "", ...words] = line.split(" ");
    const title = words.join(" ").replace(/[=;#]/g, "\\$&");
    return `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${startMs}\nEND=${Number(startMs) + 500}\n${title === "" ? "" : `title=${title}\n`}`;
  });
  await writeFile(join(folder, "list.txt"), `;FFMETADATA1\n${list.join("")}`);
  const picture = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=64x64:rate=25",
    "-f",
    "ffmetadata",
    "-i",
    join(folder, "list.txt"),
  ];
  for (const ending of ["mp4", "mkv"]) {
    const path = join(folder, `film.${ending}`);
    const output = ["-map_chapters", "1", "-t", "3", "-c:v", "libx264", "-preset", "ultrafast", path];
    await call("ffmpeg", ["-nostdin", "-v", "error", "-y", ...picture, ...output]);
    const { chapters, text } = await openTranscoder().probe(path);
    assert.deepEqual(
      chapters?.map(({ startS, title }) => [Math.round(startS * 1000), title]),
      [
        [0, "Anfang"],
        [1000, "😀 ça = va; #1"],
        [2500, ""],
      ],
      ending,
    );
    assert.deepEqual(text, [], ending);
  }
});

test("they stand on the picture's clock, in order, and within the film", () => {
  const chapters = chaptersOf([described(70, "c"), described(9, "a"), described(40, "b"), described(130, "d")], 10, 60);
  assert.deepEqual(chapters, [
    { startS: 0, title: "a" },
    { startS: 30, title: "b" },
  ]);
  const twice = chaptersOf([described(5, "first"), described(5, "second")], 0, 60);
  assert.deepEqual(twice, [{ startS: 5, title: "second" }]);
  assert.deepEqual(chaptersOf([{ start_time: "N/A" }, {}], 0, 60), [{ startS: 0, title: "" }]);
});

test("property: whatever a file says, there are 200 at most, each a line of 120 characters", () => {
  const title = fc.oneof(fc.string({ unit: "grapheme", maxLength: 300 }), fc.constant("👩‍👩‍👧‍👦".repeat(40)));
  const chapter = fc.record({ start_time: fc.oneof(fc.double().map(String), fc.string()), tags: fc.record({ title }) });
  fc.assert(
    fc.property(fc.array(chapter, { maxLength: 300 }), (file) => {
      const chapters = chaptersOf(file, 0, 1e6);
      assert.ok(chapters.length <= 200);
      for (const [index, { startS, title }] of chapters.entries()) {
        assert.ok(startS >= 0 && startS < 1e6 && startS > (chapters[index - 1]?.startS ?? -1));
        assert.ok(title.length <= 120 && title.isWellFormed() && !/[\p{Cc}]/u.test(title), title);
      }
    }),
  );
});
