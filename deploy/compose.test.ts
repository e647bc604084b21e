/**
 * compose.yaml as far as it can be proven without containers: it is what docs/engines.md says, each process is given all that it asks for,
 * and each path of the front leads to a port where somebody listens.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { z } from "zod";
import { Config, readConfig } from "#kernel/config";
import { cellOf, missingFor } from "../apps/cell.ts";
import { services } from "../apps/services.ts";
import type { EnginePlace } from "../engines/engine.ts";
import { engines } from "../engines/index.ts";
import { REPOSITORY } from "../scripts/files.ts";

const PASSWORD = "chosen";
const Container = z.object({
  image: z.string(),
  profiles: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  network_mode: z.string().optional(),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().default(false) }),
});
const Compose = z.object({ services: z.record(z.string(), Container), volumes: z.record(z.string(), z.null()) });

const textOf = (file: string): string => readFileSync(path.join(REPOSITORY, file), "utf8");
const compose = Compose.parse(
  parse(textOf("compose.yaml").replaceAll(/\$\{MARQUEE_COMPOSE_PASSWORD[^}]*\}/g, PASSWORD), {
    merge: true,
    maxAliasCount: 1_000,
  }),
);
const containers = Object.entries(compose.services);
const processes = containers.filter(([, { command }]) => command[0] === "serve");
/** What all processes are told alike. */
const environment = compose.services["identity"]?.environment ?? {};

test("every image has a version, every container a health check, every volume a declaration", () => {
  for (const [name, { image, healthcheck, volumes }] of containers) {
    if (image !== "marquee:local") assert.match(image, /^[a-z-]+(\/[a-z-]+)?:v?\d+\.\d+/, name);
    assert.ok(healthcheck.disable ? name === "otelcol" : healthcheck.test, `'${name}' has no health check`);
    for (const volume of volumes.filter((one) => !/^[.$]/.test(one)))
      assert.ok((volume.split(":")[0] ?? "") in compose.volumes, `'${volume}' of '${name}' is not declared`);
  }
  assert.match(textOf("Dockerfile"), /^FROM node:24\.\d+\.\d+-/m);
});

test("each engine runs in the version of docs/engines.md, at the same port, and is named by the same variables", (t) => {
  const page = textOf("docs/engines.md");
  // Passwords are made where an engine keeps its data.
  const data = mkdtempSync(path.join(tmpdir(), "marquee-compose-"));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  for (const engine of engines) {
    const container = compose.services[engine.name];
    assert.ok(container, `there is no container for '${engine.name}'`);
    const section = new RegExp(`^## ${engine.name}\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, "m").exec(page)?.[1] ?? "";
    const tag = container.image.replace(/^.*:v?/, "");
    const told = [...section.matchAll(/\d+(\.\d+)+/g)].map(([version]) => version);
    assert.ok(
      told.some((version) => tag === version || tag.startsWith(`${version}.`)),
      `'${container.image}' is none of the versions that the page tells: ${told.join(", ")}`,
    );
    const place: EnginePlace = { programs: "", data, port: 1, say: () => undefined };
    // Some are for whoever administers an engine, and nothing of the product's.
    const ours = Object.keys(engine.environment(place)).filter(
      (name) => name in Config.shape || name.startsWith("AWS_"),
    );
    for (const name of ours) assert.ok(name in environment, `'${name}' of '${engine.name}' is not set`);
    const port = new RegExp(`^\\| \\[${engine.name}\\].* \\| (\\d+) to `, "m").exec(page)?.[1] ?? "none";
    assert.ok(
      container.ports.some((one) => one.startsWith(`127.0.0.1:${port}:`)),
      `'${engine.name}' is not at port ${port}, as with npm run engines`,
    );
  }
});

test("seven processes run every service once, each with all that it needs", () => {
  assert.equal(processes.length, 7);
  const served = processes.flatMap(([, { command }]) => command.slice(1));
  const all = [...services.map(({ contract }) => contract.name), "web", "admin", "edges"];
  assert.deepEqual(served.toSorted(), all.toSorted());
  for (const [name, { command, environment, profiles }] of processes) {
    assert.deepEqual(profiles, ["app"], name);
    for (const variable of Object.keys(environment))
      assert.ok(variable in Config.shape || variable.startsWith("AWS_"), `'${variable}' is no variable of ours`);
    assert.deepEqual(missingFor(cellOf(command.slice(1)), readConfig(environment)), [], name);
    assert.equal(environment["OTEL_SERVICE_NAME"], name);
  }
});

test("each service is called where it runs, and each path of the front leads to who answers it", () => {
  const portOf = new Map(
    processes.flatMap(([, { command, environment }]) =>
      command.slice(1).map((service): [string, number] => [service, Number(environment["MARQUEE_PORT"])]),
    ),
  );
  for (const entry of (environment["MARQUEE_PEERS"] ?? "").split(",")) {
    const [service = "", url = ""] = entry.split("=");
    assert.equal(Number(new URL(url).port), (portOf.get(service) ?? 0) + 5, service);
  }
  assert.equal(environment["MARQUEE_ORIGIN_URL"], `http://127.0.0.1:${(portOf.get("origin") ?? 0) + 3}`);
  const front = textOf("deploy/nginx.conf");
  const roads = [...front.matchAll(/location (\S+) \{\s+proxy_pass http:\/\/\S+:(\d+);/g)].map(
    ([, prefix = "", port]) => [prefix, Number(port)] as const,
  );
  const at = (service: string): number => portOf.get(service) ?? 0;
  assert.deepEqual(roads, [
    ["/oauth/", at("auth")],
    ["/license/", at("license")],
    ["/steering/", at("routing")],
    ["/images/", at("origin")],
    ["/", at("web")],
    ["/", at("edges") + 1],
    ["/", at("edges") + 2],
  ]);
  const listens = [...front.matchAll(/listen (\d+);/g)].map(([, port]) => `127.0.0.1:${port}:${port}`);
  assert.deepEqual(compose.services["front"]?.ports, listens);
});
