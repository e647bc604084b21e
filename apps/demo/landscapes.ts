import { chance, flakes, glow, ridge, sky, stars, svg } from "./drawing.ts";
import { hold, type Layer, parallax, type Scene } from "./scenes.ts";

const PERIOD = 2560;
const WIDE = PERIOD + 1280;

interface Hill {
  readonly seed: number;
  readonly top: number;
  readonly relief: number;
  readonly colours: readonly [string, string];
  readonly speed: number;
  readonly softness?: number;
  readonly octaves?: number;
  readonly isCreased?: boolean;
  readonly crest?: string;
  readonly swell?: number;
  readonly trees?: number;
  readonly treeHeight?: number;
}

function hill(shape: Hill): Layer {
  const swell = shape.swell ?? 0;
  const height = 720 - shape.top;
  const still = ridge({
    ...{
      seed: shape.seed,
      octaves: shape.octaves ?? 9,
      softness: shape.softness ?? 1.2,
      isCreased: shape.isCreased ?? false,
    },
    ...{ width: WIDE, height: height + 2 * swell + 2, period: PERIOD, relief: shape.relief, headroom: 2 * swell },
    ...{ top: shape.colours[0], bottom: shape.colours[1], trees: shape.trees ?? 0, treeHeight: shape.treeHeight ?? 0 },
    ...(shape.crest ? { crest: shape.crest } : {}),
  });
  return { still, top: shape.top, height, speed: shape.speed, period: PERIOD, swell, swellS: 7 + (shape.seed % 5) };
}

/** Five seas under one light: each wave is darker and faster than the one behind it. */
export function sea(
  durationS: number,
  light: {
    sky: string[];
    lamp: string;
    waves: [string, string][];
    crest: string;
    seed: number;
    at: number;
    sparkle: string;
  },
): Scene {
  const waves = light.waves.map((colours, index) =>
    hill({
      ...{ seed: light.seed + index, top: 372 + index * 58, relief: 26 + index * 22, colours },
      ...{ speed: (index % 2 === 0 ? 1 : -1) * (1 + Math.floor(index / 2)), softness: 0.55, octaves: 14 - index * 2 },
      ...{ crest: light.crest, swell: 5 + index * 3 },
    }),
  );
  const path = glitter(light.seed, light.at, light.sparkle);
  // The path of light lies on the water: between the waves, so that each covers a part of it.
  const layers = waves.flatMap((wave, index) =>
    index < 4
      ? [wave, { ...path, top: wave.top + 14, height: 70, swell: 3 + index, swellS: 2.3 + index * 0.9 }]
      : [wave],
  );
  return parallax(durationS, sky(light.sky, light.lamp), layers);
}

/** Dashes of light under the lamp, denser in the middle. */
function glitter(seed: number, at: number, colour: string): Layer {
  const random = chance(seed * 31);
  const dashes = Array.from({ length: 64 }, () => {
    const away = (random() + random() + random() - 1.5) * 190;
    const length = 10 + random() * 46;
    return `<ellipse cx="${(at + away).toFixed(0)}" cy="${(6 + random() * 74).toFixed(0)}" rx="${(length / 2).toFixed(0)}" ry="${(1 + random() * 1.6).toFixed(1)}" fill="${colour}" opacity="${(0.15 + 0.5 * random()).toFixed(2)}"/>`;
  });
  return { still: svg(1280, 84, dashes.join("")), top: 0, height: 70, speed: 0, period: 1280 };
}

