import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import sharp from "sharp";
import { Problem } from "#kernel/errors";
import { TEXTS_MAX } from "#kernel/ports/moderation";
import { openOpenAiModeration, type OpenAiModerationOptions } from "./openai-compatible.ts";
import { MODEL, resultOf, startModerationServer } from "./testing.ts";

const NAME = "Moderation contract: OpenAI-compatible";
const never = new AbortController().signal;

async function engine(t: TestContext, options: Partial<OpenAiModerationOptions> = {}) {
  const server = await startModerationServer();
  t.after(() => server.close());
  const moderation = openOpenAiModeration({
    ...{ url: server.url, model: MODEL, key: server.key, backoffMs: 1, timeoutMs: 400, waitMsMax: 2_000 },
    ...options,
  });
  return { server, moderation };
}
const pictureOf = (background: string): Promise<Buffer> =>
  sharp({ create: { width: 32, height: 18, channels: 3, background } })
    .jpeg()
    .toBuffer();
const status =
  (code: number, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end("{}");
const says = (value: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(value));
/** A result without some of its members, or with others. */
const changed = (change: (result: ReturnType<typeof resultOf>) => unknown, kind: "text" | "image" = "image") =>
  says({ results: [change(resultOf({ violence: 0.9 }, kind))] });

test(`${NAME}: a picture goes as the API wants it, one a request, and comes back judged`, async (t) => {
  const { server, moderation } = await engine(t);
  const red = await pictureOf("#d00000");
  assert.deepEqual(await moderation.picture(red, never), {
    violence: { isFlagged: true, score: 0.9 },
    graphic: { isFlagged: true, score: 0.6 },
    sexual: { isFlagged: false, score: 0.001 },
  });
  const { violence } = await moderation.picture(await pictureOf("#0000d0"), never);
  assert.deepEqual(violence, { isFlagged: false, score: 0.001 });
  const url = `data:image/jpeg;base64,${red.toString("base64")}`;
  assert.deepEqual(server.asked[0], {
    path: "/v1/moderations",
    authorization: "Bearer sesame",
    body: { model: MODEL, input: [{ type: "image_url", image_url: { url } }] },
  });
});

test(`${NAME}: texts are judged one by one, and threats are told from tales`, async (t) => {
  const { server, moderation } = await engine(t);
  const judged = await moderation.texts(["Good morning.", "I'll kill you!", "He bled for days."], never);
  assert.deepEqual(
    judged.map(({ violence, threat, hate }) => [violence.isFlagged, threat?.isFlagged, hate?.isFlagged]),
    [
      [false, false, false],
      [true, true, false],
      [true, false, false],
    ],
  );
  assert.equal(server.asked.length, 1);
  assert.deepEqual(await moderation.texts([], never), []);
  assert.equal(server.asked.length, 1, "nothing is asked about nothing");
  await assert.rejects(moderation.texts(new Array<string>(TEXTS_MAX + 1).fill("a"), never), /33 texts/);
});

test(`${NAME}: what is away for a moment is asked again, when it says`, async (t) => {
  const waits: number[] = [];
  const { server, moderation } = await engine(t, {
    waitMsMax: 10_000,
    wait: async (ms) => void waits.push(ms),
  });
  const red = await pictureOf("#d00000");
  const soon = new Date(Date.now() + 5_000).toUTCString();
  server.instead.push(status(500), status(429, { "retry-after": "0" }), status(503, { "retry-after": soon }));
  assert.ok((await moderation.picture(red, never)).violence.isFlagged);
  assert.equal(server.asked.length, 4);
  server.instead.push(status(429, { "retry-after": "9" }), status(429));
  await moderation.picture(red, never);
  const [first, second, date, told, untold] = waits.splice(0);
  assert.ok((first ?? 9) <= 1 && (second ?? 9) <= 2, "the backoff of this test, which doubles");
  assert.ok((date ?? 0) > 2_000 && (date ?? 9_999) <= 5_000, "a moment in time, which has whole seconds");
  assert.deepEqual([told, untold], [9_000, 5_000], "as it says, and a while where it says nothing");
  // A connection that breaks, silence, half of an answer, and what is no judgement.
  for (const instead of [
    (response: ServerResponse) => void response.destroy(),
    () => undefined,
    (response: ServerResponse) => void response.writeHead(200, { "content-length": "90" }).write("{"),
    says({ nothing: true }),
  ]) {
    server.instead.push(instead);
    assert.ok((await moderation.picture(red, never)).violence.isFlagged);
  }
});

test(`${NAME}: what cannot be used says what to do, without the key`, async (t) => {
  const { server, moderation } = await engine(t);
  const red = await pictureOf("#d00000");
  const cases: readonly (readonly [code: string, words: RegExp, asked: number, (response: ServerResponse) => void])[] =
    [
      ["failed_precondition", /MARQUEE_MODERATION_TOKEN/, 1, status(401)],
      ["failed_precondition", /MARQUEE_MODERATION_MODEL/, 1, status(404)],
      ["failed_precondition", /400.*MARQUEE_MODERATION_MODEL/, 1, status(400)],
      ["resource_exhausted", /too much/, 4, status(429, { "retry-after": "0" })],
      ["resource_exhausted", /too much/, 1, status(429, { "retry-after": "3" })],
      ["unavailable", /500/, 4, status(500)],
      ["unavailable", /MARQUEE_MODERATION_URL/, 4, (response) => void response.destroy()],
      ["unavailable", /no judgement/, 4, says({ results: [{ flagged: true }] })],
      ["unavailable", /no judgement/, 4, (response) => void response.end("<html>")],
      ["unavailable", /no judgement/, 4, changed((result) => ({ ...result, category_scores: { violence: 7 } }))],
      ["unavailable", /0 judgements where 1/, 4, says({ results: [] })],
      ["unavailable", /more than/, 4, (response) => void response.end("x".repeat(300_000))],
      // Models that read text alone, and such as judge something else.
      [
        "failed_precondition",
        /pictures for violence/,
        1,
        changed((result) => resultOf(result.category_scores, "text")),
      ],
      [
        "failed_precondition",
        /pictures for violence/,
        1,
        changed(({ category_applied_input_types: _, ...result }) => result),
      ],
      [
        "failed_precondition",
        /pictures for violence/,
        1,
        changed((result) => ({ ...result, categories: { sexual: false }, category_scores: { sexual: 0.1 } })),
      ],
    ];
  for (const [code, words, asked, always] of cases) {
    Object.assign(server, { always });
    const before = server.asked.length;
    await assert.rejects(
      moderation.picture(red, never),
      (error) =>
        error instanceof Problem && error.code === code && words.test(error.message) && !/sesame/.test(error.message),
      String(words),
    );
    assert.equal(server.asked.length - before, asked, String(words));
  }
});

test(`${NAME}: a wrong key and an unknown model are the operator's to mend`, async (t) => {
  const red = await pictureOf("#d00000");
  const { moderation: keyless } = await engine(t, { key: "" });
  await assert.rejects(keyless.picture(red, never), /MARQUEE_MODERATION_TOKEN/);
  const { moderation: modelless } = await engine(t, { model: "omni" });
  await assert.rejects(modelless.picture(red, never), /MARQUEE_MODERATION_MODEL/);
});

test(`${NAME}: some categories may be missing, and a model of words alone serves for words`, async (t) => {
  const { server, moderation } = await engine(t);
  const only = { violence: 0.8 };
  server.instead.push(
    changed((result) => ({ ...result, categories: { violence: true, hate: null }, category_scores: only })),
  );
  assert.deepEqual(await moderation.picture(await pictureOf("#d00000"), never), {
    violence: { isFlagged: true, score: 0.8 },
  });
  server.instead.push(
    changed(({ category_applied_input_types: _, ...result }) => ({ ...result, category_scores: only }), "text"),
  );
  assert.deepEqual(await moderation.texts(["a"], never), [{ violence: { isFlagged: true, score: 0.8 } }]);
});

test(`${NAME}: who asks decides how long it may take, also between two tries`, async (t) => {
  const { server, moderation } = await engine(t);
  const enough = new Problem("canceled", "enough");
  for (const always of [() => undefined, status(429, { "retry-after": "2" })]) {
    Object.assign(server, { always });
    const leaving = new AbortController();
    const before = server.asked.length;
    const asked = moderation.texts(["a"], leaving.signal);
    while (server.asked.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    leaving.abort(enough);
    await assert.rejects(asked, enough);
    assert.equal(server.asked.length, before + 1);
  }
});
