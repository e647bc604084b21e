import type { Music } from "./music.ts";
import { type Narration, narrate } from "./narration.ts";
import {
  contour,
  delta,
  emberSeason,
  estuary,
  glassSeed,
  perihelion,
  smallSuns,
  tideClock,
  twelveHours,
  weaver,
} from "./pictures.ts";
import type { Scene } from "./scenes.ts";

/** The product's own cinema: eight titles made of mathematics, for a first start without any film at hand. */
export interface DemoFilm {
  readonly id: string;
  readonly kind: "film" | "series";
  readonly title: string;
  readonly synopsis: string;
  readonly tagline: string;
  readonly genres: readonly string[];
  readonly credits: readonly Credit[];
  readonly year: number;
  /** The lowest age that it suits, as FSK and others rate. */
  readonly ageRating: 0 | 6 | 12 | 16;
  readonly originalLanguage: string;
  /** The line under the title on its card. */
  readonly byline: string;
  readonly rate: 24 | 25 | 30;
  /** One for a film, one an episode for a series. */
  readonly reels: readonly Reel[];
}

export interface Credit {
  readonly role: "director" | "writer" | "composer" | "narrator" | "cast";
  readonly name: string;
  readonly character?: string;
}

export interface Reel {
  readonly id: string;
  /** The words on the title card. */
  readonly card: string;
  readonly durationS: number;
  readonly episode?: {
    readonly season: number;
    readonly number: number;
    readonly title: string;
    readonly synopsis: string;
  };
  readonly scenes: () => Scene[];
  readonly tracks: readonly { readonly language: string; readonly title: string; readonly music: Music }[];
  readonly narration: Narration;
}

const music = (changes: Partial<Music>): Music => ({
  rootHz: 110,
  chords: [
    [0, 7, 12, 16],
    [-4, 8, 12, 15],
    [-7, 5, 12, 14],
    [-2, 7, 10, 14],
  ],
  ...{ chordS: 6, pluckS: 0.75, wind: 0.12, windHz: 420 },
  ...changes,
});

const tideMusic = music({ rootHz: 98, wind: 0.3, windHz: 300, chordS: 7.5, pluckS: 0.9375 });

const TIDE: DemoFilm = {
  ...{
    id: "the-tide-clock",
    kind: "film",
    title: "The Tide Clock",
    year: 2026,
    ageRating: 0,
    originalLanguage: "en",
    rate: 24,
  },
  tagline: "The sea keeps its own hours.",
  synopsis:
    "On an island without clocks, the keeper of the harbour light tells time by the colour of the waves. Over one night and one morning she waits for a boat that is late by exactly one tide. Moonlight, rose and green water count the hours for her.",
  genres: ["Drama", "Poetry"],
  byline: "one night, one morning, one sea",
  credits: [
    { role: "director", name: "Ilse Varnhagen-Roe" },
    { role: "writer", name: "Tomas Quillfeather" },
    { role: "composer", name: "The Saltmarsh Ensemble" },
    { role: "cast", name: "Maren Oduya-Lind", character: "The keeper" },
    { role: "cast", name: "Joss Pellow", character: "The voice on the water" },
  ],
  reels: [
    {
      ...{ id: "the-tide-clock", card: "The Tide Clock", durationS: 60, scenes: tideClock },
      tracks: [
        { language: "en", title: "English", music: tideMusic },
        { language: "de", title: "Deutsch", music: { ...tideMusic, rootHz: 87.31, pluckS: 1.25 } },
      ],
      narration: narrate([9, 15, 23, 30, 36, 43, 50], {
        en: [
          "There are no clocks on the island.",
          "We count by the colour of the water.",
          "Silver is for waiting.",
          "Rose is for the boats that turn back.",
          "I have written down every wave.",
          "And green, at last, is for noon,",
          "when whoever is coming has come.",
        ],
        de: [
          "Auf der Insel gibt es keine Uhren.",
          "Wir zählen nach der Farbe des Wassers.",
          "Silber ist zum Warten da.",
          "Rosa ist für Boote, die umkehren.",
          "Ich habe jede Welle aufgeschrieben.",
          "Und Grün, endlich, ist der Mittag,",
          "wenn da ist, wer kommen wollte.",
        ],
        es: [
          "En la isla no hay relojes.",
          "Contamos por el color del agua.",
          "La plata es para esperar.",
          "El rosa, para los barcos que regresan.",
          "He anotado cada ola.",
          "Y el verde, al fin, es el mediodía,",
          "cuando ha llegado quien venía.",
        ],
        ar: [
          "لا ساعات في الجزيرة.",
          "نعدّ الوقت بلون الماء.",
          "الفضّة للانتظار.",
          "والورديّ للقوارب التي تعود.",
          "لقد دوّنتُ كلّ موجة.",
          "والأخضر، أخيرًا، هو الظهيرة،",
          "حين يصل من كان آتيًا.",
        ],
      }),
    },
  ],
};

