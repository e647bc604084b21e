/**
 * What a browser shows when no page can be made for it: the house is full, or something failed before the pages' own code. It
 * needs nothing else of the site, neither script nor style nor face, and costs next to nothing to make. Pure after loading.
 */
import { directionOf, LOCALES, type Locale, loadMessages, pickLocale } from "../../ui/locale.ts";
import type { Messages } from "../../ui/messages/en.ts";
import { escapeHtml, GROUND } from "./document.ts";

export interface Refusal {
  readonly status: number;
  readonly traceId: string;
  /** Where trying again leads: a path of our own. */
  readonly retryPath: string;
  readonly acceptLanguage: string;
}

export interface RefusalPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  vary: "accept, accept-language",
};

/** Too many at once, or not there for now: both pass by themselves. */
const PASSING: ReadonlySet<number> = new Set([429, 503]);

/** The tokens of theme.css that it needs, and the same faces where a system has them. */
const STYLE = `
*{box-sizing:border-box;margin:0}
html{background:${GROUND};color:#f6f1ea;color-scheme:dark;-webkit-text-size-adjust:100%;-webkit-font-smoothing:antialiased;
font-family:"Instrument Sans Variable","Noto Sans Arabic","Segoe UI",system-ui,sans-serif}
main{display:flex;flex-direction:column;align-items:flex-start;justify-content:center;gap:1.25rem;min-height:100dvh;
max-width:56rem;margin-inline:auto;padding:4rem clamp(1rem,4vw,4.5rem)}
svg{width:2.5rem;height:2.5rem;margin-block-end:.75rem}
h1{font:680 clamp(2.5rem,7vw,4rem)/1.02 "Bricolage Grotesque Variable","Noto Sans Arabic","Segoe UI",system-ui,sans-serif;
letter-spacing:-.025em;text-wrap:balance}
[dir=rtl] h1{letter-spacing:0;line-height:1.25}
p{max-width:65ch;color:#c4bcb4;font-size:clamp(1rem,2vw,1.25rem);line-height:1.5;text-wrap:pretty}
a{display:inline-flex;align-items:center;min-height:3rem;margin-block:.5rem;padding-inline:1.5rem;border-radius:999px;
background:#f2b04c;color:${GROUND};font-weight:600;text-decoration:none}
a:hover{background:#f5be6c}
a:focus-visible{outline:2px solid #f2b04c;outline-offset:3px}
small{color:#c4bcb4;font-size:.875rem;line-height:1.5}
code{color:#f6f1ea;font-size:.875rem;overflow-wrap:anywhere;user-select:all}
`.replaceAll("\n", "");

/** The row of bulbs alone: whose sign it hangs under is not known here. */
const BULBS = [
  ...[0, 1, 2, 3].flatMap((row) => [3.5, 20.5].map((x) => [x, 3.5 + row * 5.6] as const)),
  ...([
    [7.8, 7.2],
    [16.2, 7.2],
    [12, 11.6],
  ] as const),
];
const SIGN = `<svg viewBox="0 0 24 24" aria-hidden="true" fill="#f2b04c">${BULBS.map(
  ([x, y]) => `<circle cx="${x}" cy="${y}" r="1.9"/>`,
).join("")}</svg>`;

function wordsFor(status: number, m: Messages): { title: string; text: string; action: string } {
  if (PASSING.has(status)) return { title: m.busyTitle, text: m.busyText, action: m.tryAgain };
  if (status === 404) return { title: m.notFoundTitle, text: m.notFoundText, action: m.goHome };
  return { title: m.errorTitle, text: m.errorText, action: m.tryAgain };
}

function pageOf({ status, traceId, retryPath }: Refusal, locale: Locale, m: Messages): RefusalPage {
  const { title, text, action } = wordsFor(status, m);
  const body = [
    "<!doctype html>",
    `<html lang="${locale}" dir="${directionOf(locale)}"><head><meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">`,
    `<title>${escapeHtml(title)}</title><meta name="robots" content="noindex"><meta name="theme-color" content="${GROUND}">`,
    `<link rel="icon" href="/favicon.svg" type="image/svg+xml"><style>${STYLE}</style></head>`,
    `<body><main>${SIGN}<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>`,
    `<a href="${escapeHtml(status === 404 ? "/" : retryPath)}">${escapeHtml(action)}</a>`,
    `<small>${escapeHtml(m.traceId)} <code dir="ltr">${escapeHtml(traceId)}</code></small></main></body></html>`,
  ].join("");
  return { headers: { ...HEADERS, "content-language": locale }, body };
}

/** Loads the words of every language once, so that a crowd costs no loading. */
export async function openRefusals(): Promise<(refusal: Refusal) => RefusalPage> {
  const loaded = await Promise.all(LOCALES.map(async (locale) => [locale, await loadMessages(locale)] as const));
  const messages = Object.fromEntries(loaded) as Readonly<Record<Locale, Messages>>;
  return (refusal) => {
    const locale = pickLocale(null, refusal.acceptLanguage);
    return pageOf(refusal, locale, messages[locale]);
  };
}
