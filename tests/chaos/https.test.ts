/** Under another name than localhost the product speaks HTTPS and HTTP/2 only, and has no accounts with a public password. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { signIn } from "../e2e/browser.ts";
import { makeAccount, PASSWORD } from "./accounts.ts";
import { openCinema } from "./cinema.ts";
import { importClip, makeClip, untilComplete } from "./clips.ts";
import { openStage, type Stage } from "./product.ts";

const HOST = "marquee.test";
const ROOT = path.resolve(import.meta.dirname, "../..");

let stage: Stage;
before(async () => {
  stage = await openStage({ MARQUEE_HOST: HOST });
});
after(() => stage?.close());

test("without a certificate it says how to make one", { timeout: 60_000 }, async () => {
  const product = stage.start();
  assert.notEqual(await product.exited, 0);
  assert.match(product.output(), new RegExp(`marquee cert ${HOST.replace(".", "\\.")}`));
});

test("with the demo accounts it does not start", { timeout: 60_000 }, async () => {
  const product = stage.start({ MARQUEE_DEMO: "1" });
  assert.notEqual(await product.exited, 0);
  assert.match(product.output(), /public password.*MARQUEE_DEMO=0/);
  assert.deepEqual(await product.processes(), []);
});

test("a film plays over HTTPS and HTTP/2, and plain HTTP is refused", { timeout: 400_000 }, async (t) => {
  const made = await promisify(execFile)(
    process.execPath,
    [path.join(ROOT, "apps/marquee.ts"), "cert", HOST, "--json"],
    {
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], MARQUEE_DATA: stage.folder },
    },
  );
  const { certificate } = JSON.parse(made.stdout) as { certificate: string };
  const product = stage.start();
  const url = await product.ready();
  assert.equal(url, `https://${HOST}:${stage.port}`);
  const account = await makeAccount(stage.admin, "https@chaos.test");
  const clip = path.join(stage.folder, "clip.mp4");
  await makeClip(clip, { width: 320, height: 180, rate: 24, durationS: 40, grain: 10 });
  await importClip(stage.admin, clip, "secure");
  await untilComplete(stage.admin, ["secure"], 240_000);

  for (const port of [stage.port, stage.port + 1, stage.port + 2])
    assert.match(await plainHttp(port), /^refused/, `port ${port}`);

  const rules = `--host-resolver-rules=MAP ${HOST} 127.0.0.1`;
  const trust = `--ignore-certificate-errors-spki-list=${spkiOf(await readFile(certificate, "utf8"))}`;
  const cinema = await openCinema({ url, token: null, args: [rules, trust] });
  try {
    await signIn(cinema.page, { name: "Chaos", email: account.email, password: PASSWORD });
    for (const format of ["dash", "hls"] as const) {
      await cinema.watch("secure", format);
      await cinema.advance(5);
      assert.ok(await cinema.page.evaluate("isSecureContext"));
    }
    t.diagnostic([...cinema.protocols].map(([host, names]) => `${host} ${[...names].join("+")}`).join(", "));
    const edges = [1, 2].map((n) => `${HOST}:${stage.port + n}`).filter((host) => cinema.protocols.has(host));
    assert.ok(edges.length > 0, "no edge was asked");
    for (const host of [`${HOST}:${stage.port}`, ...edges])
      assert.deepEqual([...(cinema.protocols.get(host) ?? [])], ["h2"], host);
    assert.deepEqual(
      cinema.transfers.filter(({ status }) => status >= 400),
      [],
    );
  } finally {
    await cinema.close();
  }
  assert.equal(await product.stop(), 0, product.output());
});

/** The certificate's key, as Chromium wants to hear whom to believe. */
function spkiOf(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

/** What a client hears that forgets the `s`. */
function plainHttp(port: number): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(
      { host: "127.0.0.1", port, path: "/", headers: { host: `${HOST}:${port}` }, timeout: 5_000 },
      (response) => {
        response.resume();
        resolve(`answered ${response.statusCode}`);
      },
    );
    sent.once("timeout", () => sent.destroy(new Error("no answer")));
    sent.once("error", (error) => resolve(`refused: ${error.message}`));
    sent.end();
  });
}