const EMBER: DemoFilm = {
  ...{
    id: "ember-season",
    kind: "film",
    title: "Ember Season",
    year: 2025,
    ageRating: 6,
    originalLanguage: "en",
    rate: 25,
  },
  tagline: "Walk until the mountains burn.",
  synopsis:
    "Two sisters cross a desert on foot to scatter their father's maps where he drew them. The mountains burn at dawn, bleach at noon and go out at dusk, and at every ridge one of them wants to turn around. A road film without a road.",
  genres: ["Adventure", "Drama"],
  byline: "a road film without a road",
  credits: [
    { role: "director", name: "Adaeze Montclair" },
    { role: "writer", name: "Rufus Tannhill" },
    { role: "composer", name: "Dune Quartet" },
    { role: "cast", name: "Noor Castellane", character: "Ines" },
    { role: "cast", name: "Philippa Dray", character: "Vida" },
  ],
  reels: [
    {
      ...{ id: "ember-season", card: "Ember Season", durationS: 90, scenes: emberSeason },
      tracks: [
        {
          ...{ language: "en", title: "English" },
          music: music({
            rootHz: 73.42,
            chords: [
              [0, 7, 12, 15],
              [-2, 5, 10, 14],
              [-4, 3, 8, 15],
              [-5, 7, 11, 14],
            ],
            chordS: 7.5,
            pluckS: 1.25,
            wind: 0.4,
            windHz: 520,
          }),
        },
      ],
      narration: narrate([10, 18, 24, 33, 41, 49, 56, 65, 73, 81], {
        en: [
          "He drew this ridge from memory.",
          "He had never been here.",
          "So we went for him.",
          "At noon the map is blank.",
          "You said: we could turn around.",
          "I said: there is no around.",
          "Sand keeps no promises, and breaks none.",
          "In the evening the paper caught the light.",
          "We let it go, sheet by sheet,",
          "and the mountains read it as it burned.",
        ],
        de: [
          "Diesen Grat zeichnete er aus dem Kopf.",
          "Er war nie hier gewesen.",
          "Also gingen wir für ihn.",
          "Am Mittag ist die Karte leer.",
          "Du sagtest: Wir könnten umkehren.",
          "Ich sagte: Es gibt kein Zurück.",
          "Sand hält kein Versprechen und bricht keines.",
          "Am Abend fing das Papier das Licht.",
          "Wir ließen es los, Blatt um Blatt,",
          "und die Berge lasen es, während es brannte.",
        ],
        es: [
          "Dibujó esta cresta de memoria.",
          "Nunca había estado aquí.",
          "Así que vinimos por él.",
          "A mediodía el mapa está en blanco.",
          "Dijiste: podríamos volver.",
          "Dije: no hay vuelta.",
          "La arena no promete, ni incumple.",
          "Al anochecer el papel prendió la luz.",
          "Lo soltamos, hoja por hoja,",
          "y las montañas lo leyeron arder.",
        ],
      }),
    },
  ],
};

