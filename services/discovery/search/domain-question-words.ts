/**
 * The words of questions, in English, German and Spanish, as `wordsOf` leaves them. Phrases are tried before single words, the longest first.
 */

import type { Constraint } from "./domain-question.ts";

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
      `funny, funnier, hilarious, witty, laugh, laughs, make me laugh, makes me laugh, silly, amusing, humorous, humour, fun, goofy, hilariously, crack me up,
       lustig, lustige, lustiges, witzig, witzige, witziges, zum lachen, divertida, divertido, divertidas, divertidos, graciosa, gracioso, de risa, drole, droles, amusant, amusante, marrant, marrante, faire rire, rigolo`,
    ),
  },
  scary: {
    genres: ["horror"],
    words: lines(
      `scary, scarier, creepy, spooky, frightening, terrifying, scare me, eerie, chilling, hair raising, jump scares, gruselig, gruselige, gruseliges, unheimlich, schaurig, de miedo, que de miedo, terrorifica, escalofriante, effrayant, effrayante, qui fait peur`,
    ),
  },
  romantic: {
    genres: ["romance"],
    words: lines(
      `romantic, love story, love stories, date night, romantisch, romantische, romantisches, de amor, romantico, romanticas, romanticos, romantique, romantiques, histoire d amour, histoires d amour, historia de amor, historias de amor, liebesgeschichte, liebesgeschichten`,
    ),
  },
  sad: {
    genres: ["drama"],
    words: lines(
      `sad, tear jerker, tearjerker, make me cry, makes me cry, heartbreaking, moving, emotional, cry, good cry, weepie, depressing, gut wrenching, traurig, traurige, ruhrend, zum weinen, triste, tristes, conmovedora, para llorar, que me haga llorar, emouvant, emouvante, pour pleurer`,
    ),
  },
  exciting: {
    genres: ["action", "adventure", "thriller"],
    words: lines(
      `exciting, action packed, fast paced, thrilling, adrenaline, explosions, pulse pounding, high octane, spannend, spannende, spannendes, emocionante, trepidante, palpitant, passionnant`,
    ),
  },
  tense: {
    genres: ["thriller", "mystery", "crime"],
    words: lines(
      `suspenseful, tense, intense, gripping, riveting, edge of my seat, edge of the seat, nail biting, nailbiter, packend, packende, fesselnd, nervenaufreibend, angoissant, angoissante, haletant`,
    ),
  },
  "feel-good": {
    genres: ["comedy", "family", "romance", "music"],
    words: lines(
      `feel good, feelgood, uplifting, heartwarming, heart warming, cheerful, cheer me up, cosy, cozy, warm hearted, wholesome, comforting, light, light hearted, lighthearted, relaxing, inspiring, inspirational, charming, sweet, cute, easygoing, herzerwarmend, wohlfuhlfilm, wohlfuhl, leicht, frohlich, entspannend, reconfortant, reconfortante, inspiradora, alegre`,
    ),
  },
  "mind-bending": {
    genres: ["science-fiction", "mystery", "thriller", "fantasy"],
    words: lines(
      `mind bending, mindbending, mind blowing, trippy, cerebral, thought provoking, twisty, plot twist, plot twists, twist ending, surprise ending, big twist, a twist, surreal`,
    ),
  },
  epic: {
    genres: ["adventure", "fantasy", "war", "history"],
    words: lines(`epic, sweeping, monumental, episch, epische, epica, epico, epique`),
  },
  true: {
    genres: ["biography", "history", "documentary"],
    words: lines(
      `true story, true stories, real story, real events, true events, actual events, real life story, wahre geschichte, wahren geschichte, wahren begebenheit, wahren begebenheiten, hechos reales, historia real, histoire vraie, faits reels`,
    ),
  },
};

