import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { buildClients } from "./build-clients.ts";
import { REPOSITORY } from "./files.ts";

const root = mkdtempSync(path.join(tmpdir(), "marquee-build-clients-test-"));
after(() => rmSync(root, { recursive: true, force: true }));
const put = (file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
};

before(() => {
  symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(root, "node_modules"));
  put("package.json", '{ "type": "module" }');
  put("package-lock.json", "{}");
  put(
    "clients/web/vite.config.ts",
    'export default { build: { manifest: true, rollupOptions: { input: "src/entry-client.ts" } } };\n',
  );
  put("clients/web/src/entry-client.ts", 'console.log("client");\n');
  put("clients/web/src/entry-server.tsx", 'export const render = (): string => "first view";\n');
  put("clients/web/src/entry-refusal.ts", 'export const openRefusals = (): string => "no view";\n');
});

test("builds once for each state of the sources, and leaves nothing of a build that failed", async () => {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const first = await buildClients({ root, say });
  assert.equal(lines.length, 2);
  assert.ok(existsSync(path.join(first.client, ".vite/manifest.json")));
  const server: { render: () => string } = await import(pathToFileURL(path.join(first.server, "entry-server.js")).href);
  assert.equal(server.render(), "first view");
  const refusal = pathToFileURL(path.join(first.server, "entry-refusal.js")).href;
  const { openRefusals }: { openRefusals: () => string } = await import(refusal);
  assert.equal(openRefusals(), "no view");

  assert.deepEqual(await buildClients({ root, say }), first);
  assert.equal(lines.length, 2, "a second build was made of the same sources");

  put("clients/web/src/entry-client.ts", 'console.log("another");\n');
  const second = await buildClients({ root, say });
  assert.notEqual(second.hash, first.hash);
  const assets = readdirSync(path.join(second.client, "assets")).map((file) =>
    readFileSync(path.join(second.client, "assets", file), "utf8"),
  );
  assert.match(assets.join(""), /another/);

  put("clients/web/src/entry-client.ts", 'import "./nowhere.ts";\n');
  await assert.rejects(buildClients({ root, say }), /does not build:[\s\S]*nowhere/);
  assert.deepEqual(readdirSync(path.join(root, ".cache/web")).sort(), [first.hash, second.hash].sort());
});