const PERIHELION: DemoFilm = {
  ...{
    id: "perihelion",
    kind: "film",
    title: "Perihelion",
    year: 2026,
    ageRating: 0,
    originalLanguage: "en",
    rate: 30,
  },
  tagline: "The closest point is the quietest.",
  synopsis:
    "A probe that was switched off forty years ago wakes at the point of its orbit nearest to the sun and begins to send postcards. Nobody knows any more for whom. Three worlds pass its window, and it describes each of them as if it were home.",
  genres: ["Science fiction", "Poetry"],
  byline: "postcards from a sleeping probe",
  credits: [
    { role: "director", name: "Lucan Aderholt" },
    { role: "writer", name: "Wren Takahara-Bligh" },
    { role: "composer", name: "Low Orbit Choir" },
    { role: "narrator", name: "Sabine Okereke" },
  ],
  reels: [
    {
      ...{ id: "perihelion", card: "Perihelion", durationS: 75, scenes: perihelion },
      tracks: [
        {
          ...{ language: "en", title: "English" },
          music: music({
            rootHz: 65.41,
            chords: [
              [0, 12, 19, 26],
              [-3, 9, 16, 24],
              [-5, 7, 17, 24],
              [-7, 5, 16, 21],
            ],
            chordS: 9.375,
            pluckS: 0,
            wind: 0.1,
            windHz: 180,
            pulseHz: 0.4,
          }),
        },
      ],
      narration: narrate([9, 16, 28, 35, 42, 54, 61, 67], {
        en: [
          "To whom it may reach:",
          "today I passed a giant that wears its storms as jewellery.",
          "The blue one has weather, and therefore hope.",
          "I waved with the arm that still moves.",
          "No answer, but the clouds parted a little.",
          "The red one turned its back to me.",
          "Around its shoulders, light.",
          "I am closest now. It is very quiet here.",
        ],
        de: [
          "An alle, die dies erreicht:",
          "Heute sah ich einen Riesen, der seine Stürme als Schmuck trägt.",
          "Der blaue hat Wetter, also Hoffnung.",
          "Ich winkte mit dem Arm, der noch geht.",
          "Keine Antwort, doch die Wolken wichen ein wenig.",
          "Der rote kehrte mir den Rücken.",
          "Um seine Schultern: Licht.",
          "Näher komme ich nicht. Es ist sehr still.",
        ],
        es: [
          "A quien pueda alcanzar:",
          "hoy vi un gigante que lleva sus tormentas como joyas.",
          "El azul tiene clima y, por tanto, esperanza.",
          "Saludé con el brazo que aún se mueve.",
          "Sin respuesta, pero las nubes se abrieron un poco.",
          "El rojo me dio la espalda.",
          "Sobre sus hombros, luz.",
          "Nunca estaré más cerca. Aquí hay mucho silencio.",
        ],
        ar: [
          "إلى من تصله رسالتي:",
          "مررتُ اليوم بعملاق يتزيّن بعواصفه.",
          "للأزرق طقسٌ، ولذلك له أمل.",
          "لوّحتُ بالذراع التي ما زالت تتحرّك.",
          "لا جواب، لكنّ الغيوم انفرجت قليلًا.",
          "وأدار لي الأحمر ظهره.",
          "وحول كتفيه ضوء.",
          "أنا الآن في أقرب نقطة. الهدوء هنا عميق.",
        ],
      }),
    },
  ],
};

