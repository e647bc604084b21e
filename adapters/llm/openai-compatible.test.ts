import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { Problem } from "#kernel/errors";
import { openOpenAiLlm } from "./openai-compatible.ts";

interface Heard {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** A server that speaks as the API does, or as we say. */
async function engine(t: TestContext, answer: (response: ServerResponse) => void) {
  const heard: Heard[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      heard.push({ path: request.url, authorization: request.headers.authorization, body: JSON.parse(body) });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return { heard, llm: openOpenAiLlm({ url, model: "tiny", key: "hunter2" }) };
}

const says = (content: string) => (response: ServerResponse) =>
  response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content } }], usage: { total_tokens: 42 } }));
const question = { instructions: "Answer in JSON.", text: "something funny", tokensMax: 100 };
const patience = () => new AbortController().signal;

test("LLM contract: OpenAI-compatible: a question goes out as chat completions want it, and JSON comes back", async (t) => {
  const { heard, llm } = await engine(t, says('{"constraints":[]}'));
  assert.deepEqual(await llm.ask(question, patience()), { json: { constraints: [] }, tokens: 42 });
  assert.deepEqual(heard, [
    {
      path: "/v1/chat/completions",
      authorization: "Bearer hunter2",
      body: {
        model: "tiny",
        messages: [
          { role: "system", content: "Answer in JSON." },
          { role: "user", content: "something funny" },
        ],
        response_format: { type: "json_object" },
        temperature: 0,
        max_tokens: 100,
      },
    },
  ]);
});

test("LLM contract: OpenAI-compatible: an answer in a fence, or as a tool's arguments, is the same answer", async (t) => {
  const called = { role: "assistant", content: null, tool_calls: [{ function: { name: "a", arguments: '{"a":1}' } }] };
  for (const answer of [
    says('```json\n{"a":1}\n```'),
    (response: ServerResponse) => response.end(JSON.stringify({ choices: [{ message: called }] })),
  ]) {
    const { llm } = await engine(t, answer);
    assert.deepEqual((await llm.ask(question, patience())).json, { a: 1 });
  }
});

test("LLM contract: OpenAI-compatible: what cannot be used says what to do, without the key", async (t) => {
  const answers: readonly [string, RegExp, (response: ServerResponse) => void][] = [
    ["failed_precondition", /MARQUEE_LLM_TOKEN/, (response) => response.writeHead(401).end()],
    ["failed_precondition", /MARQUEE_LLM_MODEL/, (response) => response.writeHead(404).end()],
    ["resource_exhausted", /too much/, (response) => response.writeHead(429).end()],
    ["unavailable", /503/, (response) => response.writeHead(503).end()],
    ["unavailable", /302/, (response) => response.writeHead(302, { location: "/elsewhere" }).end()],
    ["unavailable", /not JSON/, says("Sure! Here is what I found")],
    ["unavailable", /not JSON/, (response) => response.end("<html>")],
    ["unavailable", /more than/, (response) => response.end("x".repeat(300_000))],
    ["unavailable", /MARQUEE_LLM_URL/, (response) => response.destroy()],
  ];
  for (const [code, words, answer] of answers) {
    const { llm } = await engine(t, answer);
    await assert.rejects(
      llm.ask(question, patience()),
      (error) =>
        error instanceof Problem && error.code === code && words.test(error.message) && !/hunter2/.test(error.message),
      String(words),
    );
  }
});

test("LLM contract: OpenAI-compatible: who asks decides how long it may take", async (t) => {
  const { llm } = await engine(t, () => undefined);
  const leaving = new AbortController();
  const asked = llm.ask(question, leaving.signal);
  leaving.abort();
  await assert.rejects(asked, { code: "unavailable" });
});
