/** Figures and times as operators read them. Pure. */

/** `0.8431`; a dash where there is none. */
export const figure = (value: number | undefined, digits = 4): string =>
  value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(digits);

/** `+0.0123`, `−0.0041`, with a real minus sign. */
export function difference(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return "–";
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value > 0 ? "+" : "−"}${text}`;
}

export const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

/** `p 0.004`, `p < 0.001`. */
export const pValue = (value: number): string => (value < 0.001 ? "p < 0.001" : `p ${Number(value.toPrecision(2))}`);

const MOMENT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
/** In the time zone of whoever looks. */
export const moment = (ms: number | string): string => (Number(ms) > 0 ? MOMENT.format(Number(ms)) : "–");
export const day = (ms: number | string): string => DAY.format(Number(ms));

/** `1:02.5`: minutes, seconds and tenths, as one types them. */
export function clockText(seconds: number): string {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  const [minutes, rest] = [Math.floor(tenths / 600), tenths % 600];
  const tail = `${String(Math.floor(rest / 10)).padStart(2, "0")}.${rest % 10}`;
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** What `clockText` writes, and seconds alone; undefined for what is no time. */
export function secondsOf(text: string): number | undefined {
  const parts = text.trim().split(":");
  if (
    parts.length > 3 ||
    !parts.every((part, at) => (at === parts.length - 1 ? /^\d+([.,]\d+)?$/ : /^\d+$/).test(part))
  )
    return undefined;
  return parts.reduce((sum, part) => sum * 60 + Number(part.replace(",", ".")), 0);
}

/** Texts of the inventory without their Markdown: links by their words, code by itself. */
export const plainText = (markdown: string): string =>
  markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");