const WEAVER: DemoFilm = {
  ...{
    id: "the-weavers-daughter",
    kind: "film",
    title: "The Weaver's Daughter",
    year: 2024,
    ageRating: 0,
    originalLanguage: "de",
    rate: 24,
  },
  tagline: "Every knot is a decision.",
  synopsis:
    "A girl who cannot read learns that the carpets of her valley are letters: each row follows from the row above by one stubborn rule. When her mother stops speaking, she weaves a question and waits for the pattern to answer. The film is the carpet.",
  genres: ["Family", "Fantasy"],
  byline: "each row follows from the row above",
  credits: [
    { role: "director", name: "Yelena Brandvik" },
    { role: "writer", name: "Orhan Silverthorne" },
    { role: "composer", name: "Warp & Weft" },
    { role: "cast", name: "Mina Faraday-Sol", character: "Tali" },
    { role: "cast", name: "Berit Hollander", character: "The mother" },
  ],
  reels: [
    {
      ...{ id: "the-weavers-daughter", card: "The Weaver’s Daughter", durationS: 72, scenes: weaver },
      tracks: [
        {
          ...{ language: "de", title: "Deutsch" },
          music: music({
            rootHz: 146.83,
            chords: [
              [0, 5, 7, 12],
              [-2, 3, 7, 10],
              [0, 5, 8, 12],
              [-5, 2, 7, 10],
            ],
            chordS: 4.5,
            pluckS: 0.375,
            wind: 0.04,
            windHz: 700,
          }),
        },
        {
          ...{ language: "en", title: "English" },
          music: music({
            rootHz: 130.81,
            chords: [
              [0, 5, 7, 12],
              [-2, 3, 7, 10],
              [0, 5, 8, 12],
              [-5, 2, 7, 10],
            ],
            chordS: 4.5,
            pluckS: 0.5625,
            wind: 0.04,
            windHz: 700,
          }),
        },
      ],
      narration: narrate([9, 15, 26, 33, 40, 50, 57, 64], {
        en: [
          "My mother never taught me letters.",
          "She taught me one rule.",
          "Look at the thread above you,",
          "and at its neighbours left and right.",
          "Then decide. That is all.",
          "I wove her a question, red on night.",
          "Ninety rows down, the pattern turned.",
          "It said: I hear you. Go on.",
        ],
        de: [
          "Meine Mutter lehrte mich keine Buchstaben.",
          "Sie lehrte mich eine einzige Regel.",
          "Sieh auf den Faden über dir",
          "und auf seine Nachbarn links und rechts.",
          "Dann entscheide. Das ist alles.",
          "Ich webte ihr eine Frage, Rot auf Nacht.",
          "Neunzig Reihen tiefer wandte sich das Muster.",
          "Es sagte: Ich höre dich. Geh weiter.",
        ],
        es: [
          "Mi madre nunca me enseñó letras.",
          "Me enseñó una sola regla.",
          "Mira el hilo que tienes encima",
          "y a sus vecinos, izquierda y derecha.",
          "Luego decide. Eso es todo.",
          "Le tejí una pregunta, rojo sobre noche.",
          "Noventa hileras más abajo, el dibujo giró.",
          "Decía: te oigo. Sigue.",
        ],
      }),
    },
  ],
};

