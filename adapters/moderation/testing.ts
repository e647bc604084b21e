import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import sharp from "sharp";

/** What OpenAI's model judges, and by which kinds of input. */
const CATEGORIES: Readonly<Record<string, readonly ("text" | "image")[]>> = {
  harassment: ["text"],
  "harassment/threatening": ["text"],
  hate: ["text"],
  "hate/threatening": ["text"],
  illicit: ["text"],
  "illicit/violent": ["text"],
  "self-harm": ["text", "image"],
  "self-harm/intent": ["text", "image"],
  "self-harm/instructions": ["text", "image"],
  sexual: ["text", "image"],
  "sexual/minors": ["text"],
  violence: ["text", "image"],
  "violence/graphic": ["text", "image"],
};
const KEY = "sesame";
export const MODEL = "omni-moderation-latest";

export interface Asked {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: { readonly model: string; readonly input: readonly unknown[] };
}

export interface ModerationServer {
  readonly url: string;
  readonly key: string;
  /** Every request so far, whatever became of it. */
  readonly asked: Asked[];
  /** Answers in place of the judge, each to one request; undefined: the judge answers. */
  readonly instead: (((response: ServerResponse) => void) | undefined)[];
  /** While it is set, it answers all that `instead` does not. */
  always: ((response: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

/**
 * A server that answers as OpenAI's moderations do: one picture a request, texts one by one, 401 without the key. It takes red pictures for violence, and knows a
 * few words.
 */
export async function startModerationServer(): Promise<ModerationServer> {
  const asked: Asked[] = [];
  const instead: (((response: ServerResponse) => void) | undefined)[] = [];
  const server = createServer((request, response) => void answer(request, response));
  const self: ModerationServer = {
    url: "",
    key: KEY,
    asked,
    instead,
    always: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await text(request)) as Asked["body"];
    asked.push({ path: request.url, authorization: request.headers.authorization, body });
    const other = instead.length > 0 ? instead.shift() : self.always;
    if (other) return other(response);
    if (request.headers.authorization !== `Bearer ${KEY}`) return say(response, 401, fault("invalid_api_key"));
    if (body.model !== MODEL) return say(response, 404, fault("model_not_found"));
    const pictures = body.input.filter((part) => typeof part === "object");
    if (pictures.length > 1) return say(response, 400, fault("too_many_images"));
    const results = pictures[0]
      ? [resultOf(await scoresOfPicture(pictures[0] as Picture), "image")]
      : body.input.map((words) => resultOf(scoresOfText(String(words)), "text"));
    return say(response, 200, { id: "modr-1", model: MODEL, results });
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(self, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
}

interface Picture {
  readonly image_url: { readonly url: string };
}
const fault = (code: string) => ({ error: { message: "no", type: "invalid_request_error", param: "input", code } });

function say(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** A result of the API's form, with scores for what is not named. */
export function resultOf(scores: Readonly<Record<string, number>>, kind: "text" | "image") {
  const named = Object.entries(CATEGORIES).map(
    ([name, kinds]) => [name, kinds.includes(kind) ? (scores[name] ?? 0.001) : 0] as const,
  );
  const categories = Object.fromEntries(named.map(([name, score]) => [name, score >= 0.5]));
  return {
    flagged: Object.values(categories).some(Boolean),
    categories,
    category_scores: Object.fromEntries(named),
    category_applied_input_types: Object.fromEntries(
      Object.entries(CATEGORIES).map(([name, kinds]) => [name, kinds.includes(kind) ? [kind] : []]),
    ),
  };
}

async function scoresOfPicture({ image_url: { url } }: Picture): Promise<Record<string, number>> {
  const jpeg = Buffer.from(url.replace(/^data:image\/jpeg;base64,/, ""), "base64");
  const [red, green, blue] = (await sharp(jpeg).stats()).channels.map(({ mean }) => mean);
  return (red ?? 0) > 150 && (green ?? 0) + (blue ?? 0) < 100 ? { violence: 0.9, "violence/graphic": 0.6 } : {};
}

function scoresOfText(words: string): Record<string, number> {
  if (/kill you/i.test(words)) return { violence: 0.7, harassment: 0.6, "harassment/threatening": 0.8 };
  return /bled/i.test(words) ? { violence: 0.6 } : {};
}
