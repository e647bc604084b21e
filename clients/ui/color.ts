/** Colour arithmetic for a tenant's accent: what can be read on it, and whether it can be seen on our ground. */

/** Relative luminance, WCAG 2.2. */
export function luminance(hex: string): number {
  const channel = (offset: number) => {
    const value = Number.parseInt(hex.slice(offset, offset + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

/** Pure black: against any colour it or white reaches 4.5 to 1, which our softer ground would miss for middle greys. */
const INK_DARK = "#000000";
const INK_LIGHT = "#ffffff";

/** The ink for text on `color`: whichever of our two can be read better. */
export function inkOn(color: string): string {
  return contrast(color, INK_DARK) >= contrast(color, INK_LIGHT) ? INK_DARK : INK_LIGHT;
}

/**
 * `color` made light enough to reach `ratio` against `ground`, hue kept: a brand's dark blue must still be seen as a focus
 * ring on near-black. Returns the colour unchanged where it is light enough already.
 */
export function visibleOn(color: string, ground: string, ratio: number): string {
  const channels = [1, 3, 5].map((offset) => Number.parseInt(color.slice(offset, offset + 2), 16));
  for (let mixed = 0; mixed <= 20; mixed += 1) {
    const candidate = `#${channels
      .map((value) => Math.round(value + ((255 - value) * mixed) / 20))
      .map((value) => value.toString(16).padStart(2, "0"))
      .join("")}`;
    if (contrast(candidate, ground) >= ratio) return candidate;
  }
  return INK_LIGHT;
}
