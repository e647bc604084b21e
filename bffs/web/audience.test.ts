import assert from "node:assert/strict";
import { test } from "node:test";
import { systemOf } from "./audience.ts";

test("a browser's system and its version are known by what it says", () => {
  const cases: readonly (readonly [string, string | undefined, string | undefined])[] = [
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
      "windows",
      "10.0.0",
    ],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
      "macos",
      "10.15.7",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148",
      "ios",
      "17.4.0",
    ],
    ["Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile", "android", "14.0.0"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "linux", undefined],
    ["Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/131.0.0.0", "chromeos", "14541.0.0"],
    ["Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 94.0.4606.31/7.0 TV Safari/537.36", "tizen", "7.0.0"],
    ["Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/94.0.4606.128 Safari/537.36", "webos", undefined],
    ["curl/8.5.0", undefined, undefined],
    ["", undefined, undefined],
  ];
  for (const [agent, platform, osVersion] of cases) {
    const found = systemOf({ "user-agent": agent });
    assert.deepEqual([found.platform, found.osVersion], [platform, osVersion], agent);
  }
  assert.deepEqual(systemOf({}), {});
});
