import assert from "node:assert/strict";
import { test } from "node:test";
import { openMetrics } from "#kernel/metrics";
import { openGates, placeOf } from "./gates.ts";

test("playback goes before browsing, and browsing before what nobody waits for; health and open streams stand in no line", () => {
  const places = {
    "/api/web/v1/playback/sessions": "playback",
    "/api/web/v1/playback/sessions/abc/heartbeats": "playback",
    "/api/tv/v2/playback/sessions": "playback",
    "/license/clearkey/abc?CAT=x": "playback",
    "/api/web/v1/home": "browsing",
    "/api/web/v1/titles/playback": "browsing",
    "/": "browsing",
    "/title/abc?from=/license/": "browsing",
    "/docs": "background",
    "/docsy": "browsing",
    "/api/web/v1/openapi.json": "background",
    "/api/web/v1/events": null,
    "/healthz": null,
    "/readyz?verbose": null,
  };
  for (const [url, place] of Object.entries(places)) assert.equal(placeOf({ url }), place, url);
});

test("every request stands in one line at most, and signing in has lines of its own", () => {
  const gates = openGates(openMetrics(), () => 0);
  const placesOf = (method: string, url: string) =>
    gates.map((gate) => gate.placeOf({ method, url })).find((place) => place !== null);
  assert.equal(placesOf("GET", "/sign-in"), "sign-in begins");
  assert.equal(placesOf("POST", "/sign-in"), "sign-in goes on");
  assert.equal(placesOf("GET", "/sign-in?interaction=abc"), "sign-in goes on");
  assert.equal(placesOf("GET", "/home"), "browsing");
  assert.equal(placesOf("GET", "/healthz"), undefined);
});
