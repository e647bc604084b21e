import { chance, flakes, glow, ridge, sky, stars, svg, turbulence } from "./drawing.ts";
import { gradientMap, hold, type Layer, parallax, type Scene } from "./scenes.ts";

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

interface Planet {
  readonly durationS: number;
  readonly seed: number;
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly bands: string;
  readonly colours: readonly string[];
  readonly background: string;
  /** Drawn over the planet: its night side, its ring, its moons. */
  readonly over: string;
  readonly speed: number;
}

/** A banded texture slides behind a round window; shade and rings lie over it, stars behind. */
function planet(shape: Planet): Scene {
  const { size } = shape;
  const mask = svg(
    size,
    size,
    `<rect width="${size}" height="${size}"/><circle cx="${size / 2}" cy="${size / 2}" r="${size / 2 - 1}" fill="#fff"/>`,
  );
  const texture = turbulence(Math.round(size * 2.2), size, shape.bands, 4, shape.seed);
  return {
    durationS: shape.durationS,
    stills: [shape.background, texture, mask, shape.over],
    graph: (rate) =>
      [
        `[1:v]${gradientMap(shape.colours)},format=yuv420p[map]`,
        `[map]loop=loop=-1:size=1:start=0,setpts=N/(${rate}*TB),fps=${rate},crop=w=${size}:h=${size}:x='${Math.round(size * 1.1)}-trunc(n*${shape.speed})':y=0:exact=1[skin]`,
        `${hold(2, "gray", rate)}[round]`,
        "[skin][round]alphamerge[ball]",
        `${hold(0, "yuv420p", rate)}[space]`,
        `[space][ball]overlay=x=${shape.x}:y=${shape.y}:eval=init[lit]`,
        `${hold(3, "yuva420p", rate)}[over]`,
        "[lit][over]overlay=x=0:y=0:eval=init[picture]",
      ].join(";"),
  };
}

/** The night side: darkness that grows from the lit edge. */
function shade(x: number, y: number, size: number, towards: readonly [number, number], rim: string): string {
  const gradient = `<radialGradient id="shade" cx="${towards[0]}" cy="${towards[1]}" r="0.95" fx="${towards[0]}" fy="${towards[1]}"><stop offset="0" stop-color="#000" stop-opacity="0"/><stop offset=".45" stop-color="#000" stop-opacity=".15"/><stop offset=".8" stop-color="#000" stop-opacity=".85"/><stop offset="1" stop-color="#000" stop-opacity=".97"/></radialGradient>`;
  const air = `<radialGradient id="air"><stop offset=".86" stop-color="${rim}" stop-opacity="0"/><stop offset=".9" stop-color="${rim}" stop-opacity=".35"/><stop offset="1" stop-color="${rim}" stop-opacity="0"/></radialGradient>`;
  const middle = [x + size / 2, y + size / 2];
  return `<defs>${gradient}${air}</defs><circle cx="${middle[0]}" cy="${middle[1]}" r="${size / 2}" fill="url(#shade)"/><circle cx="${middle[0]}" cy="${middle[1]}" r="${(size / 2) * 1.11}" fill="url(#air)"/>`;
}

/** One half of a tilted ring system: the far one belongs behind the planet, the near one before it. */
function rings(half: "far" | "near", x: number, y: number, radius: number, colours: readonly string[]): string {
  const sweep = half === "far" ? 1 : 0;
  const arcs = colours.map((colour, index) => {
    const across = radius * (1.35 + index * 0.09);
    return `<path d="M${x - across} ${y}A${across} ${across * 0.2} 0 0 ${sweep} ${x + across} ${y}" fill="none" stroke="${colour}" stroke-width="${radius * 0.055}" opacity="${0.85 - (index % 3) * 0.2}"/>`;
  });
  return `<g transform="rotate(-14 ${x} ${y})">${arcs.join("")}</g>`;
}

