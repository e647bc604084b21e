import { problem } from "#kernel/errors";

/** The one API that access tokens are for (RFC 8707), and what a token for it may do. */
export const RESOURCE = "urn:marquee:api";
export const RESOURCE_SCOPE = "api";
export const OIDC_SCOPE = "openid profile email offline_access";
export const ACCESS_TOKEN_S = 15 * 60;
export const REFRESH_TOKEN_S = 30 * 86_400;
/** A token of the previous key may be this much older than its lifetime says before the key is forgotten. */
export const SKEW_S = 5 * 60;

export const CLIENTS = { web: "marquee-web", mobile: "marquee-mobile", tv: "marquee-tv" } as const;

export type LogoutReason = "asked" | "removed" | "reuse" | "password_reset";

/** A device as it introduces itself in an authorization request. */
export interface DeviceIdentity {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

export const DEVICE_TYPES: readonly string[] = [
  "web",
  "android_tv",
  "apple_tv",
  "tizen",
  "webos",
  "stb",
  "ios",
  "android",
  "cast",
];
const DEVICE_ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const DEVICE_NAME_LENGTH_MAX = 80;
const CONTROL = /\p{Cc}/u;
const TYPE_OF_CLIENT: Readonly<Record<string, string>> = {
  [CLIENTS.web]: "web",
  [CLIENTS.mobile]: "android",
  [CLIENTS.tv]: "android_tv",
};
const NAME_OF_CLIENT: Readonly<Record<string, string>> = {
  [CLIENTS.web]: "Browser",
  [CLIENTS.mobile]: "Phone",
  [CLIENTS.tv]: "TV",
};

export const isDeviceId = (value: string): boolean => DEVICE_ID.test(value);
export const isDeviceName = (value: string): boolean => value.length <= DEVICE_NAME_LENGTH_MAX && !CONTROL.test(value);
export const isDeviceType = (value: string): boolean => DEVICE_TYPES.includes(value);

/** The device behind a request's parameters, which were validated; what it did not say comes from its client. */
export function deviceOf(
  params: Readonly<Record<string, unknown>>,
  clientId: string,
  newDeviceId: () => string,
): DeviceIdentity {
  const said = (name: string): string => {
    const value = params[name];
    return typeof value === "string" ? value : "";
  };
  return {
    id: said("device_id") || newDeviceId(),
    name: said("device_name") || NAME_OF_CLIENT[clientId] || "Device",
    type: said("device_type") || TYPE_OF_CLIENT[clientId] || "web",
  };
}

/**
 * Whether a device forgets its profile when somebody signs in on it. Where any profile of the household is behind a PIN or is a
 * child's, it matters who sits there, and a password says only whose account it is.
 */
export const asksWhoIsWatching = (
  household: readonly { readonly isKids: boolean; readonly hasPin: boolean }[],
): boolean => household.some(({ isKids, hasPin }) => isKids || hasPin);

export const PASSWORD_LENGTH_MIN = 8;
const PASSWORD_LENGTH_MAX = 200;

/** A password as it is hashed (NIST SP 800-63B section 3.1.1.2: normalised, any character, no composition rules). */
export function checkPassword(given: string): string {
  const password = normalizePassword(given);
  const length = [...password].length;
  if (length < PASSWORD_LENGTH_MIN)
    throw problem.invalid(`a password has at least ${PASSWORD_LENGTH_MIN} characters`, { reason: "password_short" });
  if (length > PASSWORD_LENGTH_MAX)
    throw problem.invalid(`a password has at most ${PASSWORD_LENGTH_MAX} characters`, { reason: "password_long" });
  return password;
}

/** OWASP's argon2id parameters: 19 MiB, two passes, one lane (Password Storage Cheat Sheet). */
export const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash that no password has, for addresses that nobody has: to look at it costs what any other costs. */
export const NOBODYS_HASH = `$argon2id$v=19$m=${ARGON2ID.memoryCost},t=${ARGON2ID.timeCost},p=1$${"A".repeat(22)}$${"A".repeat(43)}`;

/** What a typed password is compared as; one that is too long is cut, so that hashing it costs no more than another. */
export const normalizePassword = (given: string): string => given.slice(0, 4 * PASSWORD_LENGTH_MAX).normalize("NFKC");

/** The network of a client address: the address itself for IPv4, the /64 that one subscriber has for IPv6. */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(ip.trim());
  const address = mapped?.[1] ?? ip.trim().toLowerCase();
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return address;
  if (!/^[0-9a-f:]+$/.test(address) || !address.includes(":")) return "unknown";
  const [head = "", tail] = address.split("::", 2);
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group || "0", 16).toString(16))
    .join(":")}::/64`;
}

/** Wrong passwords are counted over this window. */
export const ATTEMPTS_WINDOW_S = 15 * 60;
/** Wrong passwords of one account from one network, or from one device that the account knows. */
export const PAIR_MAX = 5;
export const PAIR_KNOWN_MAX = 10;
/** The first try from a network nobody knows stays open however many others fail; a second one does not. */
export const PAIR_STORM_MAX = 1;
/** Wrong passwords for one account from everywhere that it does not know, after which there is a storm. */
export const STORM_MIN = 20;
/** Wrong passwords of one network, for all accounts together. */
export const NETWORK_MAX = 300;

/** Counts of tries within the window, this one included. */
export interface Attempts {
  /** Of this account from this network or known device. */
  readonly pair: number;
  /** Of this account, from networks and devices that it does not know. */
  readonly account: number;
  /** Of this network, for whatever account. */
  readonly network: number;
}

/**
 * Whether a try may go on. Counters belong to pairs of account and network, so somebody who fails on purpose locks out
 * only their own network. The device or network of an earlier sign-in has a count of its own that no storm touches.
 */
export function mayTry(attempts: Attempts, isKnown: boolean): boolean {
  if (isKnown) return attempts.pair <= PAIR_KNOWN_MAX;
  const pairMax = attempts.account > STORM_MIN ? PAIR_STORM_MAX : PAIR_MAX;
  return attempts.pair <= pairMax && attempts.network <= NETWORK_MAX;
}

/** A user code as people type it: any case, with or without dashes and spaces. */
export const normalizeUserCode = (typed: string): string =>
  typed
    .slice(0, 40)
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, "");
export const USER_CODE_MASK = "***-***";
export const USER_CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{6}$/;

/** One signing key of the ring. The first is the one that signs. */
export interface KeyTimes {
  readonly createdAtMs: number;
  /** When another key took over; 0 for the one that signs. */
  readonly retiredAtMs: number;
}

export const KEY_ROTATION_MS = 30 * 86_400_000;

/** Keys that some unexpired token may still be signed with, plus the one that signs. */
export function keysToKeep<K extends KeyTimes>(keys: readonly K[], nowMs: number): K[] {
  return keys.filter((key) => key.retiredAtMs === 0 || nowMs < key.retiredAtMs + (ACCESS_TOKEN_S + SKEW_S) * 1_000);
}

/** The e-mail claims of another provider; Apple says `"true"` where others say `true`. */
export function verifiedEmail(claims: Readonly<Record<string, unknown>>): string | undefined {
  const { email, email_verified: verified } = claims;
  return typeof email === "string" && (verified === true || verified === "true") ? email : undefined;
}
