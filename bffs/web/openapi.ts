import { z } from "zod";
import { ProblemDocument } from "#contracts/web";
import { API, jsonSchemaOf, type Route } from "./route.ts";
import { webRoutes } from "./routes.ts";

/** The OpenAPI 3.1 document of the web API, generated from its routes; the check compares the committed one with it. */
export function openApiDocument(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const spec of webRoutes) {
    const path = (paths[spec.path] ??= {});
    path[String(spec.method).toLowerCase()] = operationOf(spec);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Marquee web API",
      version: "1.0.0",
      description:
        "What browsers ask of Marquee. Sign in with OAuth 2.0 (authorization code with PKCE) and send the access token, or let the web client's cookie do it. Errors are problem documents (RFC 9457).",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: API }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "An access token; in development: ./marquee token EMAIL --profile NAME",
        },
      },
      schemas: { Problem: jsonSchemaOf(ProblemDocument) },
    },
  };
}

function operationOf(spec: Route): Record<string, unknown> {
  const problems = {
    description: "A problem document",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
  return {
    operationId: spec.operationId,
    summary: spec.summary,
    tags: [spec.tag],
    ...(spec.auth === "none" ? { security: [] } : {}),
    parameters: [...parametersOf(spec.params, "path"), ...parametersOf(spec.query, "query"), ...idempotencyOf(spec)],
    ...(spec.body
      ? { requestBody: { required: true, content: { "application/json": { schema: inputSchemaOf(spec.body) } } } }
      : {}),
    responses: {
      [spec.status]:
        spec.response && spec.status !== 204
          ? { description: spec.summary, content: { "application/json": { schema: jsonSchemaOf(spec.response) } } }
          : { description: "Done" },
      default: problems,
    },
  };
}

function inputSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" }) as Record<string, unknown>;
  return rest;
}

function parametersOf(schema: z.ZodType | undefined, where: "path" | "query"): Record<string, unknown>[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = inputSchemaOf(schema) as {
    properties?: Record<string, unknown>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === "path" || required.includes(name),
    schema: property,
  }));
}

function idempotencyOf(spec: Route): Record<string, unknown>[] {
  if (spec.operationId !== "startPlayback") return [];
  return [
    {
      name: "Idempotency-Key",
      in: "header",
      required: false,
      schema: { type: "string", maxLength: 160 },
      description: "A repetition with the same key gets the first answer.",
    },
  ];
}