const SUNS: DemoFilm = {
  ...{
    id: "a-colony-of-small-suns",
    kind: "film",
    title: "A Colony of Small Suns",
    year: 2026,
    ageRating: 6,
    originalLanguage: "en",
    rate: 25,
  },
  tagline: "Alone you fade. Crowded you burn.",
  synopsis:
    "In the deepest trench of an unnamed sea, lights are born, crowd together and go out by laws so simple that a child could say them. A biologist who lost her colony on land learns to read theirs. What looks like a war turns out to be a festival.",
  genres: ["Documentary", "Science fiction"],
  byline: "after a game with no players",
  credits: [
    { role: "director", name: "Caspian Wolde" },
    { role: "writer", name: "Henrike Amarante" },
    { role: "composer", name: "Abyssal Light" },
    { role: "narrator", name: "Dr Lotte Quist" },
  ],
  reels: [
    {
      ...{ id: "a-colony-of-small-suns", card: "A Colony of Small Suns", durationS: 80, scenes: smallSuns },
      tracks: [
        {
          ...{ language: "en", title: "English" },
          music: music({
            rootHz: 82.41,
            chords: [
              [0, 7, 14, 17],
              [3, 10, 15, 19],
              [-2, 5, 14, 17],
              [-4, 8, 12, 19],
            ],
            chordS: 5,
            pluckS: 0.625,
            wind: 0.16,
            windHz: 240,
            pulseHz: 0.8,
          }),
        },
      ],
      narration: narrate([10, 17, 28, 35, 42, 49, 58, 65, 72], {
        en: [
          "A light with no neighbours dies of loneliness.",
          "A light with four dies of company.",
          "Between the two there is a kind of life.",
          "We counted them for eleven winters.",
          "They do not remember. They only repeat,",
          "and repeating, they travel.",
          "I called it war in my first report.",
          "I was wrong. Look again:",
          "they are dancing in the only way they can.",
        ],
        de: [
          "Ein Licht ohne Nachbarn stirbt an Einsamkeit.",
          "Ein Licht mit vieren stirbt an Gesellschaft.",
          "Dazwischen gibt es eine Art von Leben.",
          "Elf Winter lang zählten wir sie.",
          "Sie erinnern sich nicht. Sie wiederholen nur,",
          "und wiederholend wandern sie.",
          "Im ersten Bericht nannte ich es Krieg.",
          "Ich irrte mich. Sieh noch einmal hin:",
          "Sie tanzen, wie sie eben können.",
        ],
        es: [
          "Una luz sin vecinas muere de soledad.",
          "Una luz con cuatro muere de compañía.",
          "Entre ambas hay una especie de vida.",
          "Las contamos durante once inviernos.",
          "No recuerdan. Solo repiten,",
          "y al repetir, viajan.",
          "En mi primer informe lo llamé guerra.",
          "Me equivoqué. Mira otra vez:",
          "bailan de la única manera que saben.",
        ],
      }),
    },
  ],
};

const SEED: DemoFilm = {
  ...{
    id: "the-glass-seed",
    kind: "film",
    title: "The Glass Seed",
    year: 2025,
    ageRating: 12,
    originalLanguage: "en",
    rate: 24,
  },
  tagline: "There is no bottom. There is only closer.",
  synopsis:
    "A glassmaker finds a flaw in a lens, and in the flaw a coast, and on the coast a lens. She follows it down. Each time she believes that she has reached the bottom, the picture opens again, and each time something of the workshop above is missing.",
  genres: ["Thriller", "Fantasy"],
  byline: "closer, and closer again",
  credits: [
    { role: "director", name: "Benedek Thorne" },
    { role: "writer", name: "Isolde Marchetti-Vane" },
    { role: "composer", name: "Vitrine" },
    { role: "cast", name: "Cosima Adeyemi-Hart", character: "The glassmaker" },
    { role: "cast", name: "Edvard Lune", character: "The apprentice" },
  ],
  reels: [
    {
      ...{ id: "the-glass-seed", card: "The Glass Seed", durationS: 76, scenes: glassSeed },
      tracks: [
        {
          ...{ language: "en", title: "English" },
          music: music({
            rootHz: 87.31,
            chords: [
              [0, 6, 12, 15],
              [1, 8, 13, 17],
              [-1, 6, 11, 15],
              [-4, 3, 8, 14],
            ],
            chordS: 6.5,
            pluckS: 0.8125,
            wind: 0.14,
            windHz: 900,
            pulseHz: 0.25,
          }),
        },
      ],
      narration: narrate([9, 16, 22, 30, 37, 44, 54, 61, 68], {
        en: [
          "It was a flaw no wider than a breath.",
          "I put my eye to it, and there was a coast.",
          "On the coast, a house. In the house, this lens.",
          "Further down the light turns warm.",
          "I called up to the apprentice.",
          "He answered with a name that was not mine.",
          "Do not look for the bottom.",
          "There is only closer.",
          "And something, each time, that is not there any more.",
        ],
        de: [
          "Es war ein Fehler, schmal wie ein Atemzug.",
          "Ich legte das Auge daran, und da war eine Küste.",
          "An der Küste ein Haus. Im Haus diese Linse.",
          "Weiter unten wird das Licht warm.",
          "Ich rief hinauf zum Lehrling.",
          "Er antwortete mit einem Namen, der nicht meiner war.",
          "Such nicht nach dem Grund.",
          "Es gibt nur Näher.",
          "Und jedes Mal etwas, das nicht mehr da ist.",
        ],
        es: [
          "Era un defecto no más ancho que un aliento.",
          "Acerqué el ojo y había una costa.",
          "En la costa, una casa. En la casa, esta lente.",
          "Más abajo la luz se vuelve cálida.",
          "Llamé al aprendiz, arriba.",
          "Respondió con un nombre que no era el mío.",
          "No busques el fondo.",
          "Solo existe más cerca.",
          "Y algo, cada vez, que ya no está.",
        ],
      }),
    },
  ],
};

