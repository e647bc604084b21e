import { z } from "zod";
import { problem } from "#kernel/errors";
import type { Llm } from "#kernel/ports/llm";

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
      const response = await fetch(`${url.replace(/\/$/, "")}/chat/completions`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(key ? { authorization: `Bearer ${key}` } : {}),
        },
        body: JSON.stringify(request),
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      }).catch((error: unknown) => {
        throw problem.unavailable(`${at} cannot be reached: see whether it runs, and MARQUEE_LLM_URL`, {
          cause: error,
        });
      });
      if (!response.ok) throw faultOf(response.status, at);
      const said = await textOf(response, at);
      const completion = Completion.safeParse(parsed(said));
      const message = completion.data?.choices[0]?.message;
      // Servers that know no JSON mode answer by a tool's arguments, or within a fence.
      const content = message?.content || message?.tool_calls?.[0]?.function.arguments;
      const json = content ? parsed(FENCE.exec(content)?.[1] ?? content) : undefined;
      if (json === undefined) throw problem.unavailable(`${at} answers with something that is not JSON`);
      return { json, tokens: completion.data?.usage?.total_tokens ?? 0 };
    },
  };
}

async function textOf(response: Response, at: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BYTES_MAX) throw problem.unavailable(`${at} answers with more than ${BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function faultOf(status: number, at: string) {
  if (status === 401 || status === 403)
    return problem.precondition(`${at} refuses us (${status}): set MARQUEE_LLM_TOKEN`);
  if (status === 404) return problem.precondition(`${at} does not know this model: see MARQUEE_LLM_MODEL`);
  if (status === 429) return problem.exhausted(`${at} has too much to do`, { retryAfterS: 5 });
  return problem.unavailable(`${at} answers ${status}`);
}
