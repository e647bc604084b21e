import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Analytics } from "#contracts/analytics";
import { Auth } from "#contracts/auth";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { Keys } from "#contracts/keys";
import { Token } from "#contracts/token";
import { User } from "#contracts/user";
import { problem } from "#kernel";
import { fakeService, startTestAdmin, type TestAdmin } from "../admin/testing.ts";

type EncodingInit = NonNullable<MessageInitShape<(typeof Encoding.rpc.method.get)["output"]>["encoding"]>;
type TitleInit = NonNullable<MessageInitShape<(typeof Catalog.rpc.method.get)["output"]>["title"]>;

const entry = resolve(import.meta.dirname, "../marquee.ts");
let product: TestAdmin;
let folder: string;

/** What the fakes were asked, and what they know: a film goes one step further each time somebody looks. */
const asked: { method: string; request: unknown }[] = [];
const looks = new Map<string, number>();
const titles = new Map<string, TitleInit>();
const note = <T>(method: string, request: T): T => {
  asked.push({ method, request });
  return request;
};
const lastOf = (method: string): Record<string, unknown> =>
  (asked.findLast((entry) => entry.method === method)?.request ?? {}) as Record<string, unknown>;

const ingest = fakeService(Ingest, {
  async import(request) {
    note("import", request);
    if (request.path.includes("zero"))
      throw problem.unsupportedMedia("'zero.mp4' is empty (0 bytes): copy it again", { reason: "empty_file" });
    const contentId = request.contentId || `vod_${looks.size + 1}`;
    looks.set(contentId, 0);
    const isBad = request.path.includes("twin");
    titles.set(contentId, {
      id: contentId,
      kind: "film",
      title: request.title || "Film",
      state: isBad ? "failed" : "processing",
    });
    return { contentId };
  },
  async get({ contentId }) {
    const title = titles.get(contentId);
    if (!title) throw problem.notFound(`nothing was imported as '${contentId}'`);
    if (title.state !== "failed")
      return { ingest: { contentId, state: (looks.get(contentId) ?? 0) > 0 ? "accepted" : "checking" } };
    return {
      ingest: {
        contentId,
        state: "failed",
        failure: "'twin.mp4' looks like 'vod_1', which is here already",
        failureReason: "duplicate",
        duplicateOf: "vod_1",
      },
    };
  },
  async list() {
    return {
      ingests: [
        { contentId: "vod_9", fileName: "late.mov", state: "copying" },
        { contentId: "vod_8", fileName: "b.mov", state: "failed", failure: "the disk is full" },
      ],
    };
  },
  async retry(request) {
    note("ingest.retry", request);
    return {};
  },
});

const encoding = fakeService(Encoding, {
  async getMany({ contentIds }) {
    return { encodings: contentIds.flatMap((contentId) => step(contentId) ?? []) };
  },
  async list() {
    const encodings = [
      {
        contentId: "vod_1",
        state: "encoding",
        progress: 0.25,
        leftS: 90,
        rungs: [{ profile: "a", packaged: true }, { profile: "b" }],
      },
    ];
    return { encodings, queued: 3, active: 2, failed: 1 };
  },
  async repackage(request) {
    note("repackage", request);
    return { packageRevision: 2 };
  },
});

/** The first look finds nothing to encode yet, the second half of it, the third a film that plays. */
function step(contentId: string): EncodingInit | undefined {
  const title = titles.get(contentId);
  if (!title || title.state === "failed") return undefined;
  const look = looks.get(contentId) ?? 0;
  looks.set(contentId, look + 1);
  if (look === 0) return undefined;
  if (look === 1)
    return {
      contentId,
      state: "encoding",
      progress: 0.3,
      progressPlayable: 0.5,
      startedAtMs: BigInt(Date.now() - 10_000),
      leftS: 40,
    };
  titles.set(contentId, { ...title, state: "playable", complete: true });
  return { contentId, state: "complete", progress: 1, progressPlayable: 1, packageRevision: 1 };
}

