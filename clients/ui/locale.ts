/** Languages: which there are, which one a person gets, and how each is loaded. */
import type { Messages } from "./messages/en.ts";

export const LOCALES = ["en", "de", "es", "ar"] as const;
export type Locale = (typeof LOCALES)[number];

/** What each language calls itself, for the menu in which a person chooses it. */
export const LOCALE_NAMES: Readonly<Record<Locale, string>> = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  ar: "العربية",
};

export function directionOf(locale: Locale): "ltr" | "rtl" {
  return locale === "ar" ? "rtl" : "ltr";
}

function known(tag: string): Locale | null {
  const primary = tag.trim().toLowerCase().split("-")[0];
  return LOCALES.find((locale) => locale === primary) ?? null;
}

/**
 * The language of a page: the profile's own choice first, then the browser's `Accept-Language` (RFC 9110, section 12.5.4)
 * by weight, then English. The header is bounded, since it comes from anyone.
 */
export function pickLocale(profileLanguage: string | null, acceptLanguage: string): Locale {
  const chosen = profileLanguage === null ? null : known(profileLanguage);
  if (chosen !== null) return chosen;
  const wanted = acceptLanguage
    .slice(0, 1_000)
    .split(",")
    .map((part) => {
      const [tag = "", ...parameters] = part.split(";");
      const weight = parameters
        .map((parameter) => /^\s*q=([\d.]+)\s*$/.exec(parameter)?.[1])
        .find((q) => q !== undefined);
      return { tag, weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  for (const { tag } of wanted) {
    const locale = known(tag);
    if (locale !== null) return locale;
  }
  return "en";
}

/** Each language is a chunk of its own: a browser loads the one that it shows. */
export async function loadMessages(locale: Locale): Promise<Messages> {
  switch (locale) {
    case "de":
      return (await import("./messages/de.ts")).de;
    case "es":
      return (await import("./messages/es.ts")).es;
    case "ar":
      return (await import("./messages/ar.ts")).ar;
    default:
      return (await import("./messages/en.ts")).en;
  }
}