/** ISO 639-1 by what languages and their films are called. */
export const LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  ar: lines("arabic, arabisch, arabische, arabischer, arabe, arabes"),
  cs: lines("czech, tschechisch, tschechische, tschechischer, checo, checa, tcheque"),
  da: lines("danish, danisch, danische, danischer, danisches, danes, danesa, danois, danoise"),
  de: lines("german, deutsch, deutsche, deutscher, deutsches, deutschen, aleman, alemana, allemand, allemande"),
  el: lines("greek, griechisch, griechische, griego, griega, grec, grecque"),
  en: lines("english, englisch, englische, englischer, englisches, ingles, inglesa, anglais, anglaise"),
  es: lines("spanish, spanisch, spanische, spanischer, espanol, espanola, castellano, espagnol, espagnole"),
  fa: lines("persian, iranian, farsi, persisch, iranisch, persa, irani, iranien, iranienne"),
  fi: lines("finnish, finnisch, finnische, finlandes, finlandesa, finlandais, finlandaise"),
  fr: lines("french, franzosisch, franzosische, franzosischer, franzosisches, francais, francaise, frances, francesa"),
  he: lines("hebrew, israeli, hebraisch, israelisch, hebreo, israelien"),
  hi: lines("hindi, bollywood"),
  hu: lines("hungarian, ungarisch, ungarische, hungaro, hongrois, hongroise"),
  is: lines("icelandic, islandisch, islandische, islandes, islandais"),
  it: lines("italian, italienisch, italienische, italienischer, italiano, italiana, italien, italienne"),
  ja: lines("japanese, japanisch, japanische, japanischer, japanisches, japones, japonesa, japonais, japonaise"),
  ko: lines("korean, koreanisch, koreanische, koreanischer, coreano, coreana, coreen, coreenne"),
  nl: lines("dutch, flemish, niederlandisch, niederlandische, hollandisch, holandes, holandesa, neerlandais"),
  no: lines("norwegian, norwegisch, norwegische, norwegischer, noruego, noruega, norvegien, norvegienne"),
  pl: lines("polish, polnisch, polnische, polnischer, polaco, polaca, polonais, polonaise"),
  pt: lines("portuguese, brazilian, portugiesisch, brasilianisch, portugues, portuguesa, portugais, bresilien"),
  ro: lines("romanian, rumanisch, rumano, rumana, roumain, roumaine"),
  ru: lines("russian, russisch, russische, russischer, ruso, rusa, russe, russes"),
  sv: lines("swedish, schwedisch, schwedische, schwedischer, schwedisches, sueco, sueca, suedois, suedoise"),
  th: lines("thai, thailandisch, tailandes, thailandais"),
  tr: lines("turkish, turkisch, turkische, turkischer, turco, turca, turc, turque"),
  uk: lines("ukrainian, ukrainisch, ukrainische, ucraniano, ucraniana, ukrainien"),
  zh: lines("chinese, mandarin, cantonese, chinesisch, chinesische, chinesischer, chino, chinois, chinoise"),
};

