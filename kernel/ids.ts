import { randomFillSync } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Randomness for some hundred ids at a time: each request for some has a price of its own. */
const pool = Buffer.alloc(16 * 256);
let used = pool.length;

function random16(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 16;
  return pool.subarray(used - 16, used);
}

/**
 * A new id: a prefix that says what it names, 48 bits of time and 80 random bits in Crockford's base 32, as ULID.
 * Ids sort by their time of birth, which keeps B-trees dense.
 */
export function newId(prefix: string, nowMs: number = Date.now()): string {
  let time = "";
  for (let rest = nowMs, i = 0; i < 10; i++) {
    time = ALPHABET[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  let random = "";
  for (const byte of random16()) random += ALPHABET[byte & 31];
  return `${prefix}_${time}${random}`;
}
