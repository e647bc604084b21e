/** A title in the reader's language, else in English, else in whichever there is. */
export function titleIn(titles: Readonly<Record<string, string>>, locale: string): string {
  const of = (wanted: string): string | undefined =>
    Object.entries(titles).find(([language]) => language.split("-", 1)[0] === wanted)?.[1];
  return of(locale) ?? of("en") ?? Object.values(titles)[0] ?? "";
}