const SNOW_LINES = {
  en: [
    "Midnight. The lights came without a sound.",
    "One o'clock belongs to the foxes.",
    "The third hour is for those who get up early.",
    "Nothing is as loud as new snow.",
    "At noon the forest holds its breath.",
    "Somebody has swept the path. Nobody was here.",
    "The afternoon lasts as long as a cup of tea.",
    "Then the whole valley catches fire.",
    "The blue hour is longer than they say.",
    "Moon. Every fir has its shadow again.",
    "The green light asks. The trees do not answer.",
    "Twelve hours. And it is still snowing.",
  ],
  de: [
    "Mitternacht. Die Lichter kamen ohne Laut.",
    "Ein Uhr gehört den Füchsen.",
    "Die dritte Stunde ist für Frühaufsteher.",
    "Nichts ist so laut wie neuer Schnee.",
    "Am Mittag hält der Wald den Atem an.",
    "Jemand hat den Weg gefegt. Niemand war hier.",
    "Der Nachmittag dauert eine Tasse Tee.",
    "Dann fängt das ganze Tal Feuer.",
    "Die blaue Stunde ist länger, als man sagt.",
    "Mond. Jede Tanne hat ihren Schatten wieder.",
    "Das grüne Licht fragt. Die Bäume schweigen.",
    "Zwölf Stunden. Und es schneit noch immer.",
  ],
  es: [
    "Medianoche. Las luces llegaron sin ruido.",
    "La una es de los zorros.",
    "La tercera hora es de quien madruga.",
    "Nada suena tanto como la nieve nueva.",
    "A mediodía el bosque contiene el aliento.",
    "Alguien barrió el sendero. Nadie estuvo aquí.",
    "La tarde dura lo que una taza de té.",
    "Luego todo el valle prende fuego.",
    "La hora azul es más larga de lo que dicen.",
    "Luna. Cada abeto recupera su sombra.",
    "La luz verde pregunta. Los árboles callan.",
    "Doce horas. Y sigue nevando.",
  ],
  ar: [
    "منتصف الليل. جاءت الأضواء بلا صوت.",
    "الساعة الواحدة للثعالب.",
    "والثالثة لمن يستيقظ باكرًا.",
    "لا شيء أعلى صوتًا من ثلج جديد.",
    "في الظهيرة تحبس الغابة أنفاسها.",
    "أحدهم كنس الدرب. ولم يكن هنا أحد.",
    "العصر يدوم بقدر فنجان شاي.",
    "ثم يشتعل الوادي كلّه.",
    "الساعة الزرقاء أطول ممّا يقولون.",
    "القمر. عاد لكلّ شجرة ظلّها.",
    "الضوء الأخضر يسأل. والأشجار لا تجيب.",
    "اثنتا عشرة ساعة. وما زال الثلج يهطل.",
  ],
};