export const KINDS: Readonly<Record<string, readonly string[]>> = {
  film: lines(
    "movie, movies, film, films, flick, flicks, feature, feature film, tv movie, tv movies, filme, spielfilm, spielfilme, pelicula, peliculas, peli, pelis",
  ),
  series: lines(
    "series, tv series, tv show, tv shows, show, shows, miniseries, mini series, limited series, sitcom, sitcoms, serie, serien, serie de tv, series tele, miniserie",
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
  ...{
    thirteen: 13,
    fourteen: 14,
    fifteen: 15,
    sixteen: 16,
    seventeen: 17,
    eighteen: 18,
    nineteen: 19,
    twenty: 20,
    thirty: 30,
    forty: 40,
    fifty: 50,
    sixty: 60,
    seventy: 70,
    eighty: 80,
    ninety: 90,
    hundred: 100,
  },
  ...{
    ein: 1,
    eine: 1,
    einer: 1,
    zwei: 2,
    drei: 3,
    vier: 4,
    funf: 5,
    sechs: 6,
    sieben: 7,
    acht: 8,
    neun: 9,
    zehn: 10,
    zwanzig: 20,
    dreissig: 30,
    vierzig: 40,
    neunzig: 90,
    hundert: 100,
    anderthalb: 1.5,
    eineinhalb: 1.5,
    zweieinhalb: 2.5,
    dreieinhalb: 3.5,
    una: 1,
    un: 1,
    dos: 2,
    tres: 3,
    cuatro: 4,
    cinco: 5,
    seis: 6,
    siete: 7,
    ocho: 8,
    diez: 10,
    media: 0.5,
    une: 1,
    deux: 2,
    trois: 3,
    quatre: 4,
    cinq: 5,
    sept: 7,
    huit: 8,
    dix: 10,
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
    sechzigern: 1960,
    siebzigern: 1970,
    achtzigern: 1980,
    neunzigern: 1990,
    sixtys: 1960,
    seventys: 1970,
    eightys: 1980,
    ninetys: 1990,
  },
  ...{ cincuenta: 1950, sesenta: 1960, setenta: 1970, ochenta: 1980, noventa: 1990 },
};

/** Their first years. */
export const CENTURIES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    "20th century": 1900,
    "twentieth century": 1900,
    "last century": 1900,
    "20 jahrhundert": 1900,
    "21st century": 2000,
    "this century": 2000,
    "new millennium": 2000,
    "21 jahrhundert": 2000,
  }),
);
/** How many years are a few. */
export const SOME_YEARS: Readonly<Record<string, number>> = { few: 3, "couple of": 2, paar: 3, pocos: 3 };

export const NOT = lines(
  `not, no, without, anything but, everything but, nothing with, wont, doesnt, dont want, do not want, dont like, except, excluding, isnt, arent, non, never, nothing, other than, but not, not a, not an, minus, avoid, neither, i dont want, nicht, kein, keine, keinen, ohne, weder, sin, nada de, ni, pas, pas de, pas d, sans, rien de, i hate, hate, hates, dont, dont show me, dont show, dont give me, shouldnt, shouldnt be, should not be, mustnt, must not be, cannot be, wouldnt, dislike, dislikes, doesnt like, wont watch, hasst, odia, cant stand, not a fan of, no fan of, not in the mood for, sick of, tired of, fed up with, instead of, rather than, leave out, skip, free of, que no sea, que no sean, no sea, n est pas, ne soit pas, das kein, der kein, die kein, ausser, excepto, menos las, sauf, ich hasse, odio, je deteste`,
);
/** May stand between a negation and what it denies. */
export const NOT_FILLERS = new Set(
  lines(
    "a, an, any, too, very, so, in, is, it, that, thats, be, the, zu, sehr, demasiado, muy, es, una, un, uno, of, really, overly, super, much, another, so, zu, trop, tres, d, de, du, des, le, la, les, el, los, las, der, die, das, den, dem",
  ),
);
export const OR = new Set(["or", "nor", "oder", "noch", "o", "ni", "ou"]);

export const UNDER = lines(
  `under, less than, below, at most, no more than, not more than, up to, max, maximum, no longer than, not longer than, shorter than, within,
   unter, weniger als, hochstens, maximal, nicht langer als, kurzer als, menos de, como maximo, i have, i only have, i have only, only have, i have got, ive got, ich habe, tengo, j ai, moins de, pas plus de, fewer than, inside of, in under, weniger wie, en menos de, menos que`,
);
export const OVER = lines(
  `over, more than, longer than, at least, above, minimum, no less than, uber, mehr als, langer als, mindestens, mas de, al menos, plus de, au moins`,
);
export const OR_LESS = lines(
  "or less, or under, or shorter, and under, max, tops, oder weniger, o menos, ou moins, at most, maximum",
);

export const OR_MORE = lines(
  "or more, or longer, or over, and up, and over, plus, at least, oder mehr, oder langer, o mas, ou plus",
);
export const OR_SO = lines("or so, give or take, roughly, approximately, oder so, o asi, environ");

