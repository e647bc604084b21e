import { type DemoFilm, music } from "./film.ts";
import { emberSeason, tideClock, twelveHours } from "./landscapes.ts";
import { narrate } from "./narration.ts";

const tideMusic = music({ rootHz: 98, wind: 0.3, windHz: 300, chordS: 7.5, pluckS: 0.9375 });

export const TIDE: DemoFilm = {
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
      chapters: ["Silver", "Rose", "Green"],
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

export const EMBER: DemoFilm = {
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

const SNOW_CHAPTERS = [
  ...["Midnight", "One o’clock", "Early risers", "New snow", "Noon", "The swept path"],
  ...["A cup of tea", "The valley on fire", "The blue hour", "Moon", "The green light", "Still snowing"],
];

export const SNOW: DemoFilm = {
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
      chapters: SNOW_CHAPTERS,
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