export function perihelion(): Scene[] {
  const dark = (seed: number, colours: string[], inside = ""): string => sky(colours, stars(seed, 420) + inside);
  const moon = (x: number, y: number, radius: number, colour: string): string =>
    `<defs><radialGradient id="moon${x}" cx=".3" cy=".3" r=".8"><stop offset="0" stop-color="${colour}"/><stop offset=".6" stop-color="${colour}" stop-opacity=".55"/><stop offset="1" stop-color="#05060c"/></radialGradient></defs><circle cx="${x}" cy="${y}" r="${radius}" fill="#05060c"/><circle cx="${x}" cy="${y}" r="${radius}" fill="url(#moon${x})"/>`;
  const ringColours = ["#f7dcae", "#c9965a", "#f2cf97", "#a9713e", "#e6c08a"];
  const far = glow("far", 180, 130, 9, "#fff", "#ffd9a0", 14);
  return [
    planet({
      ...{ durationS: 25, seed: 5, x: 480, y: 110, size: 500, bands: "0.0016 0.017", speed: 0.75 },
      ...{
        colours: ["#5a2a12", "#b4632a", "#e9b872", "#fff0cf", "#c98445", "#7a3b1a"],
        background: dark(4, ["#05060f", "#0c1020", "#131a2c"], far + rings("far", 730, 360, 250, ringColours)),
      },
      over: svg(
        1280,
        720,
        shade(480, 110, 500, [0.26, 0.28], "#ffcf8f") +
          rings("near", 730, 360, 250, ringColours) +
          moon(1120, 170, 26, "#d9cbb5"),
      ),
    }),
    planet({
      ...{ durationS: 25, seed: 12, x: 340, y: 60, size: 600, bands: "0.004 0.007", speed: 0.5 },
      ...{
        colours: ["#05213f", "#0a4d7a", "#1d8f9c", "#63c7a5", "#eaf6d8", "#ffffff"],
        background: dark(8, ["#02030a", "#060b1c", "#0a1530"]),
      },
      over: svg(
        1280,
        720,
        shade(340, 60, 600, [0.72, 0.22], "#7fe0ff") + moon(260, 560, 54, "#cfd8e6") + moon(1090, 110, 17, "#e8d0b0"),
      ),
    }),
    planet({
      ...{ durationS: 25, seed: 21, x: 390, y: 110, size: 500, bands: "0.008 0.012", speed: 0.6 },
      ...{
        colours: ["#16021c", "#3c0a3f", "#8a1651", "#e0435a", "#ff9a5c", "#ffe2a0"],
        background: dark(
          15,
          ["#0a0212", "#1b0628", "#2a0a33"],
          glow("corona", 640, 360, 246, "#ffcf8a", "#ff5a6a", 2.2),
        ),
      },
      over: svg(1280, 720, shade(390, 110, 500, [0.5, 0.02], "#ff9a7a") + moon(980, 520, 38, "#f0b7a0")),
    }),
  ];
}

interface Strand {
  readonly rule: number;
  /** The size of a knot in pixels of the finished picture; a divisor of 40. */
  readonly knot: number;
  /** The share of knots that are set in the first row: nested rules want few, wild ones half. */
  readonly ratio: number;
}

/** Rows a second: the beat of the loom. */
const BEAT = 8;

/**
 * Carpets from one-dimensional cellular automata: a fine and two coarse ones are woven into eight colours, and the quarter is
 * mirrored as weavers do.
 */
function carpet(
  durationS: number,
  strands: readonly [Strand, Strand, Strand],
  seed: number,
  colours: readonly string[],
): Scene {
  const thread = svg(
    1280,
    720,
    Array.from(
      { length: 180 },
      (_, row) => `<rect y="${row * 4}" width="1280" height="1" fill="#000" opacity=".25"/>`,
    ).join("") +
      Array.from(
        { length: 320 },
        (_, column) =>
          `<rect x="${column * 4}" width="1" height="720" fill="#000" opacity="${column % 2 ? 0.16 : 0.05}"/>`,
      ).join("") +
      '<defs><radialGradient id="v" r=".75"><stop offset=".5" stop-opacity="0"/><stop offset="1" stop-opacity=".6"/></radialGradient></defs><rect width="1280" height="720" fill="url(#v)"/>',
  );
  return {
    durationS,
    stills: [thread],
    graph: (rate) => {
      const woven = strands.map(({ rule, knot, ratio }, index) => {
        const width = 640 / knot;
        const height = 360 / knot;
        const automaton = `cellauto=rule=${rule}:s=${width}x${height}:ratio=${ratio}:seed=${seed + index}:r=${BEAT}:scroll=1:start_full=1:stitch=1`;
        return `${automaton},format=gray,scale=160:90:flags=neighbor[w${index}]`;
      });
      const dye = [
        "rr=0.5715:rg=0.2857:rb=0.1429",
        "gr=0.5715:gg=0.2857:gb=0.1429",
        "br=0.5715:bg=0.2857:bb=0.1429",
      ].join(":");
      return [
        ...woven,
        `[w0][w1][w2]mergeplanes=0x001020:gbrp,colorchannelmixer=${dye}[dyed]`,
        "[dyed]split[left][right0];[right0]hflip[right];[left][right]hstack,split[upper][lower0];[lower0]vflip[lower]",
        `[upper][lower]vstack,${gradientMap(colours)},scale=1280:720:flags=neighbor,fps=${rate},format=yuv420p[cloth]`,
        `${hold(0, "yuva420p", rate)}[thread]`,
        "[cloth][thread]overlay=eval=init[picture]",
      ].join(";");
    },
  };
}

