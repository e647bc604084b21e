import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { readConfig } from "#kernel/config";
import { makeAuthority, makeServer } from "#kernel/x509";
import { certificateFiles, makeCertificate, toHost, trustSteps } from "./cert.ts";
import { parseBreak, parseCap, parseFlight } from "./ads.ts";
import { judgeCertificate, judgeDisk } from "./checks.ts";
import { openCli } from "./cli.ts";
import { completionScript } from "./completion.ts";
import { toTime, toUpdate } from "./edit.ts";
import { shownConfig, variables, variablesAsMarkdown } from "./environment.ts";
import { progressOf } from "./follow.ts";
import { parseSidecar, parseUntil, progressLine, sortArguments } from "./import.ts";
import { buildProgram } from "./program.ts";
import { bar, bytes, cut, duration, plain, table, type Terminal, widthOf } from "./terminal.ts";
import { contentIdOf, filmsOf, sidecarsOf, stableFiles } from "./watch.ts";
import { placeOf } from "./watch-bucket.ts";

const surroundings = { nowMs: Date.parse("2026-11-01T00:00Z"), candidates: ["art/1", "art/2"] };
const folders: string[] = [];
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const temporary = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "marquee-rules-"));
  folders.push(folder);
  return folder;
};

test("subtitles are a path and a language after its last colon", () => {
  assert.deepEqual(parseSidecar("film.en.srt:en"), { path: "film.en.srt", language: "en" });
  assert.deepEqual(parseSidecar("C:\\films\\a.srt:pt-BR"), { path: "C:\\films\\a.srt", language: "pt-BR" });
  assert.equal(parseSidecar("film.mp4"), null);
  assert.equal(parseSidecar(":en"), null);
  assert.equal(parseSidecar("C:\\films\\a.srt"), null);
});

test("a film among the subtitles is a film; a subtitle without a language is a mistake", () => {
  assert.deepEqual(sortArguments(["a.mp4"], ["a.srt:en", "b.mp4"]).files, ["a.mp4", "b.mp4"]);
  assert.throws(() => sortArguments(["a.mp4"], ["a.srt"]), /'a\.srt' has no language.*a\.srt:en/);
});

test("--wait means until it plays", () => {
  assert.equal(parseUntil(undefined), "accepted");
  assert.equal(parseUntil("complete"), "complete");
  assert.throws(() => parseUntil("done"), /--wait=done/);
});

test("edit flags become the request; lists are replaced, unnamed members are left out", () => {
  assert.deepEqual(
    toUpdate(
      "vod_1",
      {
        year: "none",
        age: "12",
        tier: "premium",
        credit: ["Ada Moss: director: second unit"],
        genres: "Drama, Noir,",
        until: "2027-01-31",
        backdrop: "2",
      },
      surroundings,
    ),
    {
      id: "vod_1",
      year: 0,
      ageRating: 12,
      tierMin: "premium",
      availableUntilMs: BigInt(Date.parse("2027-01-31T00:00Z")),
      backdropKey: "art/2",
      genres: ["Drama", "Noir"],
      markets: [],
      credits: [{ name: "Ada Moss", role: "director: second unit" }],
      replace: ["genres", "credits"],
    },
  );
  assert.deepEqual(toUpdate("x", { markets: "all" }, surroundings).replace, ["markets"]);
});

test("a wrong flag is named with what it takes", () => {
  const refused: readonly (readonly [Parameters<typeof toUpdate>[1], RegExp])[] = [
    [{}, /nothing to change/],
    [{ year: "19" }, /--year 19/],
    [{ age: "13" }, /--age 13 is not one of 0, 6, 12, 16, 18/],
    [{ tier: "gold" }, /--tier gold/],
    [{ markets: "Germany" }, /'Germany' is not a country/],
    [{ backdrop: "3" }, /--backdrop 3: there are 2 pictures/],
    [{ credit: [": director"] }, /has no name/],
    [{ from: "2027-01-01", until: "2026-01-01" }, /not before/],
  ];
  for (const [options, expected] of refused) assert.throws(() => toUpdate("x", options, surroundings), expected);
});

test("times are UTC unless a zone is named, and real", () => {
  const at = (text: string): number | undefined => toTime("--from", text, surroundings.nowMs);
  assert.equal(at("2026-12-24"), Date.parse("2026-12-24T00:00:00Z"));
  assert.equal(at("2026-12-24 20:15"), Date.parse("2026-12-24T20:15:00Z"));
  assert.equal(at("2026-12-24T20:15+01:00"), Date.parse("2026-12-24T19:15:00Z"));
  assert.equal(at("now"), surroundings.nowMs);
  assert.equal(at("none"), 0);
  for (const wrong of ["tomorrow", "2026-02-30", "2026-13-01", "24.12.2026", "2026-12-24T25:00"])
    assert.throws(() => at(wrong), /is not a time/);
});

