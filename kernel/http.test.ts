import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openGate } from "./admission.ts";
import { problem } from "./errors.ts";
import { listenHttp, prefersHtml, retryPathOf } from "./http.ts";
import { openMetrics } from "./metrics.ts";
import { openLogger } from "./telemetry.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

test("a browser prefers HTML, a program does not unless it says so", () => {
  for (const accept of [BROWSER, "text/html", "text/html,application/json", "TEXT/HTML;q=0.5, application/json;q=0.4"])
    assert.ok(prefersHtml(accept), accept);
  for (const accept of [
    undefined,
    "",
    "*/*",
    "text/*",
    "application/json",
    "application/json, text/html;q=0.9",
    "text/html;q=0",
  ])
    assert.ok(!prefersHtml(accept), accept);
  fc.assert(fc.property(fc.string(), (accept) => typeof prefersHtml(accept) === "boolean"));
});

test("trying again leads to the same page, to the page of the form, and never elsewhere", () => {
  const host = "tv.example";
  const of = (method: string, url: string, referer?: string) =>
    retryPathOf({ method, url, headers: { host, ...(referer === undefined ? {} : { referer }) } });
  assert.equal(of("GET", "/sign-in?returnTo=%2F"), "/sign-in?returnTo=%2F");
  for (const url of ["//evil.test/", "/\\evil.test/", "http://evil.test/", "*"]) assert.equal(of("GET", url), "/");
  assert.equal(of("POST", "/sign-in", "http://tv.example/sign-in?interaction=x"), "/sign-in?interaction=x");
  for (const referer of [undefined, "none", "http://evil.test/sign-in", "http://tv.example//evil.test/"])
    assert.equal(of("POST", "/sign-in", referer), "/");
});

/** A listener at whose gate nobody gets in. */
async function closedHouse() {
  const logger = openLogger({ level: "error", file: undefined })("test");
  return listenHttp({
    ...{ name: "test", host: "127.0.0.1", port: 0, logger, metrics: openMetrics() },
    mounts: [
      {
        prefix: "/broken",
        handle: async () => {
          throw problem.notFound("there is no such thing");
        },
      },
    ],
    fallback: (_, response) => response.end("inside"),
    gates: [
      openGate({
        placeOf: ({ url = "" }) => (url.startsWith("/sign-in") ? "begins" : null),
        lines: [{ place: "begins", atOnceMax: 1, waitingMax: 0, waitMsMax: 1_000 }],
        turnMsMax: 60_000,
      }),
    ],
    page: ({ status, retryPath, acceptLanguage }) => ({
      headers: { "content-type": "text/html; charset=utf-8" },
      body: `${status} ${retryPath} ${acceptLanguage}`,
    }),
  });
}

test("who is refused reads a page in a browser and a problem document elsewhere; both say when to come back", async () => {
  const listener = await closedHouse();
  const ask = (path: string, accept: string) =>
    fetch(`http://127.0.0.1:${listener.port}${path}`, { headers: { accept, "accept-language": "de" } });
  try {
    const page = await ask("/sign-in?x=1", BROWSER);
    assert.equal(page.status, 503);
    assert.equal(page.headers.get("retry-after"), "3");
    assert.equal(page.headers.get("cache-control"), "no-store");
    assert.equal(await page.text(), "503 /sign-in?x=1 de");
    const document = await ask("/sign-in?x=1", "*/*");
    assert.equal(document.status, 503);
    assert.equal(document.headers.get("retry-after"), "3");
    assert.equal(document.headers.get("content-type"), "application/problem+json");
    const body = (await document.json()) as Record<string, unknown>;
    assert.equal(body["type"], "/problems/busy");
    assert.equal(await (await ask("/broken/thing", BROWSER)).text(), "404 /broken/thing de");
    assert.equal(
      (await ask("/broken/thing", "application/json")).headers.get("content-type"),
      "application/problem+json",
    );
    assert.equal(await (await ask("/", BROWSER)).text(), "inside");
  } finally {
    await listener.stop();
  }
});
