import assert from "node:assert/strict";
import { test } from "node:test";
import { openXmltvReader, type Programme } from "#media/xmltv";
import { demoGuide } from "./guide.ts";

test("the demo's guide is a chain without gaps for two weeks from now, and nothing in it is wrong", () => {
  const nowMs = Date.UTC(2026, 10, 26, 17, 30);
  const programmes: Programme[] = [];
  const findings: string[] = [];
  const reader = openXmltvReader({
    onChannel() {},
    onFinding: (code, detail) => void findings.push(`${code} ${detail}`),
    onProgramme: (programme) => void programmes.push(programme),
  });
  reader.write(Buffer.from(demoGuide(nowMs)));
  reader.end();
  assert.deepEqual(findings, []);
  for (const [i, { startMs }] of programmes.entries())
    if (i > 0) assert.equal(startMs, programmes[i - 1]?.stopMs, "no gap and no overlap");
  assert.ok((programmes[0]?.startMs ?? nowMs) <= nowMs - 86_400_000 + 43_200_000);
  assert.ok((programmes.at(-1)?.stopMs ?? 0) >= nowMs + 14 * 86_400_000);
});
