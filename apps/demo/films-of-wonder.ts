import { type DemoFilm, music } from "./film.ts";
import { narrate } from "./narration.ts";
import { glassSeed, smallSuns } from "./patterns.ts";
import { perihelion } from "./planets.ts";

export const PERIHELION: DemoFilm = {
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

export const SUNS: DemoFilm = {
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

export const SEED: DemoFilm = {
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
