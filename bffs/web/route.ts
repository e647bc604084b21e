import { Ajv } from "ajv";
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { z } from "zod";
import { problem, requireProfile, requireUser } from "#kernel";
import type { Cookies } from "./cookies.ts";
import type { Signed, WebParts } from "./parts.ts";

export const API = "/api/web/v1";

/** What a handler works with. */
export interface Asked<P, Q, B> extends Signed {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly cookies: Cookies;
}

export interface Route<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  readonly method: HTTPMethods;
  /** Below the API's base, with `{name}` for parameters, as OpenAPI writes it. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  /** Who may ask: anybody, somebody signed in, or somebody with a profile chosen. */
  readonly auth: "none" | "user" | "profile";
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** The answer with its status; 204 has none. */
  readonly status: 200 | 201 | 204;
  readonly response?: R;
  handle(parts: WebParts, asked: Asked<z.output<P>, z.output<Q>, z.output<B>>): Promise<z.input<R> | undefined | void>;
}

/** Gives a route its types; routes of all shapes then stand in one list. */
export const route = <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  spec: Route<P, Q, B, R>,
): Route => spec;

export const Id = z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) });

const ajv = new Ajv({
  allErrors: true,
  coerceTypes: true,
  useDefaults: true,
  removeAdditional: true,
  strict: false,
  formats: { "date-time": true, uri: true },
});

/** A zod schema as a compiled ajv validator: zod's own parser would halve the throughput. */
function validator<T>(schema: z.ZodType | undefined, where: string): (value: unknown) => T {
  if (!schema) return () => ({}) as T;
  const validate = ajv.compile(z.toJSONSchema(schema, { io: "input", target: "draft-7" }));
  return (given) => {
    // Fastify made it for this request alone, so defaults and conversions may be written into it.
    const value: unknown = given ?? {};
    if (validate(value)) return value as T;
    const errors = (validate.errors ?? [])
      .slice(0, 20)
      .map((error) => ({ pointer: `/${where}${error.instancePath}`, detail: error.message ?? "is not valid" }));
    const first = errors[0];
    throw problem.invalid(`${first?.pointer ?? where} ${first?.detail ?? "is not valid"}`, {
      reason: "validation",
      details: { errors },
    });
  };
}

export function register(app: FastifyInstance, parts: WebParts, cookies: Cookies, routes: readonly Route[]): void {
  for (const spec of routes) {
    const params = validator<never>(spec.params, "path");
    const query = validator<never>(spec.query, "query");
    const body = validator<never>(spec.body, "body");
    const schema =
      spec.response && spec.status !== 204 ? { response: { [spec.status]: jsonSchemaOf(spec.response) } } : {};
    app.route({
      method: spec.method,
      url: API + spec.path.replace(/\{(\w+)\}/g, ":$1"),
      schema,
      handler: async (request, reply) => {
        assertSameSite(request, spec.method);
        const signed = await cookies.signed(request, reply);
        if (spec.auth === "user") requireUser(signed.context);
        if (spec.auth === "profile") requireProfile(signed.context);
        const asked = {
          ...signed,
          params: params(request.params),
          query: query(request.query),
          body: body(request.body),
          request,
          reply,
          cookies,
        };
        const answer = await spec.handle(parts, asked);
        if (reply.sent) return reply;
        reply.header("cache-control", "private, no-store");
        return spec.status === 204 ? reply.code(204).send() : reply.code(spec.status).send(answer);
      },
    });
  }
}

/** What a schema's output looks like, for Fastify's serializer and for the document. */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "output", target: "draft-7" }) as Record<
    string,
    unknown
  >;
  return rest;
}

/** A cookie goes with every request, also with those that other sites cause. Changes must come from our own script, or carry a bearer token. */
function assertSameSite(request: FastifyRequest, method: HTTPMethods): void {
  if (method === "GET" || request.headers.authorization) return;
  const site = request.headers["sec-fetch-site"];
  const isOurs = request.headers["x-marquee"] === "web" || site === "same-origin";
  if (!isOurs)
    throw problem.denied("this request did not come from our own page: send the header x-marquee", {
      reason: "cross_site",
    });
}
