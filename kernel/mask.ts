import { isIPv6 } from "node:net";
import type { Pseudonyms } from "./pseudonyms.ts";

/**
 * What must not be written where many can read it: addresses of people and of their machines, names, passwords and tokens. Ids of people
 * become pseudonyms. Whoever logs need not think of it; nothing goes around it.
 */
export interface Mask {
  text(text: string): string;
  /** Anything that is to become JSON, with the name of the member that holds it. */
  value(name: string, value: unknown): unknown;
}

const SECRET = /(password|passphrase|secret|token|cookie|authorization|credential)s?$|(key|pin)$/i;
const EMAIL_MEMBER = /e-?mails?$/i;
const ADDRESS_MEMBER = /(^|[_-])ips?$|Ip$|ipAddress$|remoteAddress$/;
const PERSON_NAME =
  /^names?$|(first|last|full|display|user|family|given|nick|profile|device|person|viewer)[_-]?names?$/i;
/** Members that hold the id of a person, whatever it looks like. */
const PERSON_ID = /^(user|profile|account|viewer|device|subject)[_-]?ids?$/i;

// What repeats is bounded, so that long text cannot hold the process up.
const USER_INFO = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{1,400}@/gi;
const EMAIL = /[^\s<>"'`(),:;@[\]{}\\/=&?|]{1,64}(?:@|%40)[^\s<>"'`(),:;@[\]{}\\/=&?|%]{1,255}/gu;
const IPV4 = /(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w])/g;
const IPV6 = /(?<![\w:.])[0-9a-f:]{0,40}:[0-9a-f:]{0,40}:[0-9a-f:.]{0,45}/gi;
const CREDENTIAL = /\b(CAT=|Bearer |DPoP |Basic )[\w.~+/=-]+/g;
const COOKIE = /\b((?:set-)?cookie: ?)[^\r\n]+/gi;
const JWT = /\beyJ[\w-]+\.[\w-]*(\.[\w-]*)*/g;
const ASSIGNED = /\b([\w-]{0,40}(?:password|passphrase|secret|token|api[_-]?key))(["']?\s*[:=]\s*["']?)[^&\s"',;})]+/gi;
const PERSON = /\b(?:usr|prf|dev)_[0-9a-z]+/gi;
/** Random bytes as text: long, without blanks, of all kinds of characters. Hashes and our own ids have one case. */
const RANDOM = /(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{40,2000}/g;

const TEXT_LENGTH_MAX = 2_000;
const MEMBERS_MAX = 50;
const DEPTH_MAX = 4;
const STACK_LINES_MAX = 8;

/** Nobody has a name: for text that comes before a key, or never needs one. */
const NOBODY: Pseudonyms = { of: (id) => `${id.slice(0, id.indexOf("_"))}~` };

export function openMask(pseudonyms: Pseudonyms = NOBODY): Mask {
  const text = (said: string): string =>
    said
      .replace(USER_INFO, "$1<secret>@")
      .replace(COOKIE, "$1<secret>")
      .replace(CREDENTIAL, "$1<token>")
      .replace(JWT, "<token>")
      .replace(ASSIGNED, "$1$2<secret>")
      .replace(EMAIL, (found) => (found.startsWith("<secret>@") ? found : "<email>"))
      .replace(PERSON, (id) => pseudonyms.of(id.toLowerCase()))
      .replace(RANDOM, "<token>")
      .replace(IPV6, (found) => (isAddress(found) ? "<ip>" : found))
      .replace(IPV4, (ip) => (ip.startsWith("127.") || ip === "0.0.0.0" ? ip : "<ip>"));

  function value(name: string, given: unknown, depth: number): unknown {
    if (given === null || given === undefined || typeof given === "boolean") return given;
    if (SECRET.test(name)) return "<secret>";
    if (EMAIL_MEMBER.test(name)) return "<email>";
    if (ADDRESS_MEMBER.test(name)) return "<ip>";
    if (PERSON_NAME.test(name)) return "<name>";
    if (typeof given === "string")
      return PERSON_ID.test(name) && given !== "" ? pseudonyms.of(given) : text(cut(given));
    if (given instanceof Error) return described(given, depth);
    if (typeof given !== "object") return given;
    if (depth > DEPTH_MAX) return "<deep>";
    if (Array.isArray(given)) return given.slice(0, MEMBERS_MAX).map((item) => value(name, item, depth + 1));
    return Object.fromEntries(
      Object.entries(given)
        .slice(0, MEMBERS_MAX)
        .map(([key, item]) => [text(cut(key)), value(key, item, depth + 1)]),
    );
  }

  function described(error: Error, depth: number): Readonly<Record<string, unknown>> {
    return {
      name: text(error.name),
      message: text(cut(error.message)),
      stack: error.stack ? text(cut(error.stack.split("\n").slice(0, STACK_LINES_MAX).join("\n"))) : undefined,
      cause: error.cause === undefined || depth > DEPTH_MAX ? undefined : value("", error.cause, depth + 1),
    };
  }

  return { text, value: (name, given) => value(name, given, 0) };
}

/** Masks text in which nobody looks for people. Loopback stays: it tells nothing about a person. */
export const maskText = openMask().text;

/** Half of an address is not recognised as one, so what is too long ends before the word that would be cut. */
const cut = (text: string): string =>
  text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX).replace(/\S*$/, "")}…`;

const isAddress = (text: string): boolean => {
  const bare = text.replace(/[.:]$/, (end) => (text.endsWith("::") ? end : ""));
  return isIPv6(bare) && bare !== "::1" && bare !== "::";
};
