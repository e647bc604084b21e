import { type DemoFilm, music, type Reel } from "./film.ts";
import type { Music } from "./music.ts";
import { narrate } from "./narration.ts";
import { contour, delta, estuary, weaver } from "./patterns.ts";
import type { Scene } from "./scenes.ts";

export const WEAVER: DemoFilm = {
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

export const RAIN: DemoFilm = {
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
