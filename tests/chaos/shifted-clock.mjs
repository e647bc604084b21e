// Loaded before a program (`node --import`): its clock is as many milliseconds ahead as the file says that MARQUEE_CHAOS_CLOCK names.
import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 50;
const file = process.env["MARQUEE_CHAOS_CLOCK"] ?? "";
let offsetMs = 0;

function look() {
  offsetMs = Number(readFileSync(file, "utf8"));
}
look();
setInterval(look, LOOK_EVERY_MS).unref();

const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + offsetMs);
    else super(...parts);
  }
  static now() {
    return RealDate.now() + offsetMs;
  }
};
