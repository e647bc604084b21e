import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkBoundaries } from "./check-boundaries.ts";

const PACKAGE = JSON.stringify({
  imports: {
    "#kernel": "./kernel/index.ts",
    "#kernel/*": "./kernel/*.ts",
    "#contracts/*": "./contracts/*/index.ts",
    "#media/*": "./media/*/index.ts",
    "#learning/*": "./learning/*.ts",
    "#adapters/*": "./adapters/*.ts",
  },
});

/** The violations of a tree in memory. */
function check(tree: Readonly<Record<string, string>>): string[] {
  const all: Readonly<Record<string, string>> = { ...tree, "package.json": PACKAGE };
  const read = (file: string): string => {
    const text = all[file];
    if (text === undefined) throw new Error(`no ${file} in this tree`);
    return text;
  };
  return checkBoundaries("/", Object.keys(tree), read).map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

const CLEAN = {
  "services/playback/bookmark/service.ts": `
    import { readFile } from "node:fs/promises";
    import { defineService } from "#kernel";
    import { problem } from "#kernel/errors";
    import { Bookmark } from "#contracts/bookmark";
    import { parse } from "#media/isobmff";
    import { sql } from "kysely";
    import { advance } from "./domain.ts";
    const worker = new URL("./worker.ts", import.meta.url);`,
  "services/playback/bookmark/domain.ts": `
    import { createHash } from "node:crypto";
    import type { Context } from "#kernel";
    import { problem } from "#kernel/errors";
    import type { Beat } from "#contracts/playback";
    import { limits } from "./domain-limits.ts";
    export const at = new Date(0); // "Date.now()" and fetch() in a comment are no matter.
    export const text = "import('node:fs')";`,
  "services/playback/bookmark/domain-limits.ts": "export const limits = 3;",
  "services/playback/bookmark/store.test.ts":
    'import { postgres } from "#adapters/postgres/embedded"; import { x } from "../../../tests/x.ts";',
  "bffs/web/server.ts":
    'import Fastify from "fastify"; import { Bookmark } from "#contracts/bookmark"; import "#kernel"; import "./home.ts";',
  "adapters/log/embedded.ts":
    'import type { Log } from "#kernel/ports/log"; import { problem } from "#kernel/errors"; import "./rows.ts"; import net from "node:net"; import pg from "pg";',
  "adapters/llm/openai-compatible.ts": 'import { openOpenAiApi } from "../shared/openai-api.ts";',
  "contracts/bookmark/index.ts":
    'import { defineContract } from "#kernel/contract"; import type { Context } from "#kernel"; import "./gen/bookmark_pb.js"; import { z } from "zod";',
  "media/isobmff/index.ts":
    'import { createHash } from "node:crypto"; import { FormatError } from "#media/format"; import { DOMParser } from "@xmldom/xmldom"; import "../cenc/x.ts";',
  "learning/drift.ts": 'import "./histogram.ts";',
  "kernel/index.ts":
    'import "./ports/log.ts"; import http from "node:http"; import { FormatError } from "#media/format";',
  "kernel/ports/log.ts": 'import type { Clock } from "../clock.ts"; import { problem } from "../errors.ts";',
  "clients/web/src/main.tsx":
    'import { useState } from "react"; import type { Home } from "#contracts/web"; import { Button } from "../../ui/button.tsx"; export const x = <Button/>;',
  "clients/web/vite.config.ts": 'import path from "node:path";',
  "apps/marquee.ts":
    'import bookmark from "../services/playback/bookmark/service.ts"; import { embedded } from "#adapters/postgres/embedded"; const name = "x"; await import(name);',
  "scripts/x.ts": 'import "../services/playback/bookmark/store.ts";',
};

test("a clean tree passes", () => assert.deepEqual(check(CLEAN), []));

describe("a planted violation is found", () => {
  const planted: readonly [rule: string, file: string, text: string, expected: RegExp][] = [
    [
      "a service imports another service",
      "services/playback/session/service.ts",
      'import { store } from "../bookmark/store.ts";',
      /:1: a service may not import '\.\.\/bookmark\/store\.ts'/,
    ],
    [
      "… also of another area",
      "services/playback/session/service.ts",
      '\n\nexport * from "../../identity/user/store.ts";',
      /:3: a service may not import/,
    ],
    [
      "… also only its types",
      "services/playback/session/service.ts",
      'import type { Store } from "../bookmark/store.ts";',
      /may not import/,
    ],
    [
      "… also in a type",
      "services/playback/session/service.ts",
      'type Store = import("../bookmark/store.ts").Store;',
      /may not import/,
    ],
    [
      "… also late",
      "services/playback/session/service.ts",
      'const x = await import("../bookmark/store.ts");',
      /may not import/,
    ],
    [
      "… also as a worker",
      "services/playback/session/service.ts",
      'new Worker(new URL("../bookmark/worker.ts", import.meta.url));',
      /may not import/,
    ],
    ["… also in its test", "services/playback/session/a.test.ts", 'import "../bookmark/store.ts";', /another service/],
    [
      "a service imports by a computed name",
      "services/playback/session/service.ts",
      'const a = "x"; await import(a);',
      /computed name/,
    ],
    [
      "a service imports an adapter",
      "services/playback/session/service.ts",
      'import { redis } from "#adapters/cache/redis";',
      /may not import '#adapters\/cache\/redis'/,
    ],
    [
      "a service imports an app",
      "services/playback/session/service.ts",
      'import "../../../apps/marquee.ts";',
      /may not import/,
    ],
    [
      "a service imports a BFF",
      "services/playback/session/service.ts",
      'import "../../../bffs/web/server.ts";',
      /may not import/,
    ],
    [
      "a service leaves its folder by a relative path",
      "services/playback/session/service.ts",
      'import "../../../kernel/index.ts";',
      /write #kernel/,
    ],
    [
      "a domain reads files",
      "services/playback/session/domain.ts",
      'import { readFileSync } from "node:fs";',
      /a domain may not import 'node:fs'/,
    ],
    [
      "a domain uses the network",
      "services/playback/session/domain.ts",
      'const http = await import("node:http");',
      /may not import 'node:http'/,
    ],
    [
      "a domain uses the kernel",
      "services/playback/session/domain.ts",
      'import { defineService } from "#kernel";',
      /may not import '#kernel'/,
    ],
    [
      "a domain uses the store",
      "services/playback/session/domain.ts",
      'import { find } from "./store.ts";',
      /may not import '\.\/store\.ts'/,
    ],
    ["a domain uses a package", "services/playback/session/domain.ts", 'import pg from "pg";', /may not import 'pg'/],
    [
      "a domain reads the clock",
      "services/playback/session/domain.ts",
      "export const now = () =>\n Date.now();",
      /:2: a domain is pure, but uses Date\.now\(\)/,
    ],
    [
      "… also through new Date",
      "services/playback/session/domain.ts",
      "export const now = () => new Date();",
      /new Date\(\)/,
    ],
    ["a domain throws dice", "services/playback/session/domain.ts", "export const x = Math.random();", /Math\.random/],
    [
      "a domain reads the environment",
      "services/playback/session/domain-x.ts",
      "export const x = process.env;",
      /process\.env/,
    ],
    [
      "a BFF imports a service",
      "bffs/web/server.ts",
      'import "../../services/playback/session/service.ts";',
      /a BFF may not import/,
    ],
    ["a BFF imports another BFF", "bffs/web/server.ts", 'import "../tv/server.ts";', /a BFF may not import/],
    ["a BFF imports an adapter", "bffs/web/server.ts", 'import "#adapters/log/embedded";', /a BFF may not import/],
    [
      "an adapter imports the kernel",
      "adapters/log/embedded.ts",
      'import { clock } from "#kernel";',
      /an adapter may not import '#kernel'/,
    ],
    [
      "an adapter imports another adapter",
      "adapters/log/embedded.ts",
      'import "../cache/embedded.ts";',
      /an adapter may not import/,
    ],
    [
      "an adapter imports a contract",
      "adapters/log/embedded.ts",
      'import "#contracts/bookmark";',
      /an adapter may not import/,
    ],
    [
      "a contract imports a service",
      "contracts/bookmark/index.ts",
      'import "../../services/playback/bookmark/domain.ts";',
      /a contract may not import/,
    ],
    [
      "a contract imports the kernel's code",
      "contracts/bookmark/index.ts",
      'import { defineService } from "#kernel";',
      /a contract may not import '#kernel'/,
    ],
    [
      "a contract imports a package",
      "contracts/bookmark/index.ts",
      'import pg from "pg";',
      /a contract may not import 'pg'/,
    ],
    [
      "a contract imports a built-in",
      "contracts/bookmark/index.ts",
      'import fs from "node:fs";',
      /a contract may not import 'node:fs'/,
    ],
    [
      "a codec reads files",
      "media/isobmff/index.ts",
      'import fs from "node:fs";',
      /pure code may not import 'node:fs'/,
    ],
    ["… also through require", "media/isobmff/index.ts", 'const fs = require("node:fs");', /may not import 'node:fs'/],
    [
      "… also through getBuiltinModule",
      "media/isobmff/index.ts",
      'const fs = globalThis.process.getBuiltinModule("node:fs");',
      /may not import 'node:fs'/,
    ],
    [
      "a codec starts a process",
      "media/isobmff/index.ts",
      'import { spawn } from "node:child_process";',
      /may not import/,
    ],
    [
      "a codec imports the kernel",
      "media/isobmff/index.ts",
      'import type { Context } from "#kernel";',
      /may not import '#kernel'/,
    ],
    ["a codec fetches", "media/isobmff/index.ts", 'export const x = globalThis.fetch("/");', /fetch\(\)/],
    ["a learner opens a socket", "learning/gbdt.ts", 'import net from "node:net";', /may not import 'node:net'/],
    ["a port has code of Node", "kernel/ports/log.ts", 'import fs from "node:fs";', /a port may not import/],
    [
      "the kernel imports a service",
      "kernel/index.ts",
      'import "../services/playback/bookmark/service.ts";',
      /the kernel may not import/,
    ],
    [
      "the kernel imports an adapter",
      "kernel/index.ts",
      'import "#adapters/log/embedded";',
      /the kernel may not import/,
    ],
    [
      "a client imports a contract's code",
      "clients/web/src/main.tsx",
      'import { Home } from "#contracts/web";',
      /a client may not import/,
    ],
    [
      "a client imports a service",
      "clients/web/src/main.tsx",
      'import type { X } from "../../../services/playback/bookmark/domain.ts";',
      /a client may not import/,
    ],
    ["a client imports a built-in", "clients/ui/a.ts", 'import fs from "node:fs";', /a client may not import/],
    ["an app imports a test", "apps/marquee.ts", 'import "../tests/e2e/x.ts";', /an app may not import/],
  ];
  for (const [rule, file, text, expected] of planted) {
    test(rule, () => {
      const found = check({ ...CLEAN, [file]: text });
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
      assert.ok(found[0]?.startsWith(`${file}:`));
    });
  }
});