export const BEFORE = lines(
  "before, pre, older than, until, up to, prior to, earlier than, made before, vor, antes de, antes del, anterior a, anteriores a, previa a, previas a, avant",
);
export const AFTER = lines(
  "after, since, post, newer than, later than, more recent than, nach, seit, despues de, desde, posterior a, posteriores a, a partir de, apres, depuis, ab",
);
export const OR_LATER = lines(
  "or later, or newer, or after, and later, and newer, and after, onwards, onward, and onwards, and up, oder spater, oder neuer, en adelante, o posterior, ou plus recent",
);
export const OR_EARLIER = lines(
  "or earlier, or older, or before, and earlier, and older, and before, oder fruher, oder alter, o anterior, ou avant",
);

export const SHORT = lines(
  "short, shorts, shortest, quick, brief, kurz, kurze, kurzer, kurzes, corta, corto, cortas, court, courte",
);
export const LONG = lines("long, longest, lengthy, lang, lange, langer, langes, larga, largo, longue");
export const RECENT = lines(
  "recent, recently released, new, brand new, newer, newest, latest, current, modern, contemporary, neu, neue, neuer, neues, neuen, aktuell, aktuelle, reciente, recientes, nueva, nuevo, nuevas, nuevos, recente, recents, nouveau, nouvelle, nouveaux",
);
export const OLD = lines(
  "old, older, classic, classics, vintage, old school, alt, alte, alter, altes, klassiker, antigua, antiguo, antiguas, antiguos, vieja, viejas, clasica, clasico, clasicas, clasicos, vieux, vieil, vieille, classique, classiques",
);

export const FOR_KIDS = lines(
  `for kids, for the kids, for my kids, for children, for the children, for my children, kid friendly, kids movie, kids film, children s film, childrens film, childrens movie, kids can watch,
   child friendly, family friendly, family night, family movie night, for the whole family, for the family, with the kids, with my kids, with kids, with my children, suitable for kids,
   suitable for children, safe for kids, safe for children, ok for kids, appropriate for kids, for little ones, for my daughter, for my son, for my little one, for my niece, for my nephew, for my grandson, for my granddaughter, for my grandkids, for my grandchildren, for the grandkids, with the children, with the family, with my family, with the whole family, the whole family, all ages, for all ages, suitable for all ages, for young children, for small children, for little kids, for young kids, for our kids, for our children, with our kids, kids would like, kids will like, kids will love, kids would enjoy, children can watch, childrens,
   fur kinder, mit den kindern, mit kindern, kinderfilm, kinderfilme, fur die ganze familie, mit der familie, fur die familie, mit meinen kindern, fur meine kinder, fur meine tochter, fur meinen sohn, familienfilm, familienfilme, kindgerecht, kindgerechte, para ninos, para los ninos, para mis hijos, para mi hija, para mi hijo, con mis hijos, en familia, en famille, pour mes enfants, avec mes enfants, pour ma fille, pour mon fils, con los ninos, para toda la familia, infantil, pour enfants, pour les enfants, avec les enfants, pour toute la famille`,
);
export const FOR_TODDLERS = lines(
  "for toddlers, for a toddler, for my toddler, with my toddler, toddlers, for preschoolers, for babies, fur kleinkinder, para bebes, pour les tout petits",
);
export const FOR_TEENS = lines(
  "for teens, for teenagers, for my teenager, for my teenagers, for my teenage son, for my teenage daughter, for a teenager, fur teenager, fur jugendliche, para adolescentes, pour adolescents, pour les ados",
);
export const YEARS_OLD = lines(
  "year old, years old, year olds, years of age, yo, jahrige, jahrigen, jahriges, jahriger, jahre alt, anos, ans",
);
/** Who is so old. */
export const CHILDREN = new Set(
  lines(
    "kid, kids, child, children, son, daughter, boy, boys, girl, girls, twins, niece, nephew, grandson, granddaughter, kind, kinder, sohn, tochter, hijo, hija, nino, nina, fils, fille, enfant, enfants",
  ),
);
/** What is about them need not be for them. */
export const OF_CHILDREN = new Set(lines("family, kids, children, familie, familien"));

