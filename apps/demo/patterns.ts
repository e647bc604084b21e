import { svg, turbulence } from "./drawing.ts";
import { gradientMap, hold, type Scene } from "./scenes.ts";

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

/** The first generations are a crowd without form; the film begins when islands have parted. */
const SETTLED_S = 12;

/** Cells that live, glow and fade; blur and a steep table make drops of light of them. */
function colony(durationS: number, rule: string, seed: number, ratio: number, colours: readonly string[]): Scene {
  return {
    durationS,
    stills: [],
    graph: (rate) =>
      [
        `life=s=96x54:r=6:rule=${rule}:ratio=${ratio}:seed=${seed}:mold=6:life_color=#ffffff:death_color=#5a5a5a:mold_color=#000000,trim=start=${SETTLED_S},setpts=PTS-STARTPTS,format=gray`,
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