type EncodingState = MessageShape<(typeof Encoding.rpc.method.get)["output"]>["encoding"];
const encodingOf = (members: object): EncodingState =>
  create(Encoding.rpc.method.get.output, { encoding: members }).encoding;
const titleOf = (members: object) => create(Catalog.rpc.method.get.output, { title: members }).title;
const ingestOf = (members: object) => create(Ingest.rpc.method.get.output, { ingest: members }).ingest;

test("an import is done when what is waited for is there, and not before", () => {
  const nothing = { ingest: undefined, encoding: undefined, title: undefined };
  assert.equal(progressOf("v", "playable", nothing).phase, "failed");
  assert.equal(progressOf("v", "playable", { ...nothing, ingest: ingestOf({ state: "checking" }) }).phase, "checking");
  const packaged = encodingOf({
    state: "playable",
    packageRevision: 1,
    progress: 0.4,
    progressPlayable: 1,
    leftS: 300,
  });
  // Packaged, but the catalogue does not say so yet: pressing play would fail.
  const early = progressOf("v", "playable", {
    ...nothing,
    encoding: packaged,
    title: titleOf({ state: "processing" }),
  });
  assert.equal(early.phase, "publishing");
  const title = titleOf({ state: "playable" });
  assert.equal(progressOf("v", "accepted", { ...nothing, encoding: packaged }).phase, "done");
  assert.equal(progressOf("v", "playable", { ...nothing, encoding: packaged, title }).phase, "done");
  const half = progressOf("v", "complete", { ...nothing, encoding: packaged, title });
  assert.deepEqual([half.phase, half.ratio, half.leftS], ["encoding", 0.4, 300]);
  const broken = encodingOf({ state: "failed", packageRevision: 1, failure: "the disk is full" });
  assert.equal(progressOf("v", "playable", { ...nothing, encoding: broken, title }).phase, "done");
  assert.equal(progressOf("v", "complete", { ...nothing, encoding: broken, title }).reason, "the disk is full");
});

test("progress lines say where a film is and how long it takes", () => {
  const state = {
    contentId: "v",
    phase: "encoding" as const,
    ratio: 0.5,
    leftS: 125,
    reason: "",
    code: "",
    duplicateOf: "",
  };
  assert.equal(
    progressLine("/films/harbour.mp4", state, "playable"),
    `${"harbour.mp4".padEnd(32)} encoding   [############------------]  50 %  2 min left`,
  );
});

test("durations and sizes read as people say them", () => {
  assert.deepEqual([0, 42, 59.6, 90, 3_599, 3_600, 4_320].map(duration), [
    "0 s",
    "42 s",
    "1 min",
    "2 min",
    "1 h",
    "1 h",
    "1 h 12 min",
  ]);
  assert.deepEqual([0, 999, 1_500, 82_000_000_000].map(bytes), ["0 B", "999 B", "1.5 kB", "82 GB"]);
  assert.equal(bar(0.999, 4), "[####]  99 %");
  assert.equal(bar(Number.NaN, 4), "[----]   0 %");
});

test("text of strangers cannot drive the terminal, and columns hold", () => {
  assert.equal(plain("a\u001B[2J\u202Eb\n"), "a [2J b ");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string()), { maxLength: 5 }),
      fc.integer({ min: 40, max: 120 }),
      (rows, columns) => {
        for (const line of table(["A", "B"], rows, columns)) assert.ok(!/\p{Cc}/u.test(line));
      },
    ),
  );
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.integer({ min: 2, max: 40 }),
      (text, columns) => widthOf(cut(text, columns)) <= columns,
    ),
  );
});

test("a dropped file is taken when it has been the same for a while", () => {
  const seen = new Map();
  const file = { name: "a.mp4", sizeBytes: 10, modifiedMs: 1 };
  assert.deepEqual(stableFiles([file], seen, 0, 5_000), []);
  assert.deepEqual(stableFiles([{ ...file, sizeBytes: 20 }], seen, 4_000, 5_000), []);
  assert.deepEqual(stableFiles([{ ...file, sizeBytes: 20 }], seen, 8_999, 5_000), []);
  assert.deepEqual(stableFiles([{ ...file, sizeBytes: 20 }], seen, 9_000, 5_000), [{ ...file, sizeBytes: 20 }]);
  stableFiles([], seen, 10_000, 5_000);
  assert.equal(seen.size, 0);
  assert.equal(contentIdOf("/drop/a.mp4", file), contentIdOf("/drop/a.mp4", { ...file }));
  assert.notEqual(contentIdOf("/drop/a.mp4", file), contentIdOf("/drop/a.mp4", { ...file, sizeBytes: 11 }));
});

