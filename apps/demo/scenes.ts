/** A moving picture in the making: stills to draw, and the filter graph that moves them. */
export interface Scene {
  readonly durationS: number;
  /** SVG documents; each is drawn once and becomes one input of the graph, in this order. */
  readonly stills: readonly string[];
  /** A filter graph that reads [0:v], [1:v] … and ends in [picture], 1280x720 at the film's rate. */
  readonly graph: (rate: number) => string;
}

export interface Layer {
  readonly still: string;
  /** Where the layer's top stands in the frame. */
  readonly top: number;
  readonly height: number;
  /** Whole pixels a frame keep the movement free of judder; negative moves to the right. */
  readonly speed: number;
  /** The profile repeats after so many pixels; the still is this much wider than the frame. */
  readonly period: number;
  /** A slow swell up and down, in pixels and seconds. */
  readonly swell?: number;
  readonly swellS?: number;
}

/** A still becomes an endless stream without being decoded again for every frame. */
export const hold = (input: number, format: string, rate: number): string =>
  `[${input}:v]format=${format},loop=loop=-1:size=1:start=0,setpts=N/(${rate}*TB),fps=${rate}`;

/** Layers that pass at different speeds before a sky. */
export function parallax(durationS: number, background: string, layers: readonly Layer[], grade = ""): Scene {
  return {
    durationS,
    stills: [background, ...layers.map((layer) => layer.still)],
    graph: (rate) => {
      const parts = [`${hold(0, "yuv420p", rate)}[b0]`];
      for (const [index, layer] of layers.entries()) {
        const swell = layer.swell ?? 0;
        const y = swell > 0 ? `${swell}+${swell}*sin(2*PI*t/${layer.swellS ?? 9}+${index})` : "0";
        const way = `mod(n*${Math.abs(layer.speed)}\\,${layer.period})`;
        const x = layer.speed < 0 ? `${layer.period}-${way}` : way;
        parts.push(
          `${hold(index + 1, "yuva420p", rate)},crop=w=1280:h=${layer.height}:x='${x}':y='${y}':exact=1[l${index}]`,
          `[b${index}][l${index}]overlay=x=0:y=${layer.top}:eval=init[b${index + 1}]`,
        );
      }
      parts.push(`[b${layers.length}]${grade || "null"}[picture]`);
      return parts.join(";");
    },
  };
}

/** Colours from dark to light, spread evenly, as a table look-up for each channel; the picture must be gray in RGB. */
export function gradientMap(colours: readonly string[], fold = "val"): string {
  const channel = (offset: number): string => {
    const values = colours.map((colour) => Number.parseInt(colour.slice(offset, offset + 2), 16));
    const steps = values.length - 1;
    // Each segment adds its share: a sum of clipped ramps is a piecewise linear curve.
    const ramps = values.slice(1).map((value, index) => {
      const rise = value - (values[index] ?? 0);
      return `${rise}*clip(ld(0)*${steps}-${index}\\,0\\,1)`;
    });
    return `'st(0\\,(${fold})/255)*0+${values[0]}+${ramps.join("+")}'`;
  };
  return `format=gbrp,lutrgb=r=${channel(1)}:g=${channel(3)}:b=${channel(5)}`;
}