export const EARLY = lines("early, anfang, anfang der, fruhe, principios de, debut");
export const MIDDLE = lines("mid, middle of, middle, mitte, mitte der, mediados de, milieu des");
export const LATE = lines("late, ende, ende der, spate, finales de, fin");
export const THIS_YEAR = lines("this year, dieses jahr, aus diesem jahr, este ano, cette annee");
export const AND = new Set(lines("and, und, y, et"));
/** At the beginning of what is asked for, and of few titles that have a genre in them. */
export const INDEFINITE = new Set(lines("a, an, ein, eine, einen, un, una, une, unas, unos, des"));
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

/** What is so is like the title before it: `Blade Runner style`. */
export const ALIKE = new Set(lines("style, like, esque, vibes, vibe, type"));

/** What follows is a title that is to be resembled, unless somebody wishes. */
export const LIKE = lines(
  `like, similar to, in the style of, in the vein of, along the lines of, reminiscent of, same as, such as, wie, ahnlich wie, so wie, como, parecida a, parecido a, al estilo de, comme`,
);
/** What somebody liked, where it is a title that is known. */
export const LIKED = lines(
  `if i liked, if i loved, if i like, if i love, if you liked, because i liked, i liked, i loved, i really liked, i really loved, i love, i enjoyed, we liked, we loved, fan of, fans of, a fan of, a big fan of, more like, another, reminds me of, comparable to, close to, in the spirit of, a la,
   erinnert an, mir gefiel, me gusto, me encanto, nos gusto, si me gusto, j ai aime, j ai adore, si j ai aime`,
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
  `after a bad day, after a long day, after a hard day, after work, before bed, on a rainy day, for a rainy day, for the weekend, this weekend, for tonight, dont mind, dont care, for date night, for a date, with the in laws, with my in laws, with friends, with a friend, with a few friends, mit freunden, con amigos, entre amis, avec des amis, for grown ups, for grownups, for adults, adults only, fur erwachsene, para adultos, pour adultes, nach der arbeit, despues del trabajo`,
);
/** The first word of an occasion, what may come in it, and what it ends with: `for a rainy Sunday afternoon`. */
export const OCCASION_FIRST = new Set(lines("for, on, in, during, at, this, fur, am, an, para, por, pour, ce"));
export const OCCASION_WORDS = new Set(
  lines(
    `a, an, the, my, our, this, some, rainy, lazy, cosy, cozy, quiet, cold, long, dark, stormy, snowy, slow, boring, early, late, winter, summer, movie, film, date, game, girls, boys, family,
     meine, meinen, meiner, meinem, einen, einem, eine, einer, den, dem, der, una, un, la, el, mi, une, ma, mon`,
  ),
);
export const OCCASION_TIMES = new Set(
  lines(
    `monday, tuesday, wednesday, thursday, friday, saturday, sunday, morning, afternoon, evening, night, weekend, lunch, dinner,
     montag, dienstag, mittwoch, donnerstag, freitag, samstag, sonntag, wochenende, nachmittag, abend,
     lunes, martes, miercoles, jueves, viernes, sabado, domingo, tarde, noche, lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche, soir, soiree`,
  ),
);
/** Whose company it is, and who that is: `with my wife`, `für meine Eltern`. */
export const COMPANY_FIRST = new Set(lines("for, with, fur, mit, para, con, pour, avec"));
export const COMPANY_OF = new Set(
  lines("my, our, meine, meinen, meiner, meinem, unseren, unserer, mi, mis, nuestros, ma, mon, mes, nos"),
);
export const COMPANY = new Set(
  lines(
    `wife, husband, girlfriend, boyfriend, partner, friend, friends, parents, mum, mom, dad, mother, father, grandma, grandpa, grandmother, grandfather, grandparents, roommate, roommates, mates, buddies, colleagues,
     frau, mann, freundin, freund, freunden, freundinnen, eltern, mutter, vater, oma, opa, esposa, mujer, marido, novia, novio, amigos, padres, madre, abuela,
     femme, mari, copine, copain, amis, parents, mere, pere`,
  ),
);

