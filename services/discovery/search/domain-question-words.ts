/**
 * The words of questions, in English, German and Spanish, as `wordsOf` leaves them. Phrases are tried before single words, the longest first.
 */

const lines = (text: string): string[] =>
  text
    .split(/[,\n]/)
    .map((line) => line.trim())
    .filter(Boolean);

/** How people describe what they want to feel, and the genres that one of which gives it. */
export const MOODS: Readonly<
  Record<string, { readonly genres: readonly string[]; readonly words: readonly string[] }>
> = {
  funny: {
    genres: ["comedy"],
    words: lines(
      `funny, funnier, hilarious, witty, laugh, laughs, make me laugh, makes me laugh, silly, amusing, humorous, humour,
       lustig, lustige, lustiges, witzig, witzige, witziges, zum lachen, divertida, divertido, graciosa, gracioso, de risa, drole, droles, amusant, amusante, marrant`,
    ),
  },
  scary: {
    genres: ["horror"],
    words: lines(
      `scary, scarier, creepy, spooky, frightening, terrifying, scare me, gruselig, gruselige, gruseliges, unheimlich, de miedo, terrorifica, effrayant, effrayante, qui fait peur`,
    ),
  },
  romantic: {
    genres: ["romance"],
    words: lines(
      `romantic, love story, love stories, date night, romantisch, romantische, romantisches, de amor, romantico, romantique, histoire d amour`,
    ),
  },
  sad: {
    genres: ["drama"],
    words: lines(
      `sad, tear jerker, tearjerker, make me cry, makes me cry, heartbreaking, moving, emotional, cry, good cry, weepie, traurig, traurige, traurige, zum weinen, triste, para llorar`,
    ),
  },
  exciting: {
    genres: ["action", "adventure", "thriller"],
    words: lines(
      `exciting, action packed, fast paced, thrilling, adrenaline, explosions, spannend, spannende, spannendes, emocionante, trepidante, palpitant, passionnant`,
    ),
  },
  tense: {
    genres: ["thriller", "mystery", "crime"],
    words: lines(`suspenseful, tense, gripping, edge of my seat, nail biting, nailbiter, packend, packende`),
  },
  "feel-good": {
    genres: ["comedy", "family", "romance", "music"],
    words: lines(
      `feel good, feelgood, uplifting, heartwarming, heart warming, cheerful, cheer me up, cosy, cozy, warm hearted, wholesome, comforting, light, light hearted, lighthearted, herzerwarmend, wohlfuhlfilm`,
    ),
  },
  "mind-bending": {
    genres: ["science-fiction", "mystery", "thriller", "fantasy"],
    words: lines(
      `mind bending, mindbending, mind blowing, trippy, cerebral, thought provoking, twisty, plot twist, plot twists`,
    ),
  },
  epic: { genres: ["adventure", "fantasy", "war", "history"], words: lines(`epic, sweeping, monumental, episch`) },
  true: {
    genres: ["biography", "history", "documentary"],
    words: lines(
      `true story, true stories, real story, real events, true events, wahre geschichte, wahren begebenheit, hechos reales, historia real, histoire vraie, faits reels`,
    ),
  },
};

/** ISO 639-1 by what languages and their films are called. */
export const LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  ar: lines("arabic, arabisch, arabe"),
  da: lines("danish, danisch, danes"),
  de: lines("german, deutsch, deutsche, deutscher, aleman, allemand, allemande"),
  en: lines("english, englisch, ingles, anglais, anglaise"),
  es: lines("spanish, spanisch, espanol, espanola, castellano, espagnol, espagnole"),
  fr: lines("french, franzosisch, franzosische, franzosischer, francais, francaise, frances, francesa"),
  hi: lines("hindi, bollywood"),
  it: lines("italian, italienisch, italiano, italiana, italien, italienne"),
  ja: lines("japanese, japanisch, japones, japonesa, japonais, japonaise"),
  ko: lines("korean, koreanisch, coreano, coreana, coreen, coreenne"),
  pt: lines("portuguese, portugiesisch, portugues"),
  ru: lines("russian, russisch, ruso"),
  sv: lines("swedish, schwedisch, sueco"),
  tr: lines("turkish, turkisch, turco"),
  zh: lines("chinese, mandarin, cantonese, chinesisch, chino"),
};

