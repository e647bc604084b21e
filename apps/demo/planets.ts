import { glow, sky, stars, svg, turbulence } from "./drawing.ts";
import { gradientMap, hold, type Scene } from "./scenes.ts";

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