const catalog = fakeService(Catalog, {
  async getMany({ ids }) {
    return { titles: ids.flatMap((id) => titles.get(id) ?? []) };
  },
  async get({ id }) {
    const title = titles.get(id);
    if (!title) throw problem.notFound(`title '${id}' does not exist`, { reason: "title_unknown" });
    return { title };
  },
  async list(request) {
    note("titles", request);
    const title = {
      id: "vod_1",
      kind: "film",
      title: "The \u001B[31mharbour",
      year: 2026,
      durationS: 4_320,
      state: "playable",
      publication: "published",
    };
    return {
      titles: request.includeHidden
        ? [title, { ...title, id: "vod_2", title: "Hidden", publication: "draft" }]
        : [title],
    };
  },
  async update(request) {
    note("update", request);
    return { title: { ...titles.get(request.id), id: request.id, title: request.title ?? "" } };
  },
  async delete(request) {
    note("delete", request);
    return {};
  },
});

const auth = fakeService(Auth, {
  issueToken: async ({ email, profileName }) => ({
    accessToken: `token-of-${email}-${profileName}`,
    expiresAtMs: 1_800_000_000_000n,
  }),
  rotateKeys: async () => ({ kid: "jwt-2" }),
});
const token = fakeService(Token, { rotate: async () => ({ kid: "cat-2" }) });
const keys = fakeService(Keys, {
  exportCpix: async ({ contentId }) => ({ document: `<CPIX contentId="${contentId}"/>\n` }),
});
const analytics = fakeService(Analytics, {
  async listTables() {
    const metadataLocation = "file:///data/lake~/00007.metadata.json";
    const counts = { version: 7n, snapshotId: 42n, rows: 1_200n, files: 3n, sizeBytes: 2_500_000n };
    return { tables: [{ name: "bronze.events", metadataLocation, updatedAtMs: 0n, ...counts }], erasuresPending: 1n };
  },
  async getTable({ name, snapshotsLimit }) {
    note("lake", { name, snapshotsLimit });
    if (name !== "bronze.events") throw problem.notFound(`table '${name}' does not exist`);
    const counts = { addedRows: 5n, removedRows: 0n, rows: 1_200n, files: 3n };
    return { snapshots: [{ id: 42n, sequenceNumber: 7n, committedAtMs: 0n, operation: "append", ...counts }] };
  },
});