export function tideClock(): Scene[] {
  const moon = glow("m", 880, 210, 92, "#fdf3dc", "#9fb6ff", 4.5);
  const craters = [
    [850, 180, 20],
    [905, 236, 28],
    [914, 178, 11],
    [862, 246, 9],
  ].map(([x, y, r]) => `<circle cx="${x}" cy="${y}" r="${r}" fill="#e4d6b8" opacity=".55"/>`);
  return [
    sea(20, {
      ...{
        sky: ["#03040f", "#0d1440", "#27306e", "#5b5a94"],
        lamp: stars(3, 260, 1280, 380) + moon + craters.join(""),
      },
      ...{
        waves: [
          ["#3a4583", "#2a3470"],
          ["#2b3672", "#1d265a"],
          ["#1d2658", "#131a42"],
          ["#121a40", "#0b102c"],
          ["#0a0e26", "#04050f"],
        ],
        crest: "#c9d4ff66",
        seed: 11,
        at: 880,
        sparkle: "#fff3d6",
      },
    }),
    sea(20, {
      ...{ sky: ["#123047", "#3b6a80", "#e39a86", "#ffd9a8"], lamp: glow("s", 430, 352, 74, "#fff4d8", "#ffb27a", 6) },
      ...{
        waves: [
          ["#d98d84", "#a8697a"],
          ["#a9657a", "#74496c"],
          ["#6f4468", "#47305a"],
          ["#3f2b55", "#261d40"],
          ["#1f1736", "#0d0a1c"],
        ],
        crest: "#ffe3c488",
        seed: 23,
        at: 430,
        sparkle: "#ffe9c2",
      },
    }),
    sea(20, {
      ...{ sky: ["#0a4a58", "#1b8a8f", "#7cd0b8", "#f4f0c9"], lamp: glow("n", 760, 140, 58, "#fffdf0", "#f8ffd8", 6) },
      ...{
        waves: [
          ["#4fb3a8", "#2f8f90"],
          ["#2c8a8e", "#186a78"],
          ["#14626f", "#0c4858"],
          ["#0b4152", "#072c3c"],
          ["#062534", "#02111a"],
        ],
        crest: "#e8fff299",
        seed: 37,
        at: 760,
        sparkle: "#fbffe0",
      },
    }),
  ];
}

export function emberSeason(): Scene[] {
  const clouds = (colour: string, seed: number): string => {
    const rows = Array.from(
      { length: 7 },
      (_, row) =>
        `<ellipse cx="${(row * 331 + seed * 97) % 1280}" cy="${120 + row * 38}" rx="${240 + ((row * 83) % 200)}" ry="${5 + (row % 3) * 4}" fill="${colour}" opacity="${0.18 + (row % 3) * 0.08}"/>`,
    );
    return rows.join("");
  };
  const land = (
    durationS: number,
    colours: string[],
    lamp: string,
    ridges: [string, string][],
    seed: number,
    isCreased: boolean,
  ): Scene =>
    parallax(
      durationS,
      sky(colours, lamp),
      ridges.map((pair, index) =>
        hill({
          ...{ seed: seed + index, top: 290 + index * 78, relief: 150 - index * 14, colours: pair, speed: index + 1 },
          ...{ softness: isCreased ? 0.95 : 1.6, octaves: isCreased ? 16 : 6, isCreased },
        }),
      ),
    );
  const bigSun = (y: number, disc: string, halo: string): string => glow("e", 640, y, 168, disc, halo, 3.2);
  return [
    land(
      30,
      ["#3a0d2e", "#8f1d3f", "#e2513a", "#ffb25c"],
      bigSun(330, "#ffe2a6", "#ff7a3c") + clouds("#5b1238", 2),
      [
        ["#b23a48", "#d8684f"],
        ["#872a4a", "#a83c4b"],
        ["#5d1d46", "#7a2848"],
        ["#3a1339", "#4d1a3f"],
        ["#1d0a24", "#0e0514"],
      ],
      51,
      true,
    ),
    land(
      30,
      ["#f7c873", "#fbdca0", "#fdeccb", "#fff7e6"],
      glow("z", 930, 150, 70, "#fffdf4", "#fff0b8", 6),
      [
        ["#e8b98a", "#f2d3ae"],
        ["#d9935f", "#e7b184"],
        ["#bf6a3d", "#d58a56"],
        ["#8f4227", "#b2592f"],
        ["#5a2418", "#3a140f"],
      ],
      63,
      false,
    ),
    land(
      30,
      ["#0d0b26", "#2a1a4f", "#6d2a63", "#e0604f"],
      stars(9, 200, 1280, 300) + glow("d", 330, 372, 96, "#ff9a5a", "#ff4f4a", 5) + clouds("#1c0f3a", 5),
      [
        ["#73335f", "#4b2a5c"],
        ["#4a2656", "#33204f"],
        ["#2f1b47", "#211539"],
        ["#1c112f", "#130c22"],
        ["#0c0716", "#05030a"],
      ],
      77,
      true,
    ),
  ];
}