export const KINDS: Readonly<Record<string, readonly string[]>> = {
  film: lines("movie, movies, film, films, flick, flicks, feature, filme, spielfilm, pelicula, peliculas, peli, pelis"),
  series: lines(
    "series, tv series, tv show, tv shows, show, shows, miniseries, mini series, sitcom, sitcoms, serie, serien, serie de tv, series tele",
  ),
};

export const NUMBERS: Readonly<Record<string, number>> = {
  ...{
    a: 1,
    an: 1,
    one: 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    seven: 7,
    eight: 8,
    nine: 9,
    ten: 10,
    eleven: 11,
    twelve: 12,
  },
  ...{ fifteen: 15, twenty: 20, thirty: 30, forty: 40, fifty: 50, sixty: 60, ninety: 90, hundred: 100 },
  ...{
    ein: 1,
    eine: 1,
    einer: 1,
    zwei: 2,
    drei: 3,
    vier: 4,
    funf: 5,
    sechs: 6,
    zehn: 10,
    una: 1,
    un: 1,
    dos: 2,
    tres: 3,
    media: 0.5,
    une: 1,
    deux: 2,
    trois: 3,
  },
};

/** In minutes. */
export const UNITS: Readonly<Record<string, number>> = Object.fromEntries([
  ...lines("min, mins, minute, minutes, minuten, minuto, minutos").map((word) => [word, 1]),
  ...lines("h, hr, hrs, hour, hours, stunde, stunden, hora, horas, heure, heures").map((word) => [word, 60]),
]);

export const DECADES: Readonly<Record<string, number>> = {
  ...{
    twenties: 1920,
    thirties: 1930,
    forties: 1940,
    fifties: 1950,
    sixties: 1960,
    seventies: 1970,
    eighties: 1980,
    nineties: 1990,
  },
  ...{
    "two thousands": 2000,
    noughties: 2000,
    zweitausender: 2000,
    sechziger: 1960,
    siebziger: 1970,
    achtziger: 1980,
    neunziger: 1990,
  },
  ...{ sesenta: 1960, setenta: 1970, ochenta: 1980, noventa: 1990 },
};

export const NOT = lines(
  `not, no, without, anything but, everything but, nothing with, wont, doesnt, dont want, do not want, dont like, except, excluding, isnt, arent, non, never, nothing, other than, but not, not a, not an, minus, avoid, neither, i dont want, nicht, kein, keine, keinen, ohne, weder, sin, nada de, ni, pas, pas de, pas d, sans, rien de, i hate, hate, ich hasse, odio, je deteste`,
);
/** May stand between a negation and what it denies. */
export const NOT_FILLERS = new Set(
  lines(
    "a, an, any, too, very, so, in, is, it, that, thats, be, the, zu, sehr, demasiado, muy, es, una, un, of, really, so, zu, trop, tres, d, de",
  ),
);
export const OR = new Set(["or", "nor", "oder", "noch", "o", "ni", "ou"]);

export const UNDER = lines(
  `under, less than, below, at most, no more than, not more than, up to, max, maximum, no longer than, not longer than, shorter than, within,
   unter, weniger als, hochstens, maximal, nicht langer als, kurzer als, menos de, como maximo, i have, i only have, i have only, only have, i have got, ive got, ich habe, tengo, moins de, pas plus de, max`,
);
export const OVER = lines(
  `over, more than, longer than, at least, above, minimum, no less than, uber, mehr als, langer als, mindestens, mas de, al menos, plus de, au moins`,
);
export const OR_LESS = lines("or less, or under, or shorter, max, tops, oder weniger, o menos, at most, maximum");

