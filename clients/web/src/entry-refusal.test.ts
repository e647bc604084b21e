import assert from "node:assert/strict";
import { before, test } from "node:test";
import { openRefusals, type Refusal, type RefusalPage } from "./entry-refusal.ts";

let refusalOf: (refusal: Refusal) => RefusalPage;
before(async () => {
  refusalOf = await openRefusals();
});

const refusal: Refusal = {
  status: 503,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  retryPath: '/sign-in?interaction=a&returnTo="><script>',
  acceptLanguage: "en-GB",
};

test("a full house has a way to try again, a code, and nothing to load but the icon", () => {
  const { body, headers } = refusalOf(refusal);
  assert.match(body, /<h1>The house is full just now<\/h1>/);
  assert.match(body, /<code dir="ltr">0af7651916cd43dd8448eb211c80319c<\/code>/);
  assert.match(body, /<a href="\/sign-in\?interaction=a&amp;returnTo=&quot;&gt;&lt;script&gt;">Try again<\/a>/);
  assert.doesNotMatch(body, /<script|<img|url\(|@import|rel="stylesheet"/);
  assert.match(headers["content-security-policy"] ?? "", /^default-src 'none';/);
});

test("it is written in the language that the browser asks for, in its direction", () => {
  const page = refusalOf({ ...refusal, acceptLanguage: "fr, ar;q=0.9, de;q=0.8" });
  assert.match(page.body, /<html lang="ar" dir="rtl">/);
  assert.equal(page.headers["content-language"], "ar");
  assert.match(refusalOf({ ...refusal, acceptLanguage: "de-AT" }).body, /Das Haus ist gerade voll/);
  assert.match(refusalOf({ ...refusal, acceptLanguage: "xx" }).body, /<html lang="en" dir="ltr">/);
});

test("what fails for another reason says so; what is not there leads home", () => {
  assert.match(refusalOf({ ...refusal, status: 500 }).body, /Something went wrong/);
  assert.match(refusalOf({ ...refusal, status: 404 }).body, /<a href="\/">Back to home<\/a>/);
});