/** What is two things at once. */
export const BOTH: readonly { readonly means: readonly Constraint[]; readonly words: readonly string[] }[] = [
  {
    means: [
      { kind: "genre", value: "romance" },
      { kind: "genre", value: "comedy" },
    ],
    words: lines(
      "romantic comedy, romantic comedies, rom com, rom coms, romcom, romcoms, romantische komodie, romantischen komodie, romantische komodien, comedia romantica, comedias romanticas, comedie romantique, comedies romantiques",
    ),
  },
  {
    means: [
      { kind: "genre", value: "comedy" },
      { kind: "genre", value: "drama" },
    ],
    words: lines(
      "dramedy, dramedies, comedy drama, tragicomedy, tragikomodie, tragicomedia, comedia dramatica, comedie dramatique",
    ),
  },
  {
    means: [
      { kind: "genre", value: "documentary" },
      { kind: "kind", value: "series" },
    ],
    words: lines("docuseries, docu series, dokuserie, dokuserien, serie documental, serie documentaire"),
  },
];

/** Parts of a genre: who does not want them may want the rest of it. */
export const SUBGENRES = new Set(lines("slasher, slashers, gangster, gangsters, anime, whodunit, whodunnit"));

/** What it is about though a word of it is a genre, a language or says when. */
export const TOPICS = lines(
  `new york, new york city, new orleans, new zealand, new england, new jersey, new mexico, new delhi, new year, new years eve, old age, cold war, civil war, american civil war, spanish civil war, world war, world war i, world war ii, world war 1, world war 2,
   world war one, world war two, first world war, second world war, vietnam war, korean war, gulf war, star wars, wild west, old west, con man, con men, con artist, con artists, coming of age, end of the world, family secrets, family feud, french revolution, russian revolution, chinese new year,
   spanish flu, german shepherd, turkish bath, silk road, guerra civil, guerra mundial, segunda guerra mundial, primera guerra mundial, guerra fria, guerre froide, guerre mondiale, seconde guerre mondiale, premiere guerre mondiale, kalter krieg, kalten krieg, zweiter weltkrieg, zweiten weltkrieg`,
);

/** Whoever comes after these is somebody. */
export const BY = lines(
  `starring, stars, featuring, feat, directed by, written by, by director, by the director, from director, from the director, a film by, movies by, films by, movie by, film by, played by, acted by,
   mit schauspieler, regie, unter der regie von, unter regie von, protagonizada por, protagonizado por, dirigida por, dirigido por, dirigidas por, realise par, de director`,
);
export const WITH = lines("with, star, starred, by, from, and, of, has, mit, von, con, de, y, und, avec");

/** The same, before a family name alone. */
export const BY_WHOM = new Set(lines("by, with, star, and, von, mit, und, con, y, avec, par, et"));

/** What follows is what it is about. */
export const ABOUT = lines(
  `about, on the subject of, involving, au sujet de, sur, set in, set on, set during, takes place in, taking place in, where, in which, that has, has to do with, uber, ueber, sobre, acerca de, handelt von, crazy about, mad about, obsessed with, is into, loves, likes, adores, liebt, mag gerne, le encanta, le encantan, le gustan, adore, aime, dealing with, dealt with, centered on, revolving around, that deals with, concerning, au coeur de, traitant de`,
);

/** The same behind a kind or a genre: `a documentary on volcanoes`. */
export const ABOUT_AFTER_KIND = new Set(lines("on, of, over"));

/** What follows is in it, unless it is somebody. */
export const WITH_WHAT = lines("with, featuring, mit, con, avec");

