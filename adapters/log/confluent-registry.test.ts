import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { z } from "zod";
import { Problem } from "#kernel/errors";
import type { SchemaRegistry } from "#kernel/ports/log";
import { openConfluentRegistry } from "./confluent-registry.ts";
import { schemaRegistryContract } from "./contract.ts";
import { openEmbeddedRegistry } from "./registry.ts";

const root = await mkdtemp(join(tmpdir(), "marquee-confluent-"));
const closes: (() => void)[] = [];
after(async () => {
  for (const close of closes) close();
  await rm(root, { recursive: true, force: true });
});

type Answer = readonly [status: number, body: unknown];
type Serve = (method: string, path: string, body: string, request: IncomingMessage) => Promise<Answer> | Answer;

/** A server of this process; its answers are JSON, as a registry's are. */
async function serve(answer: Serve): Promise<string> {
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const [status, value] = await answer(request.method ?? "", request.url ?? "", body, request);
    response.writeHead(status, { "content-type": "application/vnd.schemaregistry.v1+json" });
    response.end(typeof value === "string" ? value : JSON.stringify(value));
  }
  const server = createServer((request, response) => void handle(request, response));
  closes.push(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const Posted = z.object({ schema: z.string() });

/** Our embedded registry behind the REST API of Confluent's, with its statuses and error codes. No level is set, so the client must set one. */
function confluentApi(registry: SchemaRegistry): Serve {
  const known = new Map<string, Map<string, number>>();
  const levels = new Map<string, string>();
  return async (method, path, body) => {
    const [, subject = ""] = /^\/(?:subjects|config)\/([^/?]+)/.exec(path) ?? [];
    if (path.startsWith("/schemas/ids/")) {
      return registry.byId(Number(path.split("/").at(-1))).then(
        (schema): Answer => [200, { schema }],
        (): Answer => [404, { error_code: 40_403, message: "Schema not found" }],
      );
    }
    if (path === "/config") return [200, { compatibilityLevel: "NONE" }];
    if (path.startsWith("/config/") && method === "GET")
      return [200, { compatibilityLevel: levels.get(subject) ?? "NONE" }];
    if (path.startsWith("/config/")) {
      levels.set(subject, (JSON.parse(body) as { compatibility: string }).compatibility);
      return [200, { compatibility: levels.get(subject) }];
    }
    const { schema } = Posted.parse(JSON.parse(body));
    const canonical = JSON.stringify(JSON.parse(schema));
    if (!path.endsWith("/versions")) {
      const versions = known.get(subject);
      if (versions === undefined) return [404, { error_code: 40_401, message: "Subject not found" }];
      const id = versions.get(canonical);
      return id === undefined
        ? [404, { error_code: 40_403, message: "Schema not found" }]
        : [200, { id, subject, schema }];
    }
    assert.equal(levels.get(subject), "BACKWARD");
    try {
      const id = await registry.register(subject, schema);
      known.set(subject, (known.get(subject) ?? new Map<string, number>()).set(canonical, id));
      return [200, { id }];
    } catch (error) {
      const code = error instanceof Problem ? error.code : "";
      return code === "failed_precondition"
        ? [409, { error_code: 409, message: "Schema being registered is incompatible with an earlier schema" }]
        : [422, { error_code: 42_201, message: "Invalid schema" }];
    }
  };
}

schemaRegistryContract("Confluent's API", async () => {
  const embedded = await openEmbeddedRegistry({ folder: join(root, "contract") });
  closes.push(() => void embedded.close());
  return openConfluentRegistry({ url: await serve(confluentApi(embedded)) });
});

const SCHEMA = '{"type":"record","name":"A","fields":[]}';

test("a subject that is registered already needs no right to change anything", async () => {
  const asked: string[] = [];
  const url = await serve((method, path) => {
    asked.push(`${method} ${path}`);
    return [200, { id: 7 }];
  });
  const registry = await openConfluentRegistry({ url });
  assert.equal(await registry.register("t-A", SCHEMA), 7);
  assert.deepEqual(asked, ["POST /subjects/t-A"]);
  await registry.close();
});

test("a login in the address is sent as such, and said nowhere", async () => {
  const logins: (string | undefined)[] = [];
  const url = await serve((_method, _path, _body, request) => {
    logins.push(request.headers.authorization);
    return [401, { error_code: 401, message: "no" }];
  });
  const registry = await openConfluentRegistry({ url: url.replace("//", "//user:hunter%402@") });
  await assert.rejects(
    registry.byId(1),
    (error) => error instanceof Problem && error.code === "permission_denied" && !error.message.includes("hunter"),
  );
  assert.deepEqual(logins, [`Basic ${Buffer.from("user:hunter@2").toString("base64")}`]);
  assert.ok(!(await registry.state()).detail.includes("hunter"));
  await registry.close();
});

test("a registry that is away for a moment is asked again, one that stays away is said to be", async () => {
  let asked = 0;
  const url = await serve(() => (++asked < 3 ? [503, {}] : [200, { schema: SCHEMA }]));
  const registry = await openConfluentRegistry({ url });
  assert.equal(await registry.byId(1), SCHEMA);
  assert.equal(await registry.byId(1), SCHEMA);
  assert.equal(asked, 3, "what was read once is known");
  await registry.close();
  await assert.rejects(registry.byId(1), { code: "unavailable" });

  const nobody = await openConfluentRegistry({ url: "http://127.0.0.1:1" });
  await assert.rejects(nobody.byId(1), { code: "unavailable" });
  assert.equal((await nobody.state()).ok, false);
  await nobody.close();
});

test("an answer that is no registry's is refused, as is one without end", async () => {
  for (const body of ["<html>hello</html>", "[]", '{"id":"seven"}', "x".repeat(3 * 1024 * 1024)]) {
    const registry = await openConfluentRegistry({ url: await serve(() => [200, body]) });
    await assert.rejects(registry.register("t-A", SCHEMA), { code: "unavailable" });
    await registry.close();
  }
});