test("a folder of a bucket is named as everywhere", () => {
  assert.deepEqual(placeOf("s3://my-bucket"), { bucket: "my-bucket", prefix: "" });
  assert.deepEqual(placeOf("s3://my-bucket/"), { bucket: "my-bucket", prefix: "" });
  assert.deepEqual(placeOf("S3://my.bucket/New films/2026"), { bucket: "my.bucket", prefix: "New films/2026/" });
  assert.deepEqual(placeOf("s3://my-bucket/films/"), { bucket: "my-bucket", prefix: "films/" });
  for (const wrong of [
    "s3:my-bucket",
    "s3://",
    "s3://My_Bucket/a",
    "s3:///films",
    "s3://my-bucket//films",
    "s3://MyBucket",
  ])
    assert.throws(() => placeOf(wrong), /s3:\/\/my-bucket\/films/, wrong);
});

test("films are told from what lies beside them", () => {
  const names = [
    "a.mp4",
    "a.en.srt",
    "a.srt",
    "ab.de.srt",
    "b.mkv",
    "b.mkv.error.txt",
    ".hidden.mp4",
    "c.mp4.part",
    "poster.jpg",
  ];
  assert.deepEqual(filmsOf(names), ["a.mp4"]);
  assert.deepEqual(sidecarsOf("a.mp4", names), [
    { name: "a.en.srt", language: "en" },
    { name: "a.srt", language: "und" },
  ]);
});

test("the guide lists every variable as the schema has it", () => {
  const guide = readFileSync(new URL("../../docs/guides/operate.md", import.meta.url), "utf8");
  assert.ok(
    guide.includes(variablesAsMarkdown()),
    `docs/guides/operate.md is out of date; its table should read:\n\n${variablesAsMarkdown()}\n`,
  );
  assert.deepEqual(
    variables()
      .filter(({ description }) => description === "")
      .map(({ name }) => name),
    [],
  );
});

test("the configuration is shown without its secrets", () => {
  const password = "hunter2";
  const shown = shownConfig(
    readConfig({
      MARQUEE_POSTGRES_URL: `postgres://admin:${password}@db.test/marquee?password=${password}`,
      MARQUEE_GOOGLE_CLIENT_SECRET: "hunter2",
      MARQUEE_SMTP_URL: "smtp://post:hunter2@mail.test:25",
      MARQUEE_REDIS_URL: "rediss://:hunter2@cache.test:6379/0",
      MARQUEE_VAULT_TOKEN: "hunter2",
    }),
  );
  assert.ok(!JSON.stringify(shown).includes("hunter2"), JSON.stringify(shown));
  assert.equal(shown["MARQUEE_POSTGRES_URL"], "postgres://<set>@db.test/marquee?password=<set>");
  assert.equal(shown["MARQUEE_DEMO"], "1");
});

const quietCli = (env: Record<string, string>, out: (line: string) => void = () => {}) => {
  const terminal: Terminal = { out, note() {}, redraw() {}, isScreen: false, canAsk: false, columns: 80 };
  return openCli(terminal, "/program", env);
};

test("every command has a description, an example and its completion", () => {
  const program = buildProgram(quietCli({}), "1.0.0", () => {});
  const script = completionScript(program, "bash");
  const walk = (command: typeof program, path: string): void => {
    assert.notEqual(command.description(), "", path);
    if (command.commands.length === 0) {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      assert.match(help, /Examples:\n {2}\S/, path);
    }
    for (const child of command.commands) walk(child, `${path} ${child.name()}`.trim());
    if (path !== "") assert.ok(script.includes(`"${path}"`), path);
  };
  walk(program, "");
  assert.match(
    completionScript(program, "fish"),
    /-n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from rotate' -l cat/,
  );
  assert.throws(() => completionScript(program, "cmd"), /bash, zsh or fish/);
});