interface Hour {
  readonly sky: string[];
  readonly lamp: string;
  readonly far: [string, string];
  readonly near: [string, string];
  readonly trees: string;
  readonly aurora?: readonly [string, string];
}

/** The chance that made the clearing; every hour looks at the same one. */
const CLEARING = 114;

/** Snow falls before firs; each hour has its own light. */
function snow(durationS: number, seed: number, hour: Hour): Scene {
  const base = [
    hill({
      seed: CLEARING + 1,
      top: 330,
      relief: 130,
      colours: hour.far,
      speed: 0,
      softness: 0.95,
      octaves: 14,
      isCreased: true,
    }),
    hill({
      seed: CLEARING + 2,
      top: 380,
      relief: 80,
      colours: [hour.trees, hour.near[0]],
      speed: 0,
      softness: 1.4,
      trees: 46,
      treeHeight: 120,
    }),
    hill({ seed: CLEARING + 3, top: 530, relief: 60, colours: hour.near, speed: 0, softness: 1.6, octaves: 5 }),
  ];
  const land = base.map((layer) => placed(layer));
  const background = sky(hour.sky, hour.lamp + (hour.aurora ? curtains(seed, hour.aurora) : "") + land.join(""));
  return {
    durationS,
    stills: [background, flakes(seed + 7, 150, 2.6, 960), flakes(seed + 8, 46, 6, 1440)],
    graph: (rate) =>
      [
        `${hold(0, "yuv420p", rate)}[land]`,
        `${hold(1, "yuva420p", rate)},crop=w=1280:h=720:x=0:y='960-mod(n*1\\,960)':exact=1[small]`,
        `${hold(2, "yuva420p", rate)},crop=w=1280:h=720:x=0:y='1440-mod(n*3\\,1440)':exact=1[large]`,
        "[land][small]overlay=eval=init[some];[some][large]overlay=eval=init[picture]",
      ].join(";"),
  };
}

/** A layer that stands still becomes part of the background; its gradient gets a name of its own there. */
function placed(layer: Layer): string {
  const inside = layer.still.replace('id="g"', `id="g${layer.top}"`).replace("url(#g)", `url(#g${layer.top})`);
  return `<svg y="${layer.top}" width="1280" height="${layer.height}" viewBox="640 0 1280 ${layer.height}">${inside}</svg>`;
}

/** Northern lights: tall soft strokes along a wandering line. */
function curtains(seed: number, colours: readonly [string, string]): string {
  const strokes = Array.from({ length: 150 }, (_, index) => {
    const x = index * 9 - 30;
    const y = 260 + 70 * Math.sin(index / 17 + seed) + 30 * Math.sin(index / 5 + seed * 2);
    const height = 150 + 90 * Math.abs(Math.sin(index / 9 + seed));
    return `<rect x="${x}" y="${(y - height).toFixed(0)}" width="13" height="${height.toFixed(0)}" fill="url(#aurora)" opacity="${(0.35 + 0.5 * Math.abs(Math.sin(index / 4.3 + seed))).toFixed(2)}"/>`;
  });
  return `<defs><linearGradient id="aurora" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${colours[1]}" stop-opacity="0"/><stop offset=".55" stop-color="${colours[1]}" stop-opacity=".55"/><stop offset=".92" stop-color="${colours[0]}" stop-opacity=".95"/><stop offset="1" stop-color="${colours[0]}" stop-opacity="0"/></linearGradient><filter id="soft"><feGaussianBlur stdDeviation="9 14"/></filter></defs><g filter="url(#soft)">${strokes.join("")}</g>`;
}