/** Ways to begin that say that this is a question and not a title. */
export const OPENERS = lines(
  `something, anything, i want, i want to watch, i d like, id like, i would like, i am in the mood, im in the mood, in the mood for, in the mood, show me, find me, find, give me, recommend, suggest, looking for, im looking for, i am looking for,
   what can i watch, what has, what have, what did, what should i watch, what should we watch, is there, are there, any good, whats a good, what is a good, which, some, want, need, i need, lets watch, let us watch, search for, please,
   etwas, irgendwas, ich suche, ich will, ich mochte, zeig mir, was, gibt es, algo, que sea, que sean, quiero, quiero ver, busco, muestrame, recomiendame, hay, ponme, quelque chose, je veux, je cherche, je voudrais, j ai envie, j ai, qu est ce qu il, qu est ce que, qu est ce, y a t il, est ce qu il, y a, do you have, have you got, got any, can you recommend, could you recommend, can you suggest, can you find, anything good, hast du, habt ihr, kannst du, tienes, tienen, avez vous, as tu, un truc`,
);

/** Say nothing of what is wanted. */
export const FILLERS = new Set(
  lines(
    `a, an, the, to, in, on, at, of, for, from, and, with, is, are, be, it, its, that, thats, this, these, those, my, me, i, im, we, us, our, you, but, or, some, any, good, great, best, nice, really, very, quite, pretty, kind, sort,
     watch, watching, see, tonight, today, evening, night, now, please, something, anything, want, would, like, lets, let, can, could, should, have, has, had, there, more, most, much, only, just, just, also, too, so, bit, little,
     where, which, who, what, whats, when, one, ones, thing, stuff, story, stories, title, titles, feel, mood, based, made, set, then, than, rather, maybe, perhaps, least, around, released, year, years, era, decade, style, not, no, audio, language, speaking, subtitles, spoken, got, about, been, was, were, did, do, does, starred, played, acted, appeared, together, rated, everything, all, while, still, else, if, liked, loved, enjoyed, am, id, hi, hello, hey, thanks, thank, ok, okay, between, his, her, their, whose, honestly, instead, actually, basically, tbh, oh, um, well, alright, sorry, perfect, ideal, wed, ive, were, youre, hes, shes, theyre, itll, length, running, runtime, famous, popular, top, must, dubbed, subtitled, subtitle, preferably, ideally, prefer, though, however, ever, kinda, sorta, recommend, suggest, wanna, gonna, gimme,
     ein, eine, einen, einer, eines, der, die, das, den, dem, des, und, oder, mit, von, vom, aus, auf, im, in, zu, fur, ist, sind, ich, mir, was, etwas, bitte, heute, abend, aber, nicht, sehr, gut, gute, guter, gutes, uber, sehen, schauen, zum, dauert, spielt, spielen, beruht, beruhen, basiert, basierend, jahren, jahre, lieber, liebsten, sondern, vielleicht, moglichst, eigentlich, doch, nur, dann, darf, soll, sollte, muss, kann, haben, wurde, untertitel, untertiteln, gerne, gern, einfach, wir, uns, mein, meine, meinen, meiner, meinem, seine, seinen, ihre, ihren, zwischen, gibt, es,
     un, una, unos, unas, el, la, los, las, lo, de, del, y, o, en, con, por, para, que, es, son, me, mi, algo, ver, esta, noche, hoy, pero, no, muy, basada, basado, basadas, basados, su, sus, entre, tambien, quizas, preferiblemente, estrenada, estrenadas, hecha, hechas, rodada, puede, debe, alguna, alguno, algun, algunas, tenga, dure, duren, buena, bueno, buenas, buenos, mas, anos, subtitulos, subtitulada, nos, mis, prefiero, favor,
     le, les, une, du, des, d, l, et, ou, avec, pour, dans, sur, je, tu, nous, moi, veux, voir, regarder, ce, cet, cette, qui, tres, bon, bonne, mais, pas, j, sa, ses, leur, entre, sorti, sortie, sortis, sorties, tourne, peut, etre, aussi, possible, tiree, inspiree, basee, il, qu, quel, quelle, annees, chose, plutot, sous, titres, plait, sil, mes, mon, ma, quelque`,
  ),
);
