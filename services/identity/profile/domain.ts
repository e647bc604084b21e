import { problem } from "#kernel/errors";

export interface Profile {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly isKids: boolean;
  readonly hasPin: boolean;
  readonly ageRatingMax: number;
  readonly language: string;
  readonly avatarShape: number;
  readonly avatarColor: string;
  readonly createdAtMs: number;
}

export const PROFILES_MAX = 5;
export const AGE_RATINGS: readonly number[] = [0, 6, 12, 16, 18];
export const AGE_RATING_ADULT = 18;
export const AGE_RATING_KIDS_DEFAULT = 6;
export const AGE_RATING_KIDS_MAX = 12;
const NAME_LENGTH_MAX = 40;
const AVATAR_SHAPES = 12;
const AVATAR_COLORS: readonly [string, ...string[]] = ["#e8a33d", "#d9694b", "#6fa287", "#5f8fb4", "#a97bb5"];
const PIN = /^\d{4}$/;
const COLOR = /^#[0-9a-f]{6}$/;
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$/;
const CONTROL = /\p{Cc}/u;

/** What a person may say about a profile. */
export interface Wish {
  readonly name?: string | undefined;
  readonly isKids?: boolean | undefined;
  readonly ageRatingMax?: number | undefined;
  readonly language?: string | undefined;
  readonly avatarShape?: number | undefined;
  readonly avatarColor?: string | undefined;
}

export function checkPin(pin: string): string {
  if (!PIN.test(pin)) throw problem.invalid("a PIN has four digits", { reason: "pin_invalid" });
  return pin;
}

function checkName(given: string): string {
  const name = given.trim().normalize("NFC");
  if (name.length === 0 || name.length > NAME_LENGTH_MAX || CONTROL.test(name))
    throw problem.invalid(`a profile's name has 1 to ${NAME_LENGTH_MAX} printable characters`, {
      reason: "name_invalid",
    });
  return name;
}

function checkAge(ageRatingMax: number, isKids: boolean): number {
  if (!AGE_RATINGS.includes(ageRatingMax))
    throw problem.invalid(`age limit ${ageRatingMax} is not one of ${AGE_RATINGS.join(", ")}`, {
      reason: "age_invalid",
    });
  if (isKids && ageRatingMax > AGE_RATING_KIDS_MAX)
    throw problem.invalid(`a kids profile's age limit is at most ${AGE_RATING_KIDS_MAX}, not ${ageRatingMax}`, {
      reason: "kids_age",
    });
  return ageRatingMax;
}

/** A profile that becomes a kids one loses an age limit that is too high; one that stops being one keeps its own. */
function ageOf(profile: Pick<Profile, "ageRatingMax">, wish: Wish, isKids: boolean): number {
  if (wish.ageRatingMax !== undefined) return checkAge(wish.ageRatingMax, isKids);
  return isKids && profile.ageRatingMax > AGE_RATING_KIDS_MAX ? AGE_RATING_KIDS_DEFAULT : profile.ageRatingMax;
}

/** What a profile is after a change; `invalid_argument` names the member at fault. */
export function change(profile: Profile, wish: Wish): Profile {
  const isKids = wish.isKids ?? profile.isKids;
  const language = wish.language ?? profile.language;
  const avatarShape = wish.avatarShape ?? profile.avatarShape;
  const avatarColor = (wish.avatarColor || profile.avatarColor).toLowerCase();
  if (language !== "" && !LANGUAGE.test(language))
    throw problem.invalid(`'${language.slice(0, 40)}' is not a language tag`, { reason: "language_invalid" });
  if (!Number.isInteger(avatarShape) || avatarShape < 0 || avatarShape >= AVATAR_SHAPES)
    throw problem.invalid(`avatar shape ${avatarShape} is not 0 to ${AVATAR_SHAPES - 1}`, { reason: "avatar_invalid" });
  if (!COLOR.test(avatarColor))
    throw problem.invalid(`avatar colour '${avatarColor.slice(0, 20)}' is not #rrggbb`, { reason: "avatar_invalid" });
  return {
    ...profile,
    name: wish.name === undefined ? profile.name : checkName(wish.name),
    isKids,
    ageRatingMax: ageOf(profile, wish, isKids),
    language,
    avatarShape,
    avatarColor,
  };
}

/** A new profile among the account's `siblings`; colours and shapes differ as long as they can. */
export function create(
  wish: Wish & { readonly id: string; readonly userId: string; readonly createdAtMs: number },
  siblings: readonly Profile[],
): Profile {
  if (siblings.length >= PROFILES_MAX)
    throw problem.precondition(`an account has at most ${PROFILES_MAX} profiles: remove one first`, {
      reason: "profiles_max",
    });
  const isKids = wish.isKids ?? false;
  const taken = new Set(siblings.map((sibling) => sibling.avatarColor));
  const blank: Profile = {
    id: wish.id,
    userId: wish.userId,
    name: "",
    isKids,
    hasPin: false,
    ageRatingMax: isKids ? AGE_RATING_KIDS_DEFAULT : AGE_RATING_ADULT,
    language: "",
    avatarShape: (siblings.length * 5) % AVATAR_SHAPES,
    avatarColor: AVATAR_COLORS.find((color) => !taken.has(color)) ?? AVATAR_COLORS[0],
    createdAtMs: wish.createdAtMs,
  };
  return change(blank, { ...wish, name: wish.name ?? "" });
}

/** The first profile of an account is called as its owner is. */
export const firstName = (userName: string): string =>
  [...userName.trim()].slice(0, NAME_LENGTH_MAX).join("").trim() || "Me";

/** Whether a switch to `to` needs its PIN: always when it has one, except where it is on already. */
export const needsPin = (fromId: string, to: Pick<Profile, "id" | "hasPin">): boolean => to.hasPin && fromId !== to.id;

/**
 * Whether someone who watches as `actorId` (empty: no profile chosen yet) may change a profile. Once any profile of a household has a
 * PIN, what the PIN protects (who may see what, and the PINs themselves) is changed only from a profile with one; otherwise
 * a child would simply remove it. Names, languages and avatars of profiles without a PIN stay free, except from a kids profile.
 */
export function mayManage(
  household: readonly Profile[],
  actorId: string,
  target: { readonly profile?: Profile; readonly touchesLimits: boolean },
): boolean {
  if (!household.some((profile) => profile.hasPin)) return true;
  const actor = household.find((profile) => profile.id === actorId);
  if (actor?.hasPin && !actor.isKids) return true;
  if (target.touchesLimits || target.profile?.hasPin) return false;
  return !actor?.isKids;
}
