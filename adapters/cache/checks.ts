import { problem } from "#kernel/errors";

const KEY_CHARACTERS_MAX = 1024;

export function assertKey(key: string): void {
  if (key === "" || key.length > KEY_CHARACTERS_MAX)
    throw problem.invalid(`a cache key has 1 to ${KEY_CHARACTERS_MAX} characters, this one has ${key.length}`);
}

export function assertTtl(ttlMs: number): void {
  if (!(Number.isSafeInteger(ttlMs) && ttlMs > 0))
    throw problem.invalid(`ttlMs is ${ttlMs}: it must be a whole number above 0`);
}

export function assertIncrement(by: number): void {
  if (!Number.isSafeInteger(by)) throw problem.invalid(`a counter cannot grow by ${by}: use a whole number`);
}

export const notACounter = (key: string): Error =>
  problem.precondition(`the key '${key}' holds something that is not a counter`);