const SNOW: DemoFilm = {
  ...{
    id: "twelve-hours-of-snow",
    kind: "film",
    title: "Twelve Hours of Snow",
    year: 2026,
    ageRating: 0,
    originalLanguage: "en",
    rate: 24,
  },
  tagline: "Nothing happens, and it is beautiful.",
  synopsis:
    "One clearing, twelve hours, one minute each: from the first northern lights through a short white day to the lights again. Slow cinema for people who like to look out of windows. Nothing happens, and by the end nothing is as it was.",
  genres: ["Slow cinema", "Documentary"],
  byline: "one clearing, twelve minutes",
  credits: [
    { role: "director", name: "Aino Silfverdal" },
    { role: "writer", name: "Matteo Greyling" },
    { role: "composer", name: "Winter Instruments" },
    { role: "narrator", name: "Old Pekka" },
  ],
  reels: [
    {
      ...{ id: "twelve-hours-of-snow", card: "Twelve Hours of Snow", durationS: 720, scenes: twelveHours },
      tracks: [
        {
          ...{ language: "en", title: "English" },
          music: music({
            rootHz: 130.81,
            chords: [
              [0, 7, 12, 19],
              [-3, 9, 16, 19],
              [-5, 7, 14, 16],
              [-7, 5, 12, 16],
            ],
            chordS: 7.5,
            pluckS: 1.875,
            wind: 0.34,
            windHz: 620,
          }),
        },
      ],
      narration: narrate(
        SNOW_LINES.en.map((_, hour) => hour * 60 + 14),
        SNOW_LINES,
      ),
    },
  ],
};

const rainMusic = (rootHz: number, pluckS: number): Music =>
  music({
    rootHz,
    chords: [
      [0, 7, 10, 14],
      [-2, 5, 12, 14],
      [-5, 7, 9, 14],
      [-3, 4, 9, 12],
    ],
    chordS: 5,
    pluckS,
    wind: 0.42,
    windHz: 1800,
  });

function episode(
  number: number,
  title: string,
  scenes: () => Scene[],
  rootHz: number,
  synopsis: string,
  lines: Readonly<Record<string, readonly string[]>>,
): Reel {
  return {
    ...{ id: `cartographers-of-rain-s1e${number}`, card: title, durationS: 60, scenes },
    episode: { season: 1, number, title, synopsis },
    tracks: [{ language: "en", title: "English", music: rainMusic(rootHz, 0.5 + number * 0.125) }],
    narration: narrate([9, 16, 23, 33, 40, 47, 53], lines),
  };
}