export const BEFORE = lines(
  "before, pre, older than, until, prior to, earlier than, vor, antes de, antes del, anterior a, avant",
);
export const AFTER = lines(
  "after, since, post, newer than, later than, nach, seit, despues de, desde, apres, depuis, ab",
);

export const SHORT = lines(
  "short, shortest, quick, brief, kurz, kurze, kurzer, kurzes, corta, corto, cortas, court, courte",
);
export const LONG = lines("long, longest, lengthy, lang, lange, langer, langes, larga, largo, longue");
export const RECENT = lines(
  "recent, new, newer, newest, latest, modern, neu, neue, neuer, neues, aktuell, reciente, recientes, nueva, nuevo",
);
export const OLD = lines(
  "old, older, classic, classics, vintage, old school, alt, alte, alter, altes, klassiker, antigua, antiguo, clasica, clasico",
);

export const FOR_KIDS = lines(
  `for kids, for the kids, for my kids, for children, for the children, for my children, kid friendly, kids movie, kids film, children s film, childrens film, childrens movie, kids can watch,
   child friendly, family friendly, family movie, family film, family night, family movie night, for the whole family, for the family, with the kids, with my kids, with kids, with my children, suitable for kids,
   suitable for children, safe for kids, safe for children, ok for kids, appropriate for kids, for little ones, for my daughter, for my son, for my little one,
   fur kinder, mit den kindern, mit kindern, kinderfilm, kinderfilme, fur die ganze familie, para ninos, con los ninos, para toda la familia, infantil, pour enfants, pour les enfants, avec les enfants, pour toute la famille`,
);
export const FOR_TODDLERS = lines(
  "for toddlers, for a toddler, for my toddler, toddlers, for babies, fur kleinkinder, para bebes, pour les tout petits",
);
export const YEARS_OLD = lines("year old, years old, year olds, yo, jahrige, jahrigen, jahriges, jahre alt, anos, ans");

export const EARLY = lines("early, anfang, anfang der, fruhe, principios de, debut");
export const LATE = lines("late, ende, ende der, spate, finales de, fin");
export const THIS_YEAR = lines("this year, dieses jahr, aus diesem jahr, este ano, cette annee");
export const ARTICLES = new Set(lines("the, los, den, die, der, de, del, les, des, l"));
export const YEAR = new Set(lines("year, jahr, ano, annee, an"));
/** Before the last two digits of a decade. */
export const YEARS_OF = new Set(lines("anos, annees, los"));
export const BETWEEN = new Set(lines("between, from, zwischen, entre, von, de"));
export const UNTIL = new Set(lines("and, to, until, till, through, und, bis, y, a, hasta, et, al"));
export const SINCE = new Set(lines("since, seit, desde, depuis, ab"));
export const ROUGHLY = lines(
  "about, around, roughly, approximately, circa, some, of about, ungefahr, etwa, rund, alrededor de, unas, environ",
);

/** What follows is a title that is to be resembled, unless somebody wishes. */
export const LIKE = lines(
  `like, similar to, in the style of, in the vein of, along the lines of, reminiscent of, same as, such as, wie, ahnlich wie, so wie, como, parecida a, parecido a, al estilo de, comme`,
);
export const WISHES = new Set(lines("i, d, id, would, dont, doesnt, we, you, they, not"));

/** What channels show. */
export const ON_AIR = lines(
  `whats on tv, what s on tv, what is on tv, on tv, on the tv, on television, on air, whats on, what is on, im fernsehen, im tv, was kommt, en la tele, en television, que ponen, que echan, a la tele, a la television`,
);
/** The same, where it is said when. */
export const ON_AIR_WITH_TIME = lines(
  "on, airing, showing, live, running, lauft, was lauft, kommt, ponen, echan, passe",
);
export const TIMES: Readonly<Record<string, readonly string[]>> = {
  now: lines("now, right now, at the moment, jetzt, gerade, ahora, ahora mismo, maintenant, en ce moment"),
  tonight: lines("tonight, this evening, heute abend, heut abend, esta noche, ce soir"),
  today: lines("today, heute, hoy, aujourdhui, aujourd hui"),
  tomorrow: lines("tomorrow, morgen, manana, demain"),
};

