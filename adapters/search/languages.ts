/** Languages whose word forms both engines know: PostgreSQL's configuration, which is also the name of the other engines' analyzer. */
const NAMES: Readonly<Record<string, string>> = {
  ...{
    ar: "arabic",
    ca: "catalan",
    da: "danish",
    nl: "dutch",
    en: "english",
    eu: "basque",
    fi: "finnish",
    fr: "french",
  },
  ...{ de: "german", el: "greek", ga: "irish", hi: "hindi", hu: "hungarian", hy: "armenian", id: "indonesian" },
  ...{ it: "italian", lt: "lithuanian", no: "norwegian", nb: "norwegian", nn: "norwegian", pt: "portuguese" },
  ...{ ro: "romanian", ru: "russian", es: "spanish", sv: "swedish", tr: "turkish" },
};
const ASKED_MAX = 5;

export const ANALYZERS: readonly string[] = [...new Set(Object.values(NAMES))];

/** The analyzer of a language; undefined where words are taken as they are written. */
export const analyzerOf = (language: string): string | undefined => {
  const [primary = ""] = language.toLowerCase().split("-");
  return Object.hasOwn(NAMES, primary) ? NAMES[primary] : undefined;
};

export const analyzersOf = (languages: readonly string[]): string[] =>
  [...new Set(languages.flatMap((language) => analyzerOf(language) ?? []))].slice(0, ASKED_MAX);
