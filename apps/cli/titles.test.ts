import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Encoding } from "#contracts/encoding";
import { describeLadder } from "./titles.ts";

const encodingOf = (members: object): Encoding =>
  create(Encoding.rpc.method.get.output, { encoding: members }).encoding as Encoding;
const size = { width: 1280, height: 720 };

test("a ladder is shown with what was chosen and what is expected of it, or with why it is the fixed one", () => {
  const rungs = [{ profile: "720p-h264", ...size, bitrateKbps: 1_800, expectedKbps: 900, vmaf: 93.4 }];
  assert.deepEqual(describeLadder(encodingOf({ ladder: "per-title", rungs })), [
    "ladder       per-title",
    "             720p-h264  1280x720  1800 kbit/s, 900 expected for a VMAF of 93",
  ]);
  const fixed = { ladder: "fixed", ladderReason: "the quick preset does not measure" };
  const plainRungs = [{ profile: "720p-h264", ...size, bitrateKbps: 4_000 }];
  assert.deepEqual(describeLadder(encodingOf({ ...fixed, rungs: plainRungs })), [
    "ladder       fixed: the quick preset does not measure",
    "             720p-h264  1280x720  4000 kbit/s",
  ]);
});
