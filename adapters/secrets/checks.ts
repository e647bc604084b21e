import { problem } from "#kernel/errors";

const NAME_CHARACTERS_MAX = 200;
const VALUE_BYTES_MAX = 64 * 1024;
const NAMES_MAX = 10_000;

export function assertName(name: string): void {
  const isName =
    name.length <= NAME_CHARACTERS_MAX &&
    /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(name) &&
    !/(^|\/)\.\.?(\/|$)/.test(name);
  if (!isName)
    throw problem.invalid(
      `'${name.slice(0, 100)}' is no name of a secret: use parts of letters, digits, '.', '_' and '-' with single slashes between them`,
    );
}

/** A prefix is the beginning of a name, or empty. */
export function assertPrefix(prefix: string): void {
  if (prefix !== "") assertName(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
}

export function assertNamesMax(namesMax: number): void {
  if (!Number.isSafeInteger(namesMax) || namesMax < 1 || namesMax > NAMES_MAX)
    throw problem.invalid(`namesMax is ${namesMax}: 1 to ${NAMES_MAX} are possible`);
}

export function assertValue(name: string, value: Readonly<Record<string, unknown>>): void {
  if (Buffer.byteLength(JSON.stringify(value)) > VALUE_BYTES_MAX)
    throw problem.invalid(
      `the secret '${name}' has more than ${VALUE_BYTES_MAX} bytes: keep large things as objects, and their key here`,
    );
}

export const wrongVersion = (name: string, found: number, expected: number): Error =>
  problem.aborted(`the secret '${name}' has version ${found}, not ${expected}: read it again`);
