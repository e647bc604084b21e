import assert from "node:assert/strict";
import { test } from "node:test";
import { isLanguage, nameFiles, titleFromFile } from "./domain.ts";

test("language tags are ISO 639 codes with subtags, and words are none", () => {
  for (const tag of ["en", "deu", "pt-BR", "zh-Hant-TW", "und", "es-419"]) assert.equal(isLanguage(tag), true, tag);
  for (const tag of ["", "e", "english", "forced", "en_US", "de-", "de--AT", "en-u", "a-b", "../x"])
    assert.equal(isLanguage(tag), false, tag);
});

test("an error names the files that were given, whatever is in their names", () => {
  const say = (message: string): string => nameFiles(message, "a $& 'b'.mp4", ["one.srt", "$1 two.vtt"]);
  assert.equal(say("'source' is empty"), "'a $& 'b'.mp4' is empty");
  assert.equal(say("'sources/demo/vod_1/source' was not written"), "'a $& 'b'.mp4' was not written");
  assert.equal(say("'text-2.vtt' and 'sources/demo/vod_1/text-1.srt'"), "'$1 two.vtt' and 'one.srt'");
  assert.equal(say("'text-3.srt' is nobody's"), "'text-3.srt' is nobody's");
  assert.equal(say("the codec 'h264' of 'x source'"), "the codec 'h264' of 'x source'");
});

test("a file's name becomes a title", () => {
  assert.equal(titleFromFile("/films/The_last.one (2026).mkv"), "The last one (2026)");
  assert.equal(titleFromFile("/films/._.mp4"), "Untitled");
});
