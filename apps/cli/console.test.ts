import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cli } from "./cli.ts";
import { browserProgram, openConsole } from "./console.ts";

const LINK = { url: "http://127.0.0.1:8086/enter#code", endsAtMs: 60_000 };

function cliOf() {
  const printed: string[] = [];
  const noted: string[] = [];
  const terminal = {
    out: (line: string) => printed.push(line),
    note: (line: string) => noted.push(line),
    canAsk: false,
  };
  const client = { consoleLink: async () => LINK };
  return { cli: { terminal, client } as unknown as Cli, printed, noted };
}

test("the link alone is printed, so that a program can take it; what to know of it is a note", async () => {
  const { cli, printed, noted } = cliOf();
  assert.equal(await openConsole(cli, { browser: true, json: false }), 0);
  assert.deepEqual(printed, [LINK.url]);
  assert.match(noted.join("\n"), /once, within a minute/);
  assert.equal(await openConsole(cli, { browser: true, json: true }), 0);
  assert.deepEqual(JSON.parse(printed[1] ?? ""), LINK);
});

test("a browser is opened where a screen would show it", () => {
  assert.deepEqual(browserProgram("darwin", {}), ["open"]);
  assert.deepEqual(browserProgram("linux", { DISPLAY: ":0" }), ["xdg-open"]);
  assert.deepEqual(browserProgram("linux", { WAYLAND_DISPLAY: "wayland-0" }), ["xdg-open"]);
  assert.equal(browserProgram("linux", {}), undefined);
  // No shell takes part, which would read the address.
  assert.deepEqual(browserProgram("win32", {}), ["rundll32", "url.dll,FileProtocolHandler"]);
});