/** When somebody watches, which says nothing of what. */
export const OCCASIONS = lines(
  `after a bad day, after a long day, after a hard day, after work, before bed, on a rainy day, for a rainy day, for the weekend, this weekend, for tonight, for date night, nach der arbeit, despues del trabajo`,
);

export const ROMANTIC_COMEDIES = lines(
  "romantic comedy, romantic comedies, rom com, rom coms, romcom, romcoms, romantische komodie, romantische komodien, comedia romantica, comedias romanticas, comedie romantique, comedies romantiques",
);

/** Whoever comes after these is somebody. */
export const BY = lines(
  `starring, stars, featuring, feat, directed by, by director, from director, a film by, movies by, films by, movie by, film by, played by, acted by,
   mit schauspieler, regie, protagonizada por, dirigida por, de director`,
);
export const WITH = lines("with, by, from, and, of, has, mit, von, con, de, y, und, avec");

/** What follows is what it is about. */
export const ABOUT = lines(
  `about, on the subject of, involving, au sujet de, sur, set in, set on, set during, takes place in, taking place in, where, in which, that has, has to do with, uber, ueber, sobre, acerca de, handelt von`,
);

/** What follows is in it, unless it is somebody. */
export const WITH_WHAT = lines("with, featuring, mit, con, avec");

/** Ways to begin that say that this is a question and not a title. */
export const OPENERS = lines(
  `something, anything, i want, i want to watch, i d like, id like, i would like, i am in the mood, im in the mood, in the mood for, in the mood, show me, find me, find, give me, recommend, suggest, looking for, im looking for, i am looking for,
   what can i watch, what has, what have, what did, what should i watch, what should we watch, is there, are there, any good, whats a good, what is a good, which, movies like, some, want, need, i need, lets watch, let us watch, search for, please,
   etwas, irgendwas, ich suche, ich will, ich mochte, zeig mir, was, gibt es, algo, quiero, quiero ver, busco, muestrame, recomiendame, hay, ponme, quelque chose, je veux, je cherche, je voudrais, j ai envie`,
);

/** Say nothing of what is wanted. */
export const FILLERS = new Set(
  lines(
    `a, an, the, to, in, on, at, of, for, from, and, with, is, are, be, it, its, that, thats, this, these, those, my, me, i, im, we, us, our, you, but, or, some, any, good, great, best, nice, really, very, quite, pretty, kind, sort,
     watch, watching, see, tonight, today, evening, night, now, please, something, anything, want, would, like, lets, let, can, could, should, have, has, had, there, more, most, much, only, just, just, also, too, so, bit, little,
     where, which, who, what, whats, when, one, ones, thing, stuff, story, stories, title, titles, feel, mood, based, made, set, then, than, rather, maybe, perhaps, least, around, released, year, years, era, decade, style, not, no, audio, language, speaking, subtitles, spoken, got, about, been, was, were, did, do, does, starred, played, acted, appeared, together, rated, everything, all, while, still,
     ein, eine, einen, einer, eines, der, die, das, den, dem, des, und, oder, mit, von, vom, aus, auf, im, in, zu, fur, ist, sind, ich, mir, was, etwas, bitte, heute, abend, aber, nicht, sehr, gut, gute, guter, gutes, uber, sehen, schauen, zum, dauert, jahren, jahre,
     un, una, unos, unas, el, la, los, las, lo, de, del, y, o, en, con, por, para, que, es, son, me, mi, algo, ver, esta, noche, hoy, pero, no, muy, buena, bueno, mas, anos, sea,
     le, les, une, du, des, d, l, et, ou, avec, pour, dans, sur, je, tu, nous, moi, veux, voir, regarder, ce, cet, cette, qui, tres, bon, bonne, mais, pas, annees, chose`,
  ),
);
