/** The HTML around the page: what the browser needs before the first byte of script. Pure. */
import type { Image, Viewer } from "../../../contracts/web/index.ts";
import { contrast, inkOn, visibleOn } from "../../ui/color.ts";
import { directionOf, type Locale } from "../../ui/locale.ts";
import { type PageMeta, tabTitle } from "./meta.ts";

interface ManifestChunk {
  file: string;
  css?: string[];
  imports?: string[];
  dynamicImports?: string[];
  isEntry?: boolean;
}
export type ViteManifest = Readonly<Record<string, ManifestChunk>>;

const ENTRY = "src/entry-client.tsx";
export const GROUND = "#0b0a0c";

export interface DocumentParts {
  html: string;
  url: URL;
  nonce: string;
  assets: ViteManifest;
  locale: Locale;
  brand: Viewer["brand"] | null;
  chunks: readonly string[];
  meta: Partial<PageMeta>;
  tagline: string;
  isError: boolean;
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A chunk and all that it imports at once, each once. */
function filesOf(assets: ViteManifest, keys: readonly string[]): string[] {
  const seen = new Set<string>();
  const visit = (key: string) => {
    const chunk = assets[key];
    if (chunk === undefined || seen.has(key)) return;
    seen.add(key);
    for (const imported of chunk.imports ?? []) visit(imported);
  };
  for (const key of keys) visit(key);
  return [...seen].flatMap((key) => assets[key]?.file ?? []);
}

function styleFiles(assets: ViteManifest): string[] {
  return [
    ...new Set(
      Object.values(assets).flatMap(({ file, css }) => [...(css ?? []), ...(file.endsWith(".css") ? [file] : [])]),
    ),
  ];
}

/** The two faces in their Latin cut; other scripts load when a page has them. */
function fontFiles(assets: ViteManifest): string[] {
  return Object.values(assets)
    .map(({ file }) => file)
    .filter((file) => /(bricolage-grotesque-latin-opsz|instrument-sans-latin-wght)-normal[^/]*\.woff2$/.test(file));
}

/** A tenant's accent with what can be read on it and what of it can be seen on our ground (WCAG 2.2: 3 to 1). */
function accentStyle(accent: string): string {
  const line = contrast(accent, GROUND) >= 4.5 ? accent : visibleOn(accent, GROUND, 4.5);
  return `:root{--accent:${accent};--accent-ink:${inkOn(accent)};--accent-line:${line}}`;
}

function absolute(path: string, url: URL): string {
  return new URL(path, url.origin).href;
}

function shareTags(parts: DocumentParts, title: string, description: string): string[] {
  const { meta, url, brand } = parts;
  const canonical = url.origin + url.pathname;
  const image: Image["sources"][number] | undefined = meta.image?.sources.findLast(({ width }) => width <= 1_920);
  const property = (name: string, content: string) => `<meta property="og:${name}" content="${escapeHtml(content)}">`;
  return [
    `<link rel="canonical" href="${escapeHtml(canonical)}">`,
    property("site_name", brand?.name ?? "Marquee"),
    property("type", meta.type ?? "website"),
    property("title", title),
    property("description", description),
    property("url", canonical),
    property("locale", parts.locale),
    property("image", absolute(image?.url ?? "/icons/share.jpg", url)),
    property("image:alt", meta.image?.alt ?? title),
    `<meta name="twitter:card" content="summary_large_image">`,
  ];
}

export function documentOf(parts: DocumentParts): string {
  const { assets, nonce, locale, meta, brand } = parts;
  const title = tabTitle(meta.title, brand?.name ?? "Marquee");
  const description = (meta.description ?? parts.tagline).slice(0, 200);
  const entry = assets[ENTRY];
  const scripts = filesOf(assets, [ENTRY, ...parts.chunks, `../ui/messages/${locale}.ts`]);
  const accent = /^#[0-9a-f]{6}$/.test(brand?.accent ?? "") ? (brand?.accent ?? null) : null;
  const head = [
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">`,
    `<title>${escapeHtml(title)}</title>`,
    `<meta name="description" content="${escapeHtml(description)}">`,
    `<meta name="theme-color" content="${GROUND}">`,
    `<meta name="color-scheme" content="dark">`,
    `<meta name="referrer" content="same-origin">`,
    ...(parts.isError || meta.isPublic !== true ? [`<meta name="robots" content="noindex">`] : []),
    ...(parts.isError ? [] : shareTags(parts, title, description)),
    ...fontFiles(assets).map((file) => `<link rel="preload" as="font" type="font/woff2" href="/${file}" crossorigin>`),
    ...styleFiles(assets).map((file) => `<link rel="stylesheet" href="/${file}">`),
    ...(accent === null ? [] : [`<style nonce="${escapeHtml(nonce)}">${accentStyle(accent)}</style>`]),
    ...scripts.map((file) => `<link rel="modulepreload" href="/${file}">`),
    `<link rel="icon" href="/favicon.svg" type="image/svg+xml">`,
    `<link rel="icon" href="/favicon.ico" sizes="32x32">`,
    `<link rel="apple-touch-icon" href="/icons/icon-180.png">`,
    `<link rel="manifest" href="/manifest.webmanifest">`,
  ];
  const script =
    entry === undefined ? "" : `<script type="module" nonce="${escapeHtml(nonce)}" src="/${entry.file}"></script>`;
  return [
    "<!doctype html>",
    `<html lang="${locale}" dir="${directionOf(locale)}">`,
    `<head>${head.join("")}</head>`,
    `<body><div id="app">${parts.html}</div>${script}</body>`,
    "</html>",
  ].join("");
}