test("the bash completion knows where it is", { skip: process.platform === "win32" }, () => {
  const script = completionScript(
    buildProgram(quietCli({}), "1.0.0", () => {}),
    "bash",
  );
  const ask = (...words: string[]): string[] => {
    const list = words.map((word) => `'${word}'`).join(" ");
    const code = `${script}\nCOMP_WORDS=(./marquee ${list}); COMP_CWORD=${words.length}; _marquee; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-c", code], { encoding: "utf8" }).trim().split("\n");
  };
  assert.deepEqual(ask("tit"), ["titles", "title"]);
  assert.deepEqual(ask("title", "un"), ["unpublish"]);
  assert.deepEqual(ask("keys", "rotate", "--c"), ["--cat", "--content"]);
});

test("hosts are names or addresses, without scheme and port", () => {
  assert.equal(toHost("Bücher.example"), "xn--bcher-kva.example");
  assert.equal(toHost("[::1]"), "::1");
  assert.equal(toHost("*.example.test"), "*.example.test");
  for (const wrong of ["https://a.test", "a.test:8080", "a..test", "-a.test", ""])
    assert.throws(() => toHost(wrong), /is not a host name/);
});

test("a certificate of ours is accepted by a TLS client that trusts the authority, for its hosts only", async () => {
  const validity = { fromMs: Date.now() - 1_000, untilMs: Date.now() + 86_400_000 };
  const authority = makeAuthority("Marquee test", validity);
  const server = makeServer(["cinema.test", "localhost", "127.0.0.1", "2001:db8::42"], authority, validity);
  const parsed = new X509Certificate(server.certificatePem);
  assert.ok(parsed.verify(new X509Certificate(authority.certificatePem).publicKey));
  assert.ok(parsed.checkIssued(new X509Certificate(authority.certificatePem)));
  assert.equal(parsed.checkIP("2001:db8::42"), "2001:db8::42");
  assert.equal(parsed.ca, false);
  const listener = createServer(
    { cert: server.certificatePem, key: server.key.export({ type: "pkcs8", format: "pem" }) },
    (_request, response) => response.end("hello"),
  );
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  const ask = (servername: string): Promise<number> =>
    new Promise((resolve, reject) => {
      request(
        {
          host: "127.0.0.1",
          port,
          servername,
          headers: { host: servername },
          ca: authority.certificatePem,
          agent: false,
        },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      )
        .once("error", reject)
        .end();
    });
  assert.equal(await ask("cinema.test"), 200);
  await assert.rejects(ask("other.test"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  listener.close();
});

test("cert keeps the authority, and keeps keys to itself", async () => {
  const folder = temporary();
  const made: string[] = [];
  const cli = quietCli({ MARQUEE_DATA: folder }, (line) => made.push(line));
  await makeCertificate(cli, ["cinema.test"], { json: true });
  const files = certificateFiles(folder);
  const authority = readFileSync(files.authority, "utf8");
  await makeCertificate(cli, ["cinema.test", "10.0.0.7"], { json: true });
  assert.equal(readFileSync(files.authority, "utf8"), authority);
  assert.equal((JSON.parse(made[1] ?? "") as { isAuthorityNew: boolean }).isAuthorityNew, false);
  const certificate = new X509Certificate(readFileSync(files.certificate, "utf8"));
  assert.equal(certificate.checkIP("10.0.0.7"), "10.0.0.7");
  if (process.platform !== "win32")
    for (const key of [files.key, files.authorityKey]) assert.equal(statSync(key).mode & 0o777, 0o600);
  const judge = (host: string, nowMs: number) => judgeCertificate(certificate, host, nowMs, "make one").status;
  assert.equal(judge("cinema.test", Date.now()), "ok");
  assert.equal(judge("other.test", Date.now()), "missing");
  assert.equal(judge("cinema.test", Date.parse(certificate.validTo) - 86_400_000), "warn");
  assert.equal(judge("cinema.test", Date.parse(certificate.validTo) + 1), "missing");
});

test("every system is told how to trust the authority", () => {
  for (const platform of ["linux", "darwin", "win32"])
    assert.ok(
      trustSteps(platform, "/a b/ca.crt").some((line) => line.includes("/a b/ca.crt")),
      platform,
    );
});

test("a full disk is missing, a small one a warning", () => {
  assert.deepEqual(
    [1e9, 10e9, 100e9].map((free) => judgeDisk(free).status),
    ["missing", "warn", "ok"],
  );
});

test("flights, caps and breaks are read as the guide writes them", () => {
  const nowMs = Date.parse("2026-12-01T00:00:00Z");
  assert.deepEqual(parseFlight("now/2026-12-24/5000", nowMs), {
    ...{
      startMs: BigInt(nowMs),
      endMs: BigInt(Date.parse("2026-12-24T00:00:00Z")),
      impressions: 5_000,
      pacing: "even",
    },
  });
  assert.equal(parseFlight("2026-12-01/none/10/asap", nowMs).pacing, "asap");
  assert.deepEqual(parseCap("3/2d"), { impressions: 3, windowS: 172_800 });
  assert.deepEqual(parseBreak("1:05:30/60"), { atS: 3_930, durationS: 60 });
  assert.deepEqual(parseBreak("90/15"), { atS: 90, durationS: 15 });
  for (const wrong of [() => parseFlight("tomorrow", nowMs), () => parseCap("3"), () => parseBreak("1:2:3:4/5")])
    assert.throws(wrong, /is not known|is no break/);
});
