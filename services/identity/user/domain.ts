import { problem } from "#kernel/errors";

export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  /** BCP 47; empty where nobody said. */
  readonly language: string;
  readonly createdAtMs: number;
}

export const EMAIL_LENGTH_MAX = 254; // RFC 5321 section 4.5.3.1.3: a path has 256 octets with its brackets.
const LOCAL_LENGTH_MAX = 64;
const NAME_LENGTH_MAX = 100;
const ADDRESS =
  /^[^\s@<>()[\],;:\\"\p{Cc}]{1,64}@(?=.{3,253}$)[^\s@<>()[\],;:\\"\p{Cc}.]+(\.[^\s@<>()[\],;:\\"\p{Cc}.]+)+$/u;
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$/;
const CONTROL = /\p{Cc}/u;

/** Two spellings of an address are one: case and Unicode composition do not count. */
export const normalizeEmail = (email: string): string => email.trim().normalize("NFC").toLowerCase().normalize("NFC");

/** A normalised address that mail can be sent to; `invalid_argument` otherwise. The address itself is personal and not repeated. */
export function checkEmail(given: string): string {
  const email = normalizeEmail(given.slice(0, 1_000));
  const local = email.split("@", 1)[0] ?? "";
  if (
    Buffer.byteLength(email) > EMAIL_LENGTH_MAX ||
    Buffer.byteLength(local) > LOCAL_LENGTH_MAX ||
    !ADDRESS.test(email)
  )
    throw problem.invalid("this is not an e-mail address: write it as name@example.com", { reason: "email_invalid" });
  return email;
}

/** A display name; an account made without one is called by the first part of its address. */
export function checkName(given: string, email: string): string {
  const name = given.trim().normalize("NFC") || (email.split("@", 1)[0] ?? "");
  if (name.length === 0 || name.length > NAME_LENGTH_MAX || CONTROL.test(name))
    throw problem.invalid(`a name has 1 to ${NAME_LENGTH_MAX} printable characters`, { reason: "name_invalid" });
  return name;
}

export function checkLanguage(given: string): string {
  if (given !== "" && !LANGUAGE.test(given))
    throw problem.invalid(`'${given.slice(0, 40)}' is not a language tag such as 'en' or 'pt-BR'`, {
      reason: "language_invalid",
    });
  return given;
}

/** What an update changes, and the names of it. */
export function change(
  user: User,
  wish: { readonly name?: string | undefined; readonly language?: string | undefined },
): { readonly next: User; readonly changed: readonly string[] } {
  const next = {
    ...user,
    ...(wish.name === undefined ? {} : { name: checkName(wish.name, user.email) }),
    ...(wish.language === undefined ? {} : { language: checkLanguage(wish.language) }),
  };
  return { next, changed: (["name", "language"] as const).filter((member) => next[member] !== user[member]) };
}