export function weaver(): Scene[] {
  const strand = (rule: number, knot: number, ratio: number): Strand => ({ rule, knot, ratio });
  return [
    carpet(24, [strand(90, 8, 0.06), strand(150, 20, 0.12), strand(126, 40, 0.2)], 1, [
      "#1c0f14",
      "#4a131c",
      "#7d1a22",
      "#b8322a",
      "#1f2f57",
      "#d9a441",
      "#f1e2bd",
      "#f7eedb",
    ]),
    carpet(24, [strand(110, 8, 0.5), strand(90, 40, 0.2), strand(126, 20, 0.1)], 5, [
      "#06232b",
      "#0a3a44",
      "#0e5a5e",
      "#1c7a74",
      "#c9562f",
      "#e0b24c",
      "#f4ead0",
      "#fbf5e4",
    ]),
    carpet(24, [strand(126, 8, 0.04), strand(110, 20, 0.5), strand(150, 40, 0.15)], 9, [
      "#130a22",
      "#2a1a4a",
      "#4a2a7a",
      "#8a3a8c",
      "#e46a8c",
      "#f0907c",
      "#f6c9a0",
      "#fbeed8",
    ]),
  ];
}

/** Cells that live, glow and fade; blur and a steep table make drops of light of them. */
function colony(durationS: number, rule: string, seed: number, ratio: number, colours: readonly string[]): Scene {
  return {
    durationS,
    stills: [],
    graph: (rate) =>
      [
        `life=s=96x54:r=6:rule=${rule}:ratio=${ratio}:seed=${seed}:mold=6:life_color=#ffffff:death_color=#5a5a5a:mold_color=#000000,format=gray`,
        `framerate=fps=${rate}:interp_start=0:interp_end=255:scene=100,scale=384:216:flags=bicubic,gblur=sigma=3.4:steps=2,lagfun=decay=0.93`,
        `${gradientMap(colours)},scale=1280:720:flags=bicubic,vignette=angle=0.7,format=yuv420p[picture]`,
      ].join(","),
  };
}

export function smallSuns(): Scene[] {
  return [
    colony(26, "B3/S23", 42, 0.22, ["#05010f", "#1d0640", "#6a0f6b", "#d92d6e", "#ff8a4a", "#ffe9a8", "#fffdf2"]),
    colony(28, "B36/S23", 17, 0.3, ["#00080f", "#03303f", "#067a6e", "#4fd08a", "#d8f59a", "#ffffe6", "#ffffff"]),
    colony(26, "B368/S245", 8, 0.4, ["#0a0205", "#3a0a12", "#8f1f1a", "#e25a1c", "#ffb53a", "#fff0b0", "#ffffff"]),
  ];
}

/** Falls into the Mandelbrot set; its colours are replaced by the film's own. */
function fall(
  durationS: number,
  x: number,
  y: number,
  endScale: number,
  colours: readonly string[],
  fold: string,
): Scene {
  return {
    durationS,
    stills: [],
    graph: (rate) =>
      [
        `mandelbrot=s=640x360:r=${rate}:start_x=${x}:start_y=${y}:start_scale=0.6:end_scale=${endScale}:end_pts=${durationS * rate}:maxiter=700:inner=black:outer=normalized_iteration_count,format=gray`,
        `${gradientMap(colours, fold)},scale=1280:720:flags=lanczos,vignette=angle=0.6,format=yuv420p[picture]`,
      ].join(","),
  };
}

export function glassSeed(): Scene[] {
  return [
    fall(
      26,
      -0.743643887037151,
      0.13182590420533,
      0.00002,
      ["#020b14", "#06324a", "#0f8ea0", "#8be0c8", "#fff3d0", "#f2a65a", "#7a2a3a"],
      "val",
    ),
    fall(
      24,
      -0.7453,
      0.1127,
      0.0004,
      ["#12020f", "#5a0f3f", "#c9304f", "#ff8f5a", "#ffe7b0", "#7fb8c9", "#123048"],
      "val",
    ),
    fall(
      26,
      -1.25066,
      0.02012,
      0.0002,
      ["#03100a", "#0d3d2a", "#3f8f4a", "#cfd86a", "#fff8d8", "#c98a3a", "#3a1a10"],
      "val",
    ),
  ];
}

