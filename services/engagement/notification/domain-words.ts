import type { About, Template } from "./domain.ts";

/** What a message says in one language. */
export interface Words {
  readonly title: string;
  readonly body: string;
}

interface Said {
  readonly title: string;
  readonly channel: string;
  /** The time of day; with the day where the message may be read on another one. */
  readonly time: string;
  readonly dayAndTime: string;
}

interface Language {
  readonly templates: Readonly<Record<Template, (said: Said) => Words>>;
  readonly open: string;
  /** Below an e-mail: why it came, and how it is the last. */
  readonly why: (accountUrl: string) => string;
}

const LANGUAGES = {
  en: {
    templates: {
      "reminder.starts": ({ title, channel, time }) => ({ title, body: `Starts at ${time} on ${channel}.` }),
      "reminder.moved": ({ title, channel, dayAndTime }) => ({
        title: `${title} was moved`,
        body: `It now starts on ${dayAndTime} on ${channel}. We will remind you then.`,
      }),
      "reminder.cancelled": ({ title, channel, dayAndTime }) => ({
        title: `${title} was taken out of the schedule`,
        body: `${channel} does not show it on ${dayAndTime}.`,
      }),
      "recording.ready": ({ title, channel, dayAndTime }) => ({
        title: title || channel,
        body: `Your recording of ${dayAndTime} on ${channel} is ready.`,
      }),
    },
    open: "Open",
    why: (url) => `You get this because you asked to be told by e-mail. Change that here: ${url}`,
  },
  de: {
    templates: {
      "reminder.starts": ({ title, channel, time }) => ({ title, body: `Beginnt um ${time} auf ${channel}.` }),
      "reminder.moved": ({ title, channel, dayAndTime }) => ({
        title: `${title} wurde verschoben`,
        body: `Beginnt jetzt am ${dayAndTime} auf ${channel}. Wir erinnern dich dann.`,
      }),
      "reminder.cancelled": ({ title, channel, dayAndTime }) => ({
        title: `${title} entfällt`,
        body: `${channel} zeigt es am ${dayAndTime} nicht.`,
      }),
      "recording.ready": ({ title, channel, dayAndTime }) => ({
        title: title || channel,
        body: `Deine Aufnahme vom ${dayAndTime} auf ${channel} ist fertig.`,
      }),
    },
    open: "Öffnen",
    why: (url) => `Du bekommst diese Nachricht, weil du E-Mails eingeschaltet hast. Ändern kannst du das hier: ${url}`,
  },
  es: {
    templates: {
      "reminder.starts": ({ title, channel, time }) => ({ title, body: `Empieza a las ${time} en ${channel}.` }),
      "reminder.moved": ({ title, channel, dayAndTime }) => ({
        title: `${title} cambia de hora`,
        body: `Ahora empieza el ${dayAndTime} en ${channel}. Te avisaremos entonces.`,
      }),
      "reminder.cancelled": ({ title, channel, dayAndTime }) => ({
        title: `${title} no se emitirá`,
        body: `${channel} no lo emite el ${dayAndTime}.`,
      }),
      "recording.ready": ({ title, channel, dayAndTime }) => ({
        title: title || channel,
        body: `Tu grabación del ${dayAndTime} en ${channel} está lista.`,
      }),
    },
    open: "Abrir",
    why: (url) => `Recibes este mensaje porque pediste avisos por correo. Puedes cambiarlo aquí: ${url}`,
  },
  ar: {
    templates: {
      "reminder.starts": ({ title, channel, time }) => ({ title, body: `يبدأ الساعة ${time} على ${channel}.` }),
      "reminder.moved": ({ title, channel, dayAndTime }) => ({
        title: `تغيّر موعد ${title}`,
        body: `يبدأ الآن ${dayAndTime} على ${channel}. سنذكّرك حينها.`,
      }),
      "reminder.cancelled": ({ title, channel, dayAndTime }) => ({
        title: `أُلغي عرض ${title}`,
        body: `لن تعرضه ${channel} ${dayAndTime}.`,
      }),
      "recording.ready": ({ title, channel, dayAndTime }) => ({
        title: title || channel,
        body: `تسجيلك من ${channel} ${dayAndTime} جاهز.`,
      }),
    },
    open: "افتح",
    why: (url) => `وصلتك هذه الرسالة لأنك طلبت الإشعارات بالبريد. يمكنك تغيير ذلك هنا: ${url}`,
  },
} as const satisfies Readonly<Record<string, Language>>;

type Tag = keyof typeof LANGUAGES;

/** The language that we have words in for a BCP 47 tag. */
function tagOf(language: string): Tag {
  const primary = language.toLowerCase().split("-", 1)[0] ?? "";
  return Object.hasOwn(LANGUAGES, primary) ? (primary as Tag) : "en";
}

const TITLE_CHARS_MAX = 120;

/** The title in a language, else in English, else in whichever it has; a long one is cut. */
function titleOf(titles: About["titles"], language: string): string {
  const primary = (tag: string): string => tag.toLowerCase().split("-", 1)[0] ?? "";
  const of = (wanted: string): string | undefined =>
    Object.entries(titles).find(([tag]) => primary(tag) === primary(wanted))?.[1];
  const title = of(language) ?? of("en") ?? Object.values(titles)[0] ?? "";
  return title.length > TITLE_CHARS_MAX ? `${title.slice(0, TITLE_CHARS_MAX - 1)}…` : title;
}

/** For whom something is said. */
export interface Reader {
  readonly language: string;
  readonly zone: string;
}

export function wordsOf(template: Template, about: About, { language, zone }: Reader): Words {
  const tag = tagOf(language);
  const format = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(tag === "en" ? "en-GB" : tag, {
      timeZone: zone,
      hour: "2-digit",
      minute: "2-digit",
      ...options,
    }).format(about.startMs);
  return LANGUAGES[tag].templates[template]({
    title: titleOf(about.titles, language),
    channel: about.channelName,
    time: format({}),
    dayAndTime: format({ weekday: "long", day: "numeric", month: "long" }),
  });
}

/** An e-mail: the same words, where they lead, and why it came. */
export function mailOf(words: Words, language: string, urls: { readonly open: string; readonly account: string }) {
  const { open, why } = LANGUAGES[tagOf(language)];
  // A subject is one line, and what it is about may be anybody's words.
  const subject = words.title.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").trim() || words.body;
  return { subject, text: [words.body, "", `${open}: ${urls.open}`, "", "-- ", why(urls.account), ""].join("\n") };
}
