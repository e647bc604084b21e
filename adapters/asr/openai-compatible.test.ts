import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { Problem } from "#kernel/errors";
import { asrContract } from "./contract.ts";
import { openOpenAiAsr } from "./openai-compatible.ts";

async function serverOf(t: TestContext, handle: RequestListener): Promise<string> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}
const json =
  (value: unknown): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
const sound = { samples: new Float32Array(16_000).fill(0.25), language: "en" };
const never = new AbortController().signal;

test("a piece of sound goes as a wave file, and what was said comes with its times and how sure it is", async (t) => {
  let asked: IncomingMessage | undefined;
  let body = Buffer.alloc(0);
  const url = await serverOf(t, async (request, response) => {
    asked = request;
    body = await buffer(request);
    json({
      text: "Hello there.",
      language: "en",
      segments: [
        { start: 0.1, end: 0.6, text: " Hello there.", avg_logprob: -0.1 },
        { start: 0.7, end: 9, text: " " },
        { start: 0.8, end: 9, text: "Bye." },
      ],
    })(request, response);
  });
  const asr = openOpenAiAsr({ url, model: "whisper-1", key: "secret" });
  const { language, segments } = await asr.transcribe(sound, never);
  assert.deepEqual([asked?.url, asked?.headers.authorization], ["/v1/audio/transcriptions", "Bearer secret"]);
  const wave = body.indexOf("RIFF");
  assert.deepEqual([body.readUInt32LE(wave + 24), body.readInt16LE(wave + 44)], [16_000, Math.round(0.25 * 32_767)]);
  assert.match(body.toString("latin1"), /name="language"\r\n\r\nen/);
  assert.equal(language, "en");
  assert.deepEqual(segments, [
    { startS: 0.1, endS: 0.6, text: "Hello there.", confidence: Math.exp(-0.1) },
    { startS: 0.8, endS: 1, text: "Bye.", confidence: 0.5 },
  ]);
});

test("what a server does wrong is said with its remedy", async (t) => {
  const cases: readonly (readonly [string, RegExp, RequestListener])[] = [
    ["failed_precondition", /MARQUEE_ASR_TOKEN/, (_, response) => response.writeHead(401).end()],
    ["failed_precondition", /MARQUEE_ASR_MODEL/, (_, response) => response.writeHead(404).end()],
    ["resource_exhausted", /too much/, (_, response) => response.writeHead(429).end()],
    ["unavailable", /500/, (_, response) => response.writeHead(500).end()],
    ["unavailable", /no transcription/, json({ words: [] })],
    ["unavailable", /MARQUEE_ASR_URL/, (_, response) => response.destroy()],
  ];
  for (const [code, message, handle] of cases) {
    const asr = openOpenAiAsr({ url: await serverOf(t, handle), model: "m" });
    await assert.rejects(asr.transcribe(sound, never), (error: unknown) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  }
});

asrContract("openai-compatible", async () => {
  const server = createServer(
    json({ text: "Hello there.", segments: [{ start: 0.1, end: 1.2, text: " Hello there.", avg_logprob: -0.2 }] }),
  ).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return {
    asr: openOpenAiAsr({ url, model: "whisper-1" }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
});
