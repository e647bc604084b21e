import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { Problem } from "#kernel/errors";
import type { Flag, FlagContext, FlagRule, Flags } from "#kernel/ports/flags";
import { flagsContract } from "./contract.ts";
import { strategyOf } from "./rules.ts";
import { openUnleashFlags, type UnleashOptions } from "./unleash.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

// The variable says that this engine is there to be tested: nobody's own Unleash is written to by mistake.
const url = process.env["MARQUEE_TEST_UNLEASH"] ? (process.env["MARQUEE_UNLEASH_URL"] ?? "") : "";
const token = process.env["MARQUEE_UNLEASH_TOKEN"] ?? "";
const adminToken = process.env["UNLEASH_ADMIN_TOKEN"] ?? "";
const skip = url === "" && "needs an Unleash: run by npm run test:engines";

const root = await makeTestFolder("unleash");
after(() => rm(root, { recursive: true, force: true }));
const lines: string[] = [];
const settings = (changes: Partial<UnleashOptions> = {}): UnleashOptions => ({
  ...{ url, token, file: join(root, `${randomUUID()}.json`), everyMs: 50, log: (line: string) => lines.push(line) },
  ...changes,
});

/** The operators' API of Unleash, as its pages use it. */
async function admin(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}/admin/${path}`, {
    method,
    headers: { authorization: adminToken, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const said = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${said.slice(0, 500)}`);
  return said === "" || !response.headers.get("content-type")?.includes("json") ? undefined : JSON.parse(said);
}

const environmentOf = (name: string): string => `projects/default/features/${name}/environments/development`;

/** Makes a feature of a rule, or makes it anew. */
async function define(rule: FlagRule, segments: readonly number[] = []): Promise<void> {
  const { name, isEnabled, audiences } = rule;
  const found = await fetch(`${url}/admin/projects/default/features/${name}`, {
    headers: { authorization: adminToken },
  });
  await found.body?.cancel();
  if (found.status === 404) await admin("POST", "projects/default/features", { name, type: "release" });
  const old = (await admin("GET", `${environmentOf(name)}/strategies`)) as readonly { readonly id: string }[];
  for (const { id } of old) await admin("DELETE", `${environmentOf(name)}/strategies/${id}`);
  for (const audience of audiences) {
    const { segments: _, ...strategy } = strategyOf(name, audience);
    const variants = strategy.variants.map(({ overrides: __, ...variant }) => ({ ...variant, weightType: "variable" }));
    await admin("POST", `${environmentOf(name)}/strategies`, { ...strategy, variants, segments });
  }
  await admin("POST", `${environmentOf(name)}/${isEnabled ? "on" : "off"}`);
}

async function remove(name: string): Promise<void> {
  await admin("DELETE", `projects/default/features/${name}`);
  await admin("DELETE", `archive/${name}`);
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !isTrue(); tries += 1) await sleep(25);
  assert.ok(isTrue(), isTrue.toString());
}

const inForce = (flags: Flags, rule: FlagRule): Promise<void> =>
  until(() =>
    isDeepStrictEqual(
      flags.rules().find(({ name }) => name === rule.name),
      rule,
    ),
  );

const flag = (name: string): Flag<boolean> => ({ name, fallback: false, what: "a flag of a test" });
const everybody = { conditions: [], percent: 100, stickiness: "default", variants: [] };
const on = (name: string): FlagRule => ({ name, isEnabled: true, audiences: [everybody] });

if (url !== "")
  flagsContract("Unleash", async () => {
    const flags = await openUnleashFlags(settings());
    return {
      flags,
      async define(rule) {
        await define(rule);
        await inForce(flags, rule);
      },
      async remove(name) {
        await remove(name);
        await until(() => !flags.rules().some((rule) => rule.name === name));
      },
    };
  });

/** Closed when its test ends, however it ends. */
async function open(t: TestContext, options: UnleashOptions): Promise<Flags> {
  const flags = await openUnleashFlags(options);
  t.after(() => flags.close());
  return flags;
}

/** Stands between us and the real Unleash: counts, breaks, and stays away when it is told to. */
async function passage(t: TestContext) {
  const seen: { readonly method: string; readonly path: string; readonly status: number; readonly body: string }[] = [];
  let broken: ((response: ServerResponse) => void) | undefined;
  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (broken) return broken(response);
    const { host: _, connection: __, "content-length": ___, ...headers } = request.headers as Record<string, string>;
    const path = request.url ?? "";
    const method = request.method ?? "GET";
    const answer = await fetch(new URL(path, url), { method, headers, ...(body === "" ? {} : { body }) });
    seen.push({ method, path, status: answer.status, body });
    const etag = answer.headers.get("etag");
    response.writeHead(answer.status, etag === null ? {} : { etag }).end(Buffer.from(await answer.arrayBuffer()));
  }
  const server = createServer((request, response) => void pass(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    seen,
    break(how: ((response: ServerResponse) => void) | undefined) {
      broken = how;
    },
  };
}

