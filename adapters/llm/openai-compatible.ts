import { z } from "zod";
import { problem } from "#kernel/errors";
import type { Llm } from "#kernel/ports/llm";
import { jsonIn, openOpenAiApi } from "../shared/openai-api.ts";

export interface OpenAiOptions {
  /** Up to and including the version: `https://llm.example.org/v1`. */
  readonly url: string;
  readonly model: string;
  readonly key?: string;
}

const TIMEOUT_MS = 20_000;
const BYTES_MAX = 256 * 1024;
const FENCE = /^\s*```(?:json)?\s*\n([^]*?)\n?```\s*$/;

const Completion = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          tool_calls: z.array(z.object({ function: z.object({ arguments: z.string() }) })).nullish(),
        }),
      }),
    )
    .min(1),
  usage: z.object({ total_tokens: z.number() }).optional(),
});

/** A language model behind the chat completions of OpenAI's API, as vLLM, llama.cpp, Ollama and gateways to others have them, too. */
export function openOpenAiLlm({ url, model, key }: OpenAiOptions): Llm {
  const at = `the language model at ${new URL(url).host}`;
  const api = openOpenAiApi({ url, key, at, variables: "MARQUEE_LLM", timeoutMs: TIMEOUT_MS, bytesMax: BYTES_MAX });
  return {
    model,
    async ask({ instructions, text, tokensMax }, signal) {
      const request = {
        model,
        messages: [
          { role: "system", content: instructions },
          { role: "user", content: text },
        ],
        response_format: { type: "json_object" },
        temperature: 0,
        max_tokens: tokensMax,
      };
      const completion = Completion.safeParse(await api.post("/chat/completions", JSON.stringify(request), signal));
      const message = completion.data?.choices[0]?.message;
      // Servers that know no JSON mode answer by a tool's arguments, or within a fence.
      const content = message?.content || message?.tool_calls?.[0]?.function.arguments;
      const json = content ? jsonIn(FENCE.exec(content)?.[1] ?? content) : undefined;
      if (json === undefined) throw problem.unavailable(`${at} answers with something that is not JSON`);
      return { json, tokens: completion.data?.usage?.total_tokens ?? 0 };
    },
  };
}