const user = fakeService(User, {
  async findByEmail({ email }) {
    if (email !== "ada@mail.example") throw problem.notFound("nobody has this e-mail address");
    return { user: { id: "usr_1", email } };
  },
  async delete(request) {
    note("user.delete", request);
    return {};
  },
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "marquee-cli-"));
  product = await startTestAdmin({
    services: [ingest, encoding, catalog, auth, token, keys, analytics, user],
    states: async () => ({
      "service/catalog": { ok: true, detail: "ready" },
      "adapter/log": { ok: false, detail: "the disk is full" },
    }),
  });
});
after(async () => {
  await product.stop();
  await rm(folder, { recursive: true });
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function marquee(words: readonly string[], dataFolder = product.dataFolder): Promise<Ended> {
  const env = { ...process.env, MARQUEE_DATA: dataFolder, MARQUEE_PORT: "0" };
  return new Promise((done) => {
    execFile(process.execPath, [entry, ...words], { env, cwd: folder }, (error, out, err) => {
      done({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}
const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("import --wait --json tells each phase and ends with ready", async () => {
  const { code, out, err } = await marquee([
    "import",
    "--wait",
    "a film's 🎬.mp4",
    "--json",
    "--preset",
    "quick",
    "--subtitles",
    "s.en.srt:en",
    "t:x.vtt:pt-BR",
  ]);
  assert.equal(err, "");
  assert.equal(code, 0);
  const lines = jsonLines(out);
  assert.deepEqual(lines.at(-1), {
    file: "a film's 🎬.mp4",
    contentId: lines[0]?.["contentId"],
    status: "ready",
    reason: null,
  });
  assert.ok(
    lines.some(({ status, progress }) => status === "encoding" && progress === 0.5),
    out,
  );
  const { path, preset, publish, subtitles } = lastOf("import");
  assert.deepEqual(
    { path, preset, publish },
    { path: join(folder, "a film's 🎬.mp4"), preset: "quick", publish: true },
  );
  assert.deepEqual(
    (subtitles as { path: string; language: string }[]).map((each) => [each.path, each.language]),
    [
      [join(folder, "s.en.srt"), "en"],
      [join(folder, "t:x.vtt"), "pt-BR"],
    ],
  );
});

test("import of several files: one that is refused fails the command, the others go on", async () => {
  const { code, out } = await marquee(["import", "zero.mp4", "good.mp4", "twin.mp4", "--json", "--no-publish"]);
  assert.equal(code, 1);
  const last = new Map(jsonLines(out).map((line) => [line["file"], line]));
  assert.deepEqual(last.get("zero.mp4"), {
    file: "zero.mp4",
    contentId: null,
    status: "failed",
    reason: "'zero.mp4' is empty (0 bytes): copy it again",
    code: "empty_file",
  });
  assert.equal(last.get("good.mp4")?.["status"], "accepted");
  assert.equal(last.get("twin.mp4")?.["code"], "duplicate");
  assert.equal(last.get("twin.mp4")?.["duplicateOf"], "vod_1");
  assert.equal(lastOf("import")["publish"], false);
});

test("Ctrl-C ends an import's command and says that the work goes on", {
  skip: process.platform === "win32",
}, async () => {
  const env = { ...process.env, MARQUEE_DATA: product.dataFolder };
  const child = spawn(process.execPath, [entry, "import", "long.mp4", "--wait=complete"], {
    env,
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let err = "";
  const ended = new Promise<number | null>((done) => child.once("close", done));
  child.stderr.on("data", (chunk) => {
    err += String(chunk);
    if (!child.killed && /checking|encoding/.test(err)) child.kill("SIGINT");
  });
  assert.equal(await ended, 130);
  assert.match(err, /The work goes on without me/);
});

test("commands without a running product end with 2 and the remedy", async () => {
  const empty = join(folder, "empty");
  await mkdir(empty);
  const commands = [["titles"], ["import", "film.mp4", "--json"], ["watch", "drop"]];
  for (const { code, err } of await Promise.all(commands.map((words) => marquee(words, empty)))) {
    assert.equal(code, 2);
    assert.equal(err.trim(), `marquee: Marquee is not running here: start it with npm start (MARQUEE_DATA=${empty})`);
  }
});

test("titles are a table without terminal codes, or JSON", async () => {
  const shown = await marquee(["titles"]);
  assert.match(
    shown.out,
    /^ID +TITLE +KIND +YEAR +LENGTH +STATE +PUBLICATION\nvod_1 +The +\[31mharbour +film +2026 +1 h 12 min +playable +published\n$/,
  );
  const all = jsonLines((await marquee(["titles", "--all", "--json"])).out);
  assert.deepEqual(
    all.map(({ id }) => id),
    ["vod_1", "vod_2"],
  );
  assert.equal(lastOf("titles")["includeHidden"], true);
});

test("title edit sends what was named, and only that", async () => {
  titles.set("vod_1", { id: "vod_1", kind: "film", title: "Old" });
  const { code, out } = await marquee([
    "title",
    "edit",
    "vod_1",
    "--title",
    "New",
    "--markets",
    "de, at",
    "--from",
    "2026-12-24T20:15+01:00",
    "--genres",
    "none",
    "--json",
  ]);
  assert.equal(code, 0);
  assert.equal(jsonLines(out)[0]?.["title"], "New");
  const { title, markets, genres, replace, availableFromMs, synopsis } = lastOf("update");
  assert.deepEqual(
    { title, markets, genres, replace, synopsis },
    { title: "New", markets: ["DE", "AT"], genres: [], replace: ["genres", "markets"], synopsis: undefined },
  );
  assert.equal(availableFromMs, BigInt(Date.parse("2026-12-24T19:15Z")));
});

test("delete wants a yes, an unknown title is named", async () => {
  titles.set("vod_1", { id: "vod_1", kind: "film", title: "Old" });
  const unsure = await marquee(["title", "delete", "vod_1"]);
  assert.equal(unsure.code, 1);
  assert.match(unsure.err, /add --yes/);
  assert.deepEqual(lastOf("delete"), {});
  assert.equal((await marquee(["title", "delete", "vod_1", "--yes"])).out, "'Old' is deleted\n");
  assert.equal(lastOf("delete")["id"], "vod_1");
  const unknown = await marquee(["title", "show", "vod_404"]);
  assert.deepEqual([unknown.code, unknown.err], [1, "marquee: title 'vod_404' does not exist\n"]);
});

test("jobs, token, keys and CPIX", async () => {
  const [jobs, access, rotated, none, cpix] = await Promise.all([
    marquee(["jobs"]),
    marquee(["token", "alex@demo.test", "--profile", "Kids"]),
    marquee(["keys", "rotate", "--cat", "--jwt", "--content", "vod_1"]),
    marquee(["keys", "rotate"]),
    marquee(["export-cpix", "vod_1"]),
  ]);
  assert.match(jobs.out, /vod_9 +late\.mov +copying/);
  assert.match(jobs.out, /vod_1 .*encoding +\[####-{12}\] +25 % +2 min +1\/2/);
  assert.match(jobs.out, /vod_8 failed: the disk is full\n\n2 pieces at work, 3 waiting, 1 titles failed/);
  assert.equal(access.out, "token-of-alex@demo.test-Kids\n");
  assert.match(rotated.out, /cat-2[^]*jwt-2[^]*revision 2/);
  assert.match(none.err, /--cat, --jwt or --content/);
  assert.equal(cpix.out, '<CPIX contentId="vod_1"/>\n');
});

test("an account is deleted by its address, when somebody said yes", async () => {
  const unsure = await marquee(["users", "delete", "ada@mail.example"]);
  assert.equal(unsure.code, 1);
  assert.match(unsure.err, /add --yes/);
  assert.equal(lastOf("user.delete")["userId"], undefined);
  const [gone, unknown] = [
    await marquee(["users", "delete", "--yes", "--json", "ada@mail.example"]),
    await marquee(["users", "delete", "--yes", "nobody@mail.example"]),
  ];
  assert.deepEqual(JSON.parse(gone.out), { email: "ada@mail.example", userId: "usr_1", deleted: true });
  assert.equal(lastOf("user.delete")["userId"], "usr_1");
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /nobody has this e-mail address/);
});

test("the lake's tables and snapshots, for people and for programs", async () => {
  const [tables, json, snapshots, one, unknown, wrong] = await Promise.all([
    marquee(["lake", "tables"]),
    marquee(["lake", "tables", "--json"]),
    marquee(["lake", "snapshots"]),
    marquee(["lake", "snapshots", "bronze.events", "--limit", "1", "--json"]),
    marquee(["lake", "snapshots", "gold.none"]),
    marquee(["lake", "snapshots", "--limit", "many"]),
  ]);
  assert.match(
    tables.out,
    /bronze\.events +1200 +3 +2\.5 MB +1970-01-01T00:00:00Z +file:\/\/\/data\/lake~\/00007\.metadata\.json/,
  );
  assert.match(tables.err, /Events of 1 deleted accounts/);
  const parsed = JSON.parse(json.out) as { metadataLocation: string; snapshotId: number };
  assert.deepEqual([parsed.metadataLocation, parsed.snapshotId], ["file:///data/lake~/00007.metadata.json", 42]);
  assert.match(snapshots.out, /42 +1970-01-01T00:00:00Z +append +5 +0 +1200 +3/);
  assert.equal((JSON.parse(one.out) as { addedRows: number }).addedRows, 5);
  assert.match(unknown.err, /table 'gold\.none' does not exist/);
  assert.match(wrong.err, /--limit many is none: write a number from 1 to 100/);
});

test("flags are listed, set, rolled out and unset, and what is mistyped is refused", async () => {
  const before = await marquee(["flags", "list"]);
  assert.match(before.out, /kill\.web\.previews +off +- +shows no silent clips/);
  assert.match(before.out, /kill\.service\.catalog +off +- +shuts the service catalog/);
  const steps: readonly [readonly string[], RegExp][] = [
    [["set", "kill.web.previews", "on"], /^kill\.web\.previews: on$/],
    [
      ["rollout", "kill.web.chapters", "25", "--by", "profileId", "--where", "tier=premium", "--where", "market!=US"],
      /: on for 25 % by profileId where tier=premium and market!=US$/,
    ],
    [["set", "kill.web.chapters", "on", "--add", "--where", "platform=tizen"], /US; else on where platform=tizen$/],
    [["set", "kill.web.next-episode", "off"], /: off$/],
    [["set", "web.home-layout", '{"rails":["new"]}'], /: \{"rails":\["new"\]\}$/],
  ];
  for (const [words, said] of steps) {
    const { code, out, err } = await marquee(["flags", ...words]);
    assert.equal(code, 0, err);
    assert.match(out.trim(), said);
  }
  const recorded = (await product.audited()).filter(({ what }) => what === "flags.set");
  assert.deepEqual(
    recorded.map(({ on, outcome }) => [on, outcome]),
    [
      ["kill.web.previews", "ok"],
      ["kill.web.chapters", "ok"],
      ["kill.web.chapters", "ok"],
      ["kill.web.next-episode", "ok"],
      ["web.home-layout", "ok"],
    ],
  );
  const lines = jsonLines((await marquee(["flags", "list", "--json"])).out);
  const layout = lines.find(({ name }) => name === "web.home-layout")?.["rule"] as {
    audiences: { variants: unknown }[];
  };
  assert.deepEqual(layout.audiences[0]?.variants, [{ name: "value", weight: 1_000, value: { rails: ["new"] } }]);
  assert.equal((await marquee(["flags", "unset", "web.home-layout"])).code, 0);
  assert.match((await marquee(["flags", "list"])).out, /web\.home-layout +\{"rails[^}]*\} +- +which kinds/);
  const wrong: readonly [readonly string[], RegExp][] = [
    [["set", "kill.web.preview", "on"], /no flag 'kill\.web\.preview'.*flags list/],
    [["set", "kill.web.previews", "perhaps"], /on or off, not 'perhaps'/],
    [["set", "kill.web.previews", "off", "--where", "tier=basic"], /say for whom/],
    [["set", "web.home-layout", "[1]"], /an object in JSON/],
    [["rollout", "kill.web.previews", "many"], /0 to 100/],
    [["set", "kill.web.previews", "on", "--where", "tier"], /'tier' is no condition/],
    [["unset", "nothing"], /no flag 'nothing'/],
  ];
  for (const [words, said] of wrong) {
    const { code, err } = await marquee(["flags", ...words]);
    assert.equal(code, 1);
    assert.match(err, said);
  }
});

test("watch --once takes whole films with their subtitles and writes down why not", async () => {
  const drop = join(folder, "drop");
  await mkdir(drop);
  for (const name of ["a.mp4", "a.en.srt", "zero.mp4", "half.mp4.part"]) await writeFile(join(drop, name), name);
  const { code, out } = await marquee(["watch", "drop", "--once", "--json", "--settle", "0.5"]);
  assert.equal(code, 1);
  assert.equal(jsonLines(out).find(({ file }) => file === join(drop, "a.mp4"))?.["status"], "accepted");
  assert.deepEqual((await readdir(drop)).toSorted(), ["half.mp4.part", "imported", "zero.mp4", "zero.mp4.error.txt"]);
  assert.deepEqual((await readdir(join(drop, "imported"))).toSorted(), ["a.en.srt", "a.mp4"]);
  assert.match(await readFile(join(drop, "zero.mp4.error.txt"), "utf8"), /0 bytes[^]*Delete this file to try again/);
});

test("doctor names the adapter that is not well, and keeps secrets", async () => {
  const { code, out } = await marquee(["doctor", "--json"]);
  assert.equal(code, 1);
  const { checks, configuration } = JSON.parse(out) as {
    checks: { name: string; status: string; detail: string }[];
    configuration: Record<string, string>;
  };
  assert.deepEqual(
    checks.find(({ name }) => name === "log"),
    {
      name: "log",
      status: "missing",
      detail: "the disk is full",
      remedy: 'Its log lines say more: they have "service":"log".',
    },
  );
  assert.equal(checks.find(({ name }) => name === "node")?.status, "ok");
  assert.equal(configuration["MARQUEE_DATA"], product.dataFolder);
});