const RAIN: DemoFilm = {
  ...{
    id: "cartographers-of-rain",
    kind: "series",
    title: "Cartographers of Rain",
    year: 2026,
    ageRating: 6,
    originalLanguage: "en",
    rate: 25,
  },
  tagline: "The map is right. The land is late.",
  synopsis:
    "The coast of Meridane moves. Every rain redraws it, and every morning three surveyors go out to map what is left. A series in three episodes about borders that will not hold still and the people who insist on drawing them.",
  genres: ["Mystery", "Series"],
  byline: "Cartographers of Rain",
  credits: [
    { role: "director", name: "Marguerite Onslow" },
    { role: "writer", name: "Dov Castellan" },
    { role: "composer", name: "Isobar" },
    { role: "cast", name: "Thea Blackwood-Rai", character: "Surveyor Anselm" },
    { role: "cast", name: "Kofi Lindqvist", character: "Surveyor Pruitt" },
    { role: "cast", name: "Ottoline Reyes", character: "The harbourmaster" },
  ],
  reels: [
    episode(
      1,
      "Delta",
      delta,
      98,
      "The river has a new mouth, and nobody has signed for it. Anselm and Pruitt disagree about the length of the shore.",
      {
        en: [
          "Day one. It rained.",
          "The shore is four hundred paces longer than yesterday.",
          "Pruitt says I count too slowly.",
          "We drew the river where it was.",
          "It was very polite about it.",
          "By evening it had moved.",
          "I have ordered more ink.",
        ],
        de: [
          "Erster Tag. Es hat geregnet.",
          "Das Ufer ist vierhundert Schritte länger als gestern.",
          "Pruitt sagt, ich zähle zu langsam.",
          "Wir zeichneten den Fluss, wo er war.",
          "Er nahm es sehr höflich auf.",
          "Am Abend war er umgezogen.",
          "Ich habe mehr Tinte bestellt.",
        ],
        es: [
          "Día uno. Llovió.",
          "La orilla mide cuatrocientos pasos más que ayer.",
          "Pruitt dice que cuento muy despacio.",
          "Dibujamos el río donde estaba.",
          "Lo tomó con mucha cortesía.",
          "Al anochecer se había mudado.",
          "He pedido más tinta.",
        ],
      },
    ),
    episode(
      2,
      "Contour",
      contour,
      110,
      "In the hills the height lines close into circles, and inside every circle someone claims to live. The harbourmaster wants one mountain fewer.",
      {
        en: [
          "Day nine. The hills have begun to hum.",
          "A contour is a promise: here, and no higher.",
          "The harbourmaster asks for one mountain fewer.",
          "He has a treaty with a valley in it.",
          "I offered him a plateau.",
          "Pruitt drew the summit anyway,",
          "in pencil, so that it could change its mind.",
        ],
        de: [
          "Neunter Tag. Die Hügel haben zu summen begonnen.",
          "Eine Höhenlinie ist ein Versprechen: hier und nicht höher.",
          "Der Hafenmeister will einen Berg weniger.",
          "In seinem Vertrag kommt ein Tal vor.",
          "Ich bot ihm eine Hochebene an.",
          "Pruitt zeichnete den Gipfel trotzdem,",
          "mit Bleistift, damit er es sich anders überlegen kann.",
        ],
        es: [
          "Día nueve. Las colinas han empezado a zumbar.",
          "Una curva de nivel es una promesa: aquí, y no más alto.",
          "El capitán del puerto pide una montaña menos.",
          "Tiene un tratado con un valle dentro.",
          "Le ofrecí una meseta.",
          "Pruitt dibujó la cumbre de todos modos,",
          "a lápiz, para que pudiera arrepentirse.",
        ],
      },
    ),
    episode(
      3,
      "Estuary",
      estuary,
      123.47,
      "Where the sea takes the river back, the last sheet has to be signed. One of the three surveyors has stopped drawing and started to listen.",
      {
        en: [
          "Day thirty. We have reached the edge of the sheet.",
          "Here the river forgets its name.",
          "Anselm put the pen down at noon.",
          "She says the rain is a better hand than ours.",
          "I signed for all of us.",
          "Under scale I wrote: true, this morning.",
          "Then we stood in it, and let it draw.",
        ],
        de: [
          "Dreißigster Tag. Wir sind am Rand des Blattes.",
          "Hier vergisst der Fluss seinen Namen.",
          "Am Mittag legte Anselm die Feder hin.",
          "Der Regen, sagt sie, hat die bessere Hand.",
          "Ich habe für uns alle unterschrieben.",
          "Bei Maßstab schrieb ich: heute früh richtig.",
          "Dann standen wir im Regen und ließen ihn zeichnen.",
        ],
        es: [
          "Día treinta. Llegamos al borde de la hoja.",
          "Aquí el río olvida su nombre.",
          "Anselm dejó la pluma a mediodía.",
          "Dice que la lluvia tiene mejor mano que nosotros.",
          "Firmé por los tres.",
          "En la escala escribí: cierto, esta mañana.",
          "Luego nos quedamos bajo ella y la dejamos dibujar.",
        ],
      },
    ),
  ],
};

/** In the order in which a first start makes them: the quickest first, the longest last. */
export const DEMO_FILMS: readonly DemoFilm[] = [TIDE, PERIHELION, EMBER, RAIN, SUNS, WEAVER, SEED, SNOW];
