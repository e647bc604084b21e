import assert from "node:assert/strict";
import { test } from "node:test";
import { type DocumentParts, documentOf } from "./document.ts";
import { tabTitle } from "./meta.ts";

const parts: DocumentParts = {
  html: "<main></main>",
  url: new URL("http://tv.example/title/a1?x=1"),
  nonce: 'n"1',
  assets: {
    "src/entry-client.tsx": {
      file: "assets/entry.js",
      css: ["assets/style.css"],
      imports: ["_shared.js"],
      isEntry: true,
    },
    "_shared.js": { file: "assets/shared.js" },
    "src/pages/title.tsx": { file: "assets/title.js", imports: ["_shared.js"] },
    "src/pages/watch.tsx": { file: "assets/watch.js" },
  },
  locale: "ar",
  brand: { name: "Roxy & Co", accent: "#1d2bd6" },
  chunks: ["src/pages/title.tsx"],
  meta: { title: 'A <b> "film"', description: "About it", isPublic: true },
  tagline: "Films",
  isError: false,
};

test("what people wrote never becomes markup", () => {
  const html = documentOf(parts);
  assert.match(html, /<title>A &lt;b&gt; &quot;film&quot; · Roxy &amp; Co<\/title>/);
  assert.match(html, /nonce="n&quot;1"/);
  assert.doesNotMatch(documentOf({ ...parts, brand: { name: "x", accent: "red}</style><script>" } }), /<style/);
});

test("a page loads its own chunk, each file once, and no other page's", () => {
  const html = documentOf(parts);
  for (const file of ["entry", "shared", "title"])
    assert.equal(html.split(`modulepreload" href="/assets/${file}.js"`).length, 2);
  assert.doesNotMatch(html, /watch\.js/);
  assert.match(html, /<html lang="ar" dir="rtl">/);
});

test("link previews are absolute, and private or broken pages stay out of search engines", () => {
  const html = documentOf(parts);
  assert.match(html, /<link rel="canonical" href="http:\/\/tv\.example\/title\/a1">/);
  assert.match(html, /og:image" content="http:\/\/tv\.example\/icons\/share\.jpg"/);
  assert.doesNotMatch(html, /noindex/);
  assert.match(documentOf({ ...parts, isError: true }), /noindex/);
  assert.match(documentOf({ ...parts, meta: { title: "Account" } }), /noindex/);
});

test("a tab says the page first and the brand once", () => {
  assert.equal(tabTitle("Search", "Marquee"), "Search · Marquee");
  assert.equal(tabTitle("", "Marquee"), "Marquee");
  assert.equal(tabTitle(undefined, "Marquee"), "Marquee");
});