describe("Unleash", { skip }, () => {
  test("what has not changed is not sent again", async (t) => {
    const way = await passage(t);
    await open(t, settings({ url: way.url }));
    const asked = (): number[] =>
      way.seen.filter(({ path }) => path === "/api/client/features").map(({ status }) => status);
    await until(() => asked().length >= 4);
    assert.deepEqual(asked().slice(0, 4), [200, 304, 304, 304]);
  });

  test("while it is away the last known flags hold, over a restart too, and then the new ones", async (t) => {
    const name = `away.${randomUUID().slice(0, 8)}`;
    await define(on(name));
    const way = await passage(t);
    const options = settings({ url: way.url });
    const first = await open(t, options);
    assert.deepEqual(first.evaluate(flag(name), {}), { value: true, reason: "STATIC" });
    way.break((response) => response.destroy());
    await until(() => first.evaluate(flag(name), {}).reason === "STALE");
    assert.equal(first.evaluate(flag(name), {}).value, true);
    const { ok, detail } = await first.state();
    assert.equal(ok, true);
    assert.match(detail, /hold: Unleash at 127\.0\.0\.1:\d+ cannot be reached/);
    await first.close();
    assert.equal((await stat(options.file)).mode & 0o777, 0o600);

    const second = await open(t, options);
    assert.deepEqual(second.evaluate(flag(name), {}), { value: true, reason: "STALE" });
    await define({ ...on(name), isEnabled: false });
    way.break(undefined);
    await until(() => second.evaluate(flag(name), {}).reason === "DISABLED");
    assert.ok(lines.some((line) => /answers again/.test(line)));
  });

  test("segments keep people out as conditions do", async (t) => {
    const name = `segment.${randomUUID().slice(0, 8)}`;
    const constraints = [
      { contextName: "market", operator: "IN", values: ["DE"], inverted: false, caseInsensitive: false },
    ];
    const made = (await admin("POST", "segments", { name, constraints })) as { readonly id: number };
    await define(on(name), [made.id]);
    const flags = await open(t, settings());
    const of = (context: FlagContext): boolean => flags.evaluate(flag(name), context).value;
    assert.deepEqual([of({ market: "DE" }), of({ market: "AT" }), of({})], [true, false, false]);
    assert.deepEqual(flags.rules().find((rule) => rule.name === name)?.audiences[0]?.conditions, [
      { attribute: "market", operator: "IN", values: ["DE"], isInverted: false },
    ]);
  });

  test("it hears of what is asked for", async (t) => {
    const name = `used.${randomUUID().slice(0, 8)}`;
    await define({
      ...on(name),
      audiences: [
        { ...everybody, conditions: [{ attribute: "market", operator: "IN", values: ["DE"], isInverted: false }] },
      ],
    });
    const way = await passage(t);
    const flags = await open(t, settings({ url: way.url }));
    for (const market of ["DE", "DE", "AT"]) flags.evaluate(flag(name), { market });
    const told = () => way.seen.filter(({ path }) => path === "/api/client/metrics");
    await until(() => told().length > 0);
    assert.equal(told()[0]?.status, 202);
    const { bucket } = JSON.parse(told()[0]?.body ?? "") as { readonly bucket: { readonly toggles: unknown } };
    assert.deepEqual(bucket.toggles, { [name]: { yes: 2, no: 1, variants: {} } });
    assert.equal(way.seen.filter(({ path }) => path === "/api/client/register")[0]?.status, 202);
  });

  test("flags are changed in Unleash alone", async (t) => {
    const flags = await open(t, settings());
    const isElsewhere = (error: unknown): boolean => error instanceof Problem && error.reason === "elsewhere";
    await assert.rejects(flags.put(on("any")), isElsewhere);
    await assert.rejects(flags.remove("any"), isElsewhere);
  });

  test("an Unleash that refuses us is told at once, one that is away is waited for", async (t) => {
    const says = (words: RegExp) => (error: unknown) =>
      error instanceof Problem &&
      error.code === "failed_precondition" &&
      words.test(error.message) &&
      !error.message.includes(token);
    await assert.rejects(
      openUnleashFlags(settings({ token: "*:development.wrong" })),
      says(/refuses our token.*MARQUEE_UNLEASH_TOKEN/),
    );
    await assert.rejects(openUnleashFlags(settings({ token: "two\nlines" })), says(/MARQUEE_UNLEASH_TOKEN/));
    const way = await passage(t);
    for (const status of [302, 404]) {
      way.break((response) => response.writeHead(status, { location: url }).end());
      await assert.rejects(openUnleashFlags(settings({ url: way.url })), says(/ends with \/api/));
    }
    way.break((response) => response.writeHead(503).end());
    const flags = await open(t, settings({ url: way.url }));
    assert.deepEqual(flags.evaluate(flag("any"), {}), { value: false, reason: "DEFAULT" });
    assert.match((await flags.state()).detail, /defaults hold.*503/);
    assert.equal((await flags.state()).ok, false);
    way.break(undefined);
    let isReady = false;
    for (let tries = 0; tries < 100 && !isReady; tries += 1) {
      await sleep(25);
      isReady = (await flags.state()).ok;
    }
    assert.ok(isReady);
  });

  test("a broken or foreign file is as none, and a broken answer leaves what is known", async (t) => {
    const name = `broken.${randomUUID().slice(0, 8)}`;
    await define(on(name));
    const way = await passage(t);
    const options = settings({ url: way.url });
    await writeFile(options.file, '{"url": "https://other.example.org", "savedAtMs": 1, "body": {"features": []}}');
    const flags = await open(t, options);
    assert.equal(flags.evaluate(flag(name), {}).value, true);
    assert.match(await readFile(options.file, "utf8"), new RegExp(name));
    for (const body of ["<html>", '{"features": 7}', '{"features": [{"name": 1}]}']) {
      way.break((response) => response.writeHead(200).end(body));
      await until(() => flags.evaluate(flag(name), {}).reason === "STALE");
      assert.equal(flags.evaluate(flag(name), {}).value, true);
      way.break(undefined);
      await until(() => flags.evaluate(flag(name), {}).reason === "STATIC");
    }
    await writeFile(options.file, "{");
    const later = await open(t, { ...options, url });
    assert.equal(later.evaluate(flag(name), {}).value, true);
  });
});
