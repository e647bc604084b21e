import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "#kernel/errors";
import { secretsContract } from "./contract.ts";
import { openVaultSecrets, type VaultOptions } from "./vault.ts";

// The variable says that this engine is there to be tested: nobody's own Vault is written to by mistake.
const address = process.env["MARQUEE_TEST_VAULT"] ? (process.env["MARQUEE_VAULT_ADDR"] ?? "") : "";
const tokenFile = address === "" ? undefined : process.env["MARQUEE_VAULT_TOKEN_FILE"];
const token = process.env["MARQUEE_VAULT_TOKEN"] ?? (tokenFile ? (await readFile(tokenFile, "utf8")).trim() : "");
const mount = process.env["MARQUEE_VAULT_MOUNT"] ?? "secret";
const skip = address === "" && "needs a Vault: run by npm run test:engines";

const settings: VaultOptions = { address, token, mount, folder: "marquee" };
const root = await mkdtemp(join(tmpdir(), "marquee-vault-"));
after(() => rm(root, { recursive: true, force: true }));
const says = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof Problem &&
  error.code === code &&
  words.test(error.message) &&
  error.cause === undefined &&
  !String(error.stack).includes(token);

if (address !== "") secretsContract("Vault", () => openVaultSecrets(settings));

/** A server that answers as we say, for what a healthy Vault does not do. */
async function stranger(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<{
  readonly url: string;
  stop(): Promise<void>;
}> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Hands a request on to the real engine, with the real token. */
async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const answer = await fetch(new URL(request.url ?? "/", address), {
    method: request.method ?? "GET",
    headers: { "X-Vault-Token": token },
    ...(body === "" ? {} : { body }),
  });
  response.writeHead(answer.status).end(await answer.text());
}

async function readAll(path: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${address}/v1/${path}`, { headers: { "X-Vault-Token": token } });
  return { status: response.status, text: await response.text() };
}

describe("Vault", { skip }, () => {
  test("a deletion destroys the values of every version", async () => {
    const secrets = await openVaultSecrets(settings);
    const name = `${randomUUID()}/content-key`;
    for (const key of ["first-value", "second-value"]) await secrets.put(name, { key });
    assert.match((await readAll(`${mount}/data/marquee/${name}?version=1`)).text, /first-value/);
    await secrets.delete(name);
    for (const version of [1, 2]) {
      const left = await readAll(`${mount}/data/marquee/${name}?version=${version}`);
      assert.equal(left.status, 404);
      assert.doesNotMatch(left.text, /first-value|second-value/);
    }
    await secrets.close();
  });

  test("an expected version that was deleted is not there", async () => {
    const secrets = await openVaultSecrets(settings);
    const name = `${randomUUID()}/gone`;
    await secrets.put(name, {});
    await secrets.delete(name);
    await assert.rejects(secrets.put(name, {}, { expectedVersion: 1 }), says("aborted", /version 0, not 1/));
    await secrets.close();
  });

  test("deleted names do not fill a list, however many come first", async () => {
    const secrets = await openVaultSecrets(settings);
    const prefix = randomUUID();
    const names = Array.from({ length: 40 }, (_, index) => `${prefix}/${String(index).padStart(2, "0")}`);
    for (const name of names) await secrets.put(name, {});
    for (const name of names.slice(0, 30)) await secrets.delete(name);
    assert.deepEqual(await secrets.list(`${prefix}/`, 5), names.slice(30, 35));
    assert.deepEqual(await secrets.list(`${prefix}/3`, 100), names.slice(30));
    assert.deepEqual(await secrets.list(randomUUID(), 100), []);
    await secrets.close();
  });

  test("a token from a file is read again when its keeper writes a new one", async () => {
    let good = "first";
    const keeper = await stranger((request, response) => {
      if (request.headers["x-vault-token"] === good) void forward(request, response);
      else response.writeHead(403).end('{"errors":["permission denied"]}');
    });
    const path = join(root, "token");
    await writeFile(path, "first\n");
    const { token: _token, ...others } = settings;
    const secrets = await openVaultSecrets({ ...others, address: keeper.url, tokenFile: path });
    const name = `${randomUUID()}/key`;
    await secrets.put(name, { n: 1 });
    good = "second";
    await assert.rejects(secrets.get(name), says("failed_precondition", /refuses our token/));
    await writeFile(path, "second\n");
    assert.deepEqual(await secrets.get(name), { version: 1, value: { n: 1 } });
    await secrets.close();
    await keeper.stop();
  });

  test("a token that ends is renewed before", async () => {
    let renewals = 0;
    const shortLived = await stranger((request, response) => {
      if (request.url === "/v1/auth/token/lookup-self")
        response.end(JSON.stringify({ data: { ttl: renewals === 0 ? 1 : 3_600, renewable: true } }));
      else if (request.url === "/v1/auth/token/renew-self") {
        renewals += 1;
        response.end("{}");
      } else void forward(request, response);
    });
    const secrets = await openVaultSecrets({ ...settings, address: shortLived.url });
    for (let tries = 0; renewals === 0 && tries < 100; tries += 1) await sleep(50);
    assert.equal(renewals, 1);
    assert.match((await secrets.state()).detail, /60 more minutes/);
    await secrets.close();
    await shortLived.stop();
  });

  test("what cannot be used says what to do, without the token", async () => {
    const closed = await stranger(() => undefined);
    await closed.stop();
    for (const [changes, code, words] of [
      [{ address: closed.url }, "unavailable", /ECONNREFUSED.*MARQUEE_VAULT_ADDR/],
      [{ address: "127.0.0.1:8200" }, "invalid_argument", /https:\/\/vault\.example\.org/],
      [{ token: "" }, "failed_precondition", /MARQUEE_VAULT_TOKEN/],
      [{ token: "two\nlines" }, "failed_precondition", /MARQUEE_VAULT_TOKEN/],
      [{ token: "wrong" }, "failed_precondition", /refuses our token/],
      [{ mount: "nowhere" }, "failed_precondition", /nowhere/],
      [{ mount: "sys" }, "failed_precondition", /sys/],
    ] as const) {
      await assert.rejects(openVaultSecrets({ ...settings, ...changes }), says(code, words), JSON.stringify(changes));
    }
    const secrets = await openVaultSecrets({ ...settings, folder: "somebody-else" });
    await assert.rejects(secrets.get("key"), says("failed_precondition", /policy lacks this path/));
    await secrets.close();
  });

  test("the token goes to no other address, and a sealed or foreign server is told apart", async () => {
    const seen: (string | string[] | undefined)[] = [];
    const other = await stranger((request, response) => {
      seen.push(request.headers["x-vault-token"]);
      response.end("{}");
    });
    const answers: [number, string, string, RegExp][] = [
      [307, "", "failed_precondition", /active node/],
      [503, '{"errors":["Vault is sealed"]}', "unavailable", /unseal/],
      [200, "<html>a proxy's page</html>", "failed_precondition", /MARQUEE_VAULT_ADDR/],
    ];
    for (const [status, body, code, words] of answers) {
      const server = await stranger((_, response) => {
        response.writeHead(status, { location: other.url }).end(body);
      });
      await assert.rejects(openVaultSecrets({ ...settings, address: server.url }), says(code, words));
      await server.stop();
    }
    await other.stop();
    assert.deepEqual(seen, []);
  });
});