export function twelveHours(): Scene[] {
  const night = { far: ["#2b3a5f", "#1b2746"], near: ["#5b6f9a", "#93a6c9"], trees: "#0a1226" } as const;
  const hours: Hour[] = [
    {
      sky: ["#060a1c", "#142147", "#3a4a7f"],
      lamp: stars(61, 300, 1280, 420),
      far: [...night.far],
      near: [...night.near],
      trees: night.trees,
      aurora: ["#6ff2b8", "#7a5cff"],
    },
    {
      sky: ["#0c1230", "#2a2f66", "#8a6a9c", "#e8a9a0"],
      lamp: stars(62, 120, 1280, 260),
      far: ["#6a5f90", "#4a4778"],
      near: ["#b7a4c4", "#e2cdd8"],
      trees: "#1d1a3a",
    },
    {
      sky: ["#3a5a8c", "#9cb0cf", "#f6c8b0", "#ffe6c4"],
      lamp: glow("h", 900, 340, 60, "#fff6e0", "#ffc48a", 7),
      far: ["#a9a6c4", "#8a8db4"],
      near: ["#e6d9de", "#fff3ea"],
      trees: "#3a3f5f",
    },
    {
      sky: ["#6aa0cc", "#b4d4e8", "#e8f2f4"],
      lamp: glow("h", 420, 170, 54, "#ffffff", "#fffbe0", 6),
      far: ["#a4bccf", "#8aa6bf"],
      near: ["#e4eef4", "#ffffff"],
      trees: "#2a4a5a",
    },
    {
      sky: ["#8fb4c4", "#c4d8dc", "#eef2ee"],
      lamp: "",
      far: ["#b4c6cc", "#a0b6be"],
      near: ["#e8efee", "#fbfdfb"],
      trees: "#3f5a5c",
    },
    {
      sky: ["#7a94a8", "#b8c4c8", "#e8dccb"],
      lamp: glow("h", 700, 220, 48, "#fffaf0", "#fff0d0", 8),
      far: ["#aab0b8", "#949ea8"],
      near: ["#e6e4e0", "#faf6f0"],
      trees: "#40484c",
    },
    {
      sky: ["#4a5a84", "#c48a8a", "#f6b46a", "#ffe0a0"],
      lamp: glow("h", 340, 330, 70, "#fff0c8", "#ff9a4a", 6),
      far: ["#a06a7a", "#7a5070"],
      near: ["#e8b89a", "#ffdcb8"],
      trees: "#3a2438",
    },
    {
      sky: ["#2a1f50", "#7a2f66", "#d8505a", "#ff9a5a"],
      lamp: glow("h", 640, 390, 84, "#ffd890", "#ff5a4a", 5),
      far: ["#7a3560", "#552858"],
      near: ["#c47a84", "#eaaa9a"],
      trees: "#240f2c",
    },
    {
      sky: ["#0f1438", "#2f2a66", "#6a4a8a", "#b47aa0"],
      lamp: stars(69, 140, 1280, 300),
      far: ["#544a80", "#3a3668"],
      near: ["#8f82b4", "#b8a8cc"],
      trees: "#14122e",
    },
    {
      sky: ["#050a20", "#0f2048", "#2a4a7a"],
      lamp: stars(70, 260, 1280, 400) + glow("h", 960, 150, 50, "#f4f6ff", "#9fb8ff", 6),
      far: ["#2a4068", "#1c3052"],
      near: ["#6a86b0", "#a0b8d8"],
      trees: "#081428",
    },
    {
      sky: ["#04121a", "#0a2e3a", "#1c5a60"],
      lamp: stars(71, 300, 1280, 420),
      far: ["#1f4a55", "#14363f"],
      near: ["#5a9096", "#94c0c0"],
      trees: "#04161c",
      aurora: ["#a0ffcf", "#2fb8c9"],
    },
    {
      sky: ["#0a0618", "#24103f", "#4a2266"],
      lamp: stars(72, 320, 1280, 420),
      far: ["#3a2558", "#281a44"],
      near: ["#7a5f9c", "#ad94c9"],
      trees: "#0c0618",
      aurora: ["#ff8ac4", "#6a5cff"],
    },
  ];
  return hours.map((hour, index) => snow(60, 100 + index * 7, hour));
}