/** Height lines of a land that never stays: two noises pass over each other and a table draws the map. */
function chart(durationS: number, seed: number, colours: readonly string[], ink: string): Scene {
  const bands = 11;
  const size = { width: 1500, height: 900 };
  const inkOf = (offset: number): number => Number.parseInt(ink.slice(offset, offset + 2), 16);
  const flat = colours.map((colour) =>
    [1, 3, 5].map((offset) => Number.parseInt(colour.slice(offset, offset + 2), 16)),
  );
  const channel = (index: number): string => {
    // One colour a band, and ink where a band begins.
    const steps = Array.from(
      { length: bands },
      (_, band) => flat[Math.round((band / (bands - 1)) * (flat.length - 1))]?.[index] ?? 0,
    );
    const level = `st(0\\,clip((val/1023-0.3)/0.4\\,0\\,0.999)*${bands})*0`;
    const chosen = steps
      .slice(0, -1)
      .reduceRight((rest, value, band) => `if(eq(floor(ld(0))\\,${band})\\,${value}\\,${rest})`, String(steps.at(-1)));
    const line = `lt(mod(ld(0)\\,1)\\,0.07)+0.55*lt(abs(mod(ld(0)\\,0.25)-0.125)\\,0.012)`;
    return `'${level}+4*(${chosen}*(1-min(1\\,${line}))+${inkOf(1 + index * 2)}*min(1\\,${line}))'`;
  };
  return {
    durationS,
    stills: [
      turbulence(size.width, size.height, "0.0045 0.0045", 3, seed),
      turbulence(size.width, size.height, "0.0035 0.006", 3, seed + 1),
    ],
    graph: (rate) =>
      [
        `${hold(0, "gray10le", rate)},crop=w=640:h=360:x=n:y='100+90*sin(t/9)'[a]`,
        `${hold(1, "gray10le", rate)},crop=w=640:h=360:x='840-n':y='200+90*cos(t/7)'[b]`,
        `[a][b]blend=all_mode=average,gblur=sigma=2.6:steps=2,scale=1280:720:flags=bicubic,format=gbrp10le,lutrgb=r=${channel(0)}:g=${channel(1)}:b=${channel(2)},format=yuv420p[picture]`,
      ].join(";"),
  };
}

export const delta = (): Scene[] => [
  chart(30, 3, ["#0b2a3f", "#14506a", "#2f8790", "#a9cfae", "#efe3b4", "#d9a35f", "#b5613d"], "#0a1a26"),
  chart(30, 11, ["#102a2a", "#1f5a4f", "#5d9a6a", "#d4d897", "#f3ecc9", "#c9b27a", "#7a6a4a"], "#0c1f1c"),
];

export const contour = (): Scene[] => [
  chart(30, 19, ["#2a0f2f", "#5d1f4f", "#a63a5a", "#e8785a", "#f7bd84", "#fbe9c8", "#ffffff"], "#1c0a22"),
  chart(30, 27, ["#1a1440", "#3a2f8a", "#7a5fc9", "#c9a0e0", "#f4d4e4", "#ffeedd", "#fffaf4"], "#120c30"),
];

export const estuary = (): Scene[] => [
  chart(30, 35, ["#03131a", "#08303c", "#0f5c66", "#1f8f8a", "#7fd0b4", "#e6f4d0", "#fffbe6"], "#021016"),
  chart(30, 43, ["#1a0a05", "#4a1f10", "#8f4420", "#d08a3c", "#f0cf7a", "#fbf0c8", "#dfe8e4"], "#120604"),
];

interface Hour {
  readonly sky: string[];
  readonly lamp: string;
  readonly far: [string, string];
  readonly near: [string, string];
  readonly trees: string;
  readonly aurora?: readonly [string, string];
}

/** Snow falls before firs; each hour has its own light. */
function snow(durationS: number, seed: number, hour: Hour): Scene {
  const base = [
    hill({
      seed: seed + 1,
      top: 330,
      relief: 130,
      colours: hour.far,
      speed: 0,
      softness: 0.95,
      octaves: 14,
      isCreased: true,
    }),
    hill({
      seed: seed + 2,
      top: 380,
      relief: 80,
      colours: [hour.trees, hour.near[0]],
      speed: 0,
      softness: 1.4,
      trees: 46,
      treeHeight: 120,
    }),
    hill({ seed: seed + 3, top: 530, relief: 60, colours: hour.near, speed: 0, softness: 1.6, octaves: 5 }),
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
